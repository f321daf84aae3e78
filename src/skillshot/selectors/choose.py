"""Choices of every selector for a set of queries: bank rows or records, best first."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from os import PathLike

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats, Mask, Rows
from skillshot.common.errors import InputError
from skillshot.common.record import Record
from skillshot.runtime.diversify import CANDIDATES, spread
from skillshot.runtime.index import top_k
from skillshot.selectors import adapters, diverse
from skillshot.selectors.pool import NAMES, Pool

CHUNK = 256  # queries scored at once, so that memory stays at CHUNK x bank floats
Pick = Callable[..., npt.NDArray[np.intp]]
# name -> whose scores and vectors, and how a set is made of them; skill rows are closer together than questions
DIVERSE: dict[str, tuple[str, Pick]] = {
    "mmr": ("question", diverse.mmr),
    "dpp": ("question", diverse.dpp),
    "skillshot_mmr": ("skillshot", partial(diverse.mmr, balance=0.8)),
}
SERVED = frozenset({"skillshot", "lite"})  # what a bundle's Selector does
DRAW = re.compile(r"random-([2-9]|[1-9]\d+)")  # further draws of `random`, which is the first
# every selector that asks no language model
FREE = ("zero-shot", *NAMES, "random-N", *DIVERSE, *adapters.NAMES)


def choose_rows(pool: Pool, queries: Sequence[Record], name: str, k: int) -> list[Rows]:
    """Rows of the k best demonstrations for each query, best first, the query's own twin left out.

    `mmr` and `dpp` weigh question cosine against likeness of the questions, `skillshot_mmr` the skill's cosine against
    likeness of the skill rows; `random-2`, `random-3` are more draws.

    Raises:
        InputError: an unknown selector, or an adapter whose package is not there.
    """
    if name in adapters.NAMES:
        return adapters.choose_rows(pool, queries, name, k)
    if draw := DRAW.fullmatch(name):
        first, pool.seed = pool.seed, pool.seed + int(draw.group(1)) - 1
        try:
            return choose_rows(pool, queries, "random", k)
        finally:
            pool.seed = first
    if name not in (*NAMES, *DIVERSE):
        raise InputError(f"selector {name!r}: choose from {', '.join(FREE)}")
    rows = []
    for start in range(0, len(queries), CHUNK):
        part = queries[start : start + CHUNK]
        allowed = pool.allowed(part)
        if name in DIVERSE:
            base, pick = DIVERSE[name]
            scores, vectors = pool.scores(base, part), pool.vectors(base)
            rows += [pick(scores[i], vectors, k, allowed=allowed[i]) for i in range(len(part))]
        else:
            scores = pool.scores(name, part)
            if name in SERVED:
                rows += [_served(pool, scores[i], k, allowed[i]) for i in range(len(part))]
            else:
                rows += [top_k(scores[i], k, allowed[i]) for i in range(len(part))]
    return rows


def _served(pool: Pool, scores: Floats, k: int, allowed: Mask) -> Rows:
    """As `Selector` chooses: near ties go to what is least alike."""
    rows = top_k(scores, max(CANDIDATES, k + 1), allowed)
    order = spread(scores[rows], pool.vectors("skillshot"), rows, pool.near_tie)
    taken = rows[list(islice(order, k))]
    return taken[np.argsort(-scores[taken], kind="stable")]


def choose_from(pool: Pool, queries: Sequence[Record], name: str, k: int) -> list[list[Record]]:
    """`choose_rows` as records; "zero-shot" chooses none."""
    if name == "zero-shot":
        return [[] for _ in queries]
    return [[pool.records[row] for row in rows] for rows in choose_rows(pool, queries, name, k)]


def choose(
    folder: str | PathLike[str], queries: Sequence[Record], names: Sequence[str] = NAMES, k: int = 4, seed: int = 0
) -> dict[str, list[list[Record]]]:
    """Demonstrations of each named selector for each query; "zero-shot" chooses none.

    Raises:
        InputError: an unknown selector; BundleError: a damaged bundle.
    """
    pool = Pool(folder, seed)
    return {name: choose_from(pool, queries, name, k) for name in names}
