"""Eight threads on one Selector while its bundle is changed: no error, no wrong and no double demonstration.

    python benchmarks/bench_hammer.py BUNDLE --seconds 60

A copy of the bundle is changed: a demonstration is removed and added again, and the shared Selector is replaced by its
`reload()`. Each answer is checked against the snapshot that it came from.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.bundle.edit import add, remove
from skillshot.common.io import write_json
from skillshot.common.record import Record, normalise_question
from skillshot.runtime.hedge import CANDIDATES
from skillshot.runtime.selector import Selector


def wrong(selector: Selector, question: str, k: int, exclude: list[str], known: dict[str, Record]) -> str | None:
    """What is wrong with one answer, or None."""
    chosen = selector.select(question, k, exclude=exclude)
    ids = [demonstration.id for demonstration in chosen]
    if len(set(ids)) != len(ids) or len({(d.question, d.context) for d in chosen}) != len(ids):
        return f"double: {ids}"
    if len(ids) != min(k, len(selector) - len(exclude)) or set(ids) & set(exclude):
        return f"{len(ids)} of {k}, without {exclude}: {ids}"
    for demonstration in chosen:
        record = known[demonstration.id]
        if (demonstration.question, demonstration.rationale, demonstration.answer) != (
            record.question,
            record.rationale,
            record.answer,
        ):
            return f"another text under {demonstration.id}"
        if normalise_question(demonstration.question) == normalise_question(question):
            return "the question itself"
    scores = selector.vectors @ selector._bundle.policy([question])[0]
    best = np.sort(scores)[::-1][: len(ids) + len(exclude)]
    # a set is hedged among the best candidates, so none may be worse than all of them
    candidates = max(CANDIDATES, k) + 1 + len(exclude)
    least = np.sort(scores)[::-1][:candidates][-1] - 1e-4
    confident = all(0 <= demonstration.confidence <= 1 for demonstration in chosen)
    if chosen[-1].score < least or chosen[0].score > best[0] + 1e-4 or not confident:
        return f"not the best: {[d.score for d in chosen]} instead of {best.tolist()}"
    return None


def hammer(
    bundle: Path, seconds: float, threads: int = 8, mode: str = "lite", changes: int | None = None
) -> dict[str, Any]:
    """Ask from `threads` threads for some seconds while another changes the bundle; counts and the first faults.

    Args:
        bundle: a folder that may be changed.
        changes: stop after so many (None: only the time counts).
    """
    current = [Selector.load(bundle, mode)]
    known = {record.id: record for record in (current[0].record(row) for row in range(len(current[0])))}
    ids, faults, counts, stop = sorted(known), [], [0] * threads, threading.Event()

    def ask(number: int) -> None:
        draw = np.random.default_rng(number)
        while not stop.is_set():
            selector = current[0]
            row = int(draw.integers(len(selector)))
            question = selector.record(row).question.rstrip("?") + " altogether?"
            exclude = [selector.record(int(draw.integers(len(selector)))).id] if draw.random() < 0.3 else []
            try:
                fault = wrong(selector, question, int(draw.integers(1, 9)), exclude, known)
            except Exception as error:
                fault = repr(error)
            if fault:
                faults.append(fault)
                stop.set()
            counts[number] += 1

    workers = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
    start, done, draw = time.perf_counter(), 0, np.random.default_rng(99)
    for worker in workers:
        worker.start()
    try:
        while not stop.is_set() and time.perf_counter() - start < seconds and (changes is None or done < changes):
            victim = ids[int(draw.integers(len(ids)))]
            for change in (lambda: remove(bundle, [victim]), lambda: add(bundle, [known[victim]])):  # noqa: B023
                change()
                current[0] = current[0].reload()
                done += 1
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    took = time.perf_counter() - start
    return {
        "mode": mode, "threads": threads, "seconds": took, "questions": sum(counts), "changes": done,
        "per_second": sum(counts) / took, "faults": faults[:5], "bank": len(current[0]),
    }  # fmt: skip


def main() -> None:
    """Hammer both modes and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--out", default="reports/bench_hammer.json")
    options = parser.parse_args()
    report = {}
    for mode in ("lite", "full"):
        with tempfile.TemporaryDirectory() as work:
            shutil.copytree(options.bundle, Path(work) / "bundle")
            report[mode] = hammer(Path(work) / "bundle", options.seconds, options.threads, mode)
        print(report[mode])
    write_json(options.out, report)
    if any(result["faults"] for result in report.values()):
        raise SystemExit("faults, see the report")


if __name__ == "__main__":
    main()
