"""Exact top-k over unit vectors: matrix products and a partial sort."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats, Mask, Rows

SHORT = 64  # coordinates read first
SHORT_FROM = 2000  # rows below which a full scan is as fast
SAMPLE = 4096  # rows from which the coordinates are learned
ROUNDING = np.float32(1e-5)  # exceeds the rounding error of a product


class Index(Protocol):
    """Finds the rows of a bank nearest to a query vector."""

    def search(self, vector: Floats, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Rows (at most k, best first) and their scores; `allowed` (n,): rows that may be returned."""
        ...


class ExactIndex:
    """Exact search over all rows, in time linear in the bank.

    In a large bank the `SHORT` principal coordinates are read first, a quarter of the bytes. The other coordinates of
    two rows add at most the product of their lengths (Cauchy-Schwarz). So only rows whose bound reaches the k-th best
    score are multiplied in full, and the result is that of a full scan.

    Args:
        vectors: unit rows (n, z), float32 (may be memory-mapped) or float16 (widened in memory: numpy multiplies
            half floats a hundred times slower).
        weights: (z,) of each coordinate in a score; those of most weight and spread are read first (None: equal).
    """

    def __init__(self, vectors: npt.NDArray[np.floating], weights: Floats | None = None) -> None:
        self.vectors: Floats = np.asarray(vectors, np.float32)
        self._axes: Floats | None = None
        count, width = self.vectors.shape
        if count >= SHORT_FROM and width > SHORT:
            sample = self.vectors[:: max(1, count // SAMPLE)]
            if weights is not None:
                sample = sample * weights
            _, axes = np.linalg.eigh(sample.T @ sample)
            self._axes = np.ascontiguousarray(axes[:, ::-1][:, :SHORT].T)
            self._short = self.vectors @ self._axes.T
            self._rest = _rest(self.vectors, self._short)

    def search(self, vector: Floats, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Rows and scores of the k nearest, best first; ties go to the lower row."""
        if self._axes is not None and 0 < k <= len(self.vectors) // 8:
            near = self._near(self._axes, vector, k, allowed)
            if len(near) <= len(self.vectors) // 8:
                scores = np.einsum("ij,j->i", self.vectors[near], vector)
                best = top_k(scores, k)
                return near[best], scores[best]
        scores = self.vectors @ vector
        rows = top_k(scores, k, allowed)
        return rows, scores[rows]

    def _near(self, axes: Floats, vector: Floats, k: int, allowed: Mask | None) -> Rows:
        """Rows that may be among the k best, ascending; all rows of `allowed` where those are at most k."""
        short = axes @ vector
        about = self._short @ short
        bound = self._rest * np.float32(math.sqrt(max(float(vector @ vector) - float(short @ short), 0.0)))
        bound += ROUNDING
        if allowed is not None:
            about = np.where(allowed, about, np.float32(-9))  # a product of unit rows is within [-1, 1]
        low = about - bound
        edge = np.partition(low, len(low) - k)[len(low) - k]
        bound += about
        near = np.flatnonzero(bound >= max(edge, np.float32(-3)))
        return near


def _rest(rows: Floats, short: Floats) -> Floats:
    """Length of the part of each row that the short coordinates leave out."""
    squares = np.einsum("ij,ij->i", rows, rows) - np.einsum("ij,ij->i", short, short)
    rest: Floats = np.sqrt(np.maximum(squares, 0), dtype=np.float32)
    return rest


def top_k(scores: Floats, k: int, allowed: Mask | None = None) -> Rows:
    """Rows of the k highest scores, best first; ties go to the lower row, so that the order is unique.

    Args:
        scores: (n,) float.
        allowed: (n,) rows that may be chosen (None: all).

    Returns:
        at most k rows; fewer where fewer are allowed.
    """
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    values = scores if allowed is None else scores[rows]
    if k <= 0 or not len(rows):
        return np.empty(0, np.intp)
    if k < len(rows):
        # everything tied with the k-th value is kept until the stable sort
        edge = np.partition(values, len(values) - k)[len(values) - k]
        near = np.flatnonzero(values >= edge)
        rows, values = rows[near], values[near]
    order = np.argsort(-values, kind="stable")[:k]
    return rows[order]
