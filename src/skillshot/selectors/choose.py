"""Choices of every selector for a set of queries: bank rows or records, best first."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy as np
import numpy.typing as npt

from skillshot.bank.record import Record
from skillshot.runtime.index import top_k
from skillshot.selectors.pool import NAMES, Pool

CHUNK = 256  # queries scored at once, so that memory stays at CHUNK x bank floats


def choose_rows(pool: Pool, queries: Sequence[Record], name: str, k: int) -> list[npt.NDArray[np.intp]]:
    """Rows of the k best demonstrations for each query, best first, the query's own twin left out."""
    rows = []
    for start in range(0, len(queries), CHUNK):
        part = queries[start : start + CHUNK]
        scores, allowed = pool.scores(name, part), pool.allowed(part)
        rows += [top_k(scores[i], k, allowed[i]) for i in range(len(part))]
    return rows


def choose(
    folder: str | PathLike[str], queries: Sequence[Record], names: Sequence[str] = NAMES, k: int = 4, seed: int = 0
) -> dict[str, list[list[Record]]]:
    """Demonstrations of each named selector for each query; "zero-shot" chooses none.

    Raises:
        InputError: an unknown selector; BundleError: a damaged bundle.
    """
    pool = Pool(folder, seed)
    return {
        name: [[] for _ in queries]
        if name == "zero-shot"
        else [[pool.records[row] for row in rows] for rows in choose_rows(pool, queries, name, k)]
        for name in names
    }
