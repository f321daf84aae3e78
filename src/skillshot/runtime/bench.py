"""Speed of selection on this machine: each mode in the same run, together with its lower bounds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers

from skillshot.runtime.index import ExactIndex
from skillshot.runtime.layout import MODEL
from skillshot.runtime.manifest import read_manifest
from skillshot.runtime.selector import Selector


def bench(folder: str | os.PathLike[str], queries: int = 100, k: int = 4, threads: int = 1) -> dict[str, Any]:
    """Time `select` one question at a time, and in one batch.

    Returns:
        per mode wall p50/p95/p99 and CPU p50 in milliseconds, questions per second in a batch, seconds to load, and
        recall of its top k against an exact search over the same vectors. `floor` (lower bounds): milliseconds of the
        tokenizer alone (with a text encoder) and of the exact search alone.
    """
    modes: dict[str, Any] = {}
    questions: list[str] = []
    for mode in sorted({"full", "lite"} & read_manifest(folder)["score"].keys()):
        start = time.perf_counter()
        selector = Selector.load(folder, mode, threads=threads)
        loaded = time.perf_counter() - start
        if not questions:
            rows = np.random.default_rng(0).permutation(len(selector))[: max(1, queries)]
            questions = [selector.record(int(row)).question for row in rows]
        wall, cpu = time_each(partial(selector.select, k=k), questions)
        start = time.perf_counter()
        selector.select_batch(questions, k)
        modes[mode] = {
            **{f"{name}_ms": value for name, value in quantiles(wall).items()},
            "cpu_p50_ms": quantiles(cpu)["p50"],
            "per_second": len(questions) / (time.perf_counter() - start),
            "load_s": loaded,
            "recall": selector.recall(questions, k),
        }
    floor = {}
    if "full" in modes:
        tokenizer = tokenizers.Tokenizer.from_file(str(Path(folder) / MODEL / "tokenizer.json"))
        floor["tokenizer_ms"] = quantiles(time_each(tokenizer.encode, questions)[0])["p50"]
    vectors = selector.vectors
    exact = ExactIndex(vectors)
    searches, _ = time_each(lambda row: exact.search(vectors[row], k), range(min(50, len(vectors))))
    return {
        "bank": len(selector), "queries": len(questions), "k": k, "threads": threads, "modes": modes,
        "floor": floor | {"search_ms": quantiles(searches)["p50"]},
    }  # fmt: skip


def time_each(call: Callable[[Any], Any], arguments: Sequence[Any]) -> tuple[list[float], list[float]]:
    """Wall and CPU milliseconds of each call, after a warm-up of three."""
    wall, cpu = [], []
    for argument in arguments[:3]:
        call(argument)
    for argument in arguments:
        start, spent = time.perf_counter(), time.process_time()
        call(argument)
        cpu.append((time.process_time() - spent) * 1e3)
        wall.append((time.perf_counter() - start) * 1e3)
    return wall, cpu


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99."""
    return {f"p{percent}": float(np.percentile(values, percent)) for percent in (50, 95, 99)}
