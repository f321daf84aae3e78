"""Exact top-k over unit vectors: one matrix product and a partial sort."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from skillshot.runtime.onnx import Floats

Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


class Index(Protocol):
    """Finds the rows of a bank nearest to a query vector."""

    def search(self, vector: Floats, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Rows (at most k, best first) and their scores; `allowed` (n,): rows that may be found."""
        ...


class ExactIndex:
    """Every row is scored: the right answer, in time that grows with the bank.

    Args:
        vectors: unit rows (n, z), float32 (may be memory-mapped) or float16 (widened in memory: numpy multiplies
            half floats a hundred times slower).
    """

    def __init__(self, vectors: npt.NDArray[np.floating]) -> None:
        self.vectors: Floats = np.asarray(vectors, np.float32)

    def search(self, vector: Floats, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Rows and scores of the k nearest, best first; ties go to the lower row."""
        scores = self.vectors @ vector
        rows = top_k(scores, k, allowed)
        return rows, scores[rows]


def top_k(scores: Floats, k: int, allowed: Mask | None = None) -> Rows:
    """Rows of the k highest scores, best first; ties go to the lower row, so the order is one.

    Args:
        scores: (n,) float; `allowed`: (n,) rows that may be chosen (None: all).

    Returns:
        at most k rows; fewer when fewer are allowed.
    """
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    values = scores if allowed is None else scores[rows]
    if k <= 0 or not len(rows):
        return np.empty(0, np.intp)
    if k < len(rows):
        # the k-th value decides; everything tied with it stays in until the stable sort
        edge = np.partition(values, len(values) - k)[len(values) - k]
        near = np.flatnonzero(values >= edge)
        rows, values = rows[near], values[near]
    order = np.argsort(-values, kind="stable")[:k]
    return rows[order]
