"""Choices of every selector for many queries: bank rows or records, best first."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike

import numpy as np

from skillshot.common.arrays import Floats, Mask, Rows
from skillshot.common.params import EvaluateParams
from skillshot.common.record import Record
from skillshot.llm.engine import Engine, answer_decoding
from skillshot.runtime.hedge import CANDIDATES, chosen_rows
from skillshot.runtime.index import top_k
from skillshot.selectors import adapters, retrieval_r, skill_knn
from skillshot.selectors.cost import Cost
from skillshot.selectors.pool import Pool
from skillshot.selectors.registry import DEFAULT, DRAW, find

CHUNK = 256  # queries scored at once, so that memory stays at CHUNK x bank floats
NO_COST = Cost()


@dataclass(frozen=True)
class Choice:
    """A selector's demonstrations for each query, best first.

    bank: calls made once for the bank; queries: calls made to select; note: what a reader must know;
    seconds: wall time of the selection, including what the selector prepared for it.
    """

    demonstrations: list[list[Record]]
    bank: Cost = NO_COST
    queries: Cost = NO_COST
    note: str = ""
    seconds: float = field(default=0.0, compare=False)


def choose_all(
    folder: str | PathLike[str],
    queries: Sequence[Record],
    names: Sequence[str],
    k: int,
    seed: int,
    engine: Engine,
    params: EvaluateParams,
) -> dict[str, Choice]:
    """Choices of each named selector on a bundle's bank, with what they cost.

    Args:
        engine: asked by the selectors that need a language model, and by no other.

    Raises:
        InputError: an unknown selector, one whose package is not installed, or one that the bundle cannot serve.
        EngineError: the engine failed; what was answered is in the answer cache where there is one.
    """
    for name in names:
        find(name)
    pool = Pool(folder, seed)
    pool.check(names)
    choices = {}
    for name in names:
        start = time.perf_counter()
        if find(name).needs_llm:
            demonstrations, bank, cost, note = _by_llm(pool, queries, name, k, seed, engine, params)
        else:
            demonstrations, bank, cost, note = choose_from(pool, queries, name, k), NO_COST, NO_COST, ""
        choices[name] = Choice(demonstrations, bank, cost, note, time.perf_counter() - start)
    return choices


def _by_llm(
    pool: Pool, queries: Sequence[Record], name: str, k: int, seed: int, engine: Engine, params: EvaluateParams
) -> tuple[list[list[Record]], Cost, Cost, str]:
    if name == "retrieval_r":
        shown = choose_from(pool, queries, "question", k)
        decoding = answer_decoding(engine, params.max_tokens)
        demonstrations, cost = retrieval_r.choose(engine, pool, queries, shown, k, decoding)
        return demonstrations, NO_COST, cost, ""
    bank, size, note = pool.records, params.skill_knn_bank, ""
    if size is not None and size < len(bank):
        note = f"chose among {size} of the bank's {len(bank)} examples (evaluate.skill_knn_bank)"
        rows = sorted(random.Random(seed).sample(range(len(bank)), size))
        bank = [bank[row] for row in rows]
    result = skill_knn.choose(engine, bank, queries, pool.embed, k)
    return result.choices, result.bank, result.queries, note


def choose(
    folder: str | PathLike[str], queries: Sequence[Record], names: Sequence[str] = DEFAULT, k: int = 4, seed: int = 0
) -> dict[str, list[list[Record]]]:
    """Demonstrations of each named selector for each query; "zero-shot" chooses none.

    Raises:
        InputError: an unknown selector, or one that asks a language model.
        BundleError: a damaged bundle.
    """
    pool = Pool(folder, seed)
    return {name: choose_from(pool, queries, name, k) for name in names}


def choose_from(pool: Pool, queries: Sequence[Record], name: str, k: int) -> list[list[Record]]:
    """`choose_rows` as records."""
    return [[pool.records[row] for row in rows] for rows in choose_rows(pool, queries, name, k)]


def choose_rows(pool: Pool, queries: Sequence[Record], name: str, k: int) -> list[Rows]:
    """Rows of the k best demonstrations for each query, best first; the query itself is never among them.

    Raises:
        InputError: an unknown selector, one that asks a language model, or one whose package is not installed.
    """
    spec = find(name, llm=False)
    pool.check([name])
    if name == "zero-shot":
        return [np.empty(0, np.intp) for _ in queries]
    if spec.package:
        return adapters.choose_rows(pool, queries, spec, k)
    if draw := DRAW.fullmatch(name):
        first, pool.seed = pool.seed, pool.seed + int(draw.group(1)) - 1
        try:
            return choose_rows(pool, queries, "random", k)
        finally:
            pool.seed = first
    rows: list[Rows] = []
    for start in range(0, len(queries), CHUNK):
        part = queries[start : start + CHUNK]
        scores, allowed = pool.scores(spec.scores or name, part), pool.allowed(part)
        if spec.pick is not None:
            vectors = pool.vectors(spec.vectors)
            rows += [spec.pick(scores[i], vectors, k, allowed=allowed[i]) for i in range(len(part))]
        elif spec.served:
            rows += [_served(pool, name, scores[i], k, allowed[i]) for i in range(len(part))]
        else:
            rows += [top_k(scores[i], k, allowed[i]) for i in range(len(part))]
    return rows


def _served(pool: Pool, name: str, scores: Floats, k: int, allowed: Mask) -> Rows:
    """As `Selector` chooses: a hedged set."""
    rows, scoring = top_k(scores, max(CANDIDATES, k + 1), allowed), pool.scoring("lite" if name == "lite" else "full")
    return chosen_rows(scores[rows], pool.vectors("skillshot"), rows, scoring.weights, scoring.doubt, k)
