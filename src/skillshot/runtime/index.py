"""Exact top-k over unit vectors: matrix products and a partial sort."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats, Mask, Rows

SHORT = 48  # coordinates read first
SHORT_FROM = 2000  # rows below which a full scan is as fast
SAMPLE = 4096  # rows from which the coordinates are learned
ROUNDING = 1e-5  # exceeds the rounding error of a product of rows of length 1


class Index(Protocol):
    """Finds the rows of a bank nearest to a query vector."""

    def search(self, vector: Floats, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Rows (at most k, best first) and their scores; `allowed` (n,): rows that may be returned."""
        ...


class ExactIndex:
    """Exact search over all rows, in time linear in the bank.

    In a large bank the `SHORT` principal coordinates are read first, an eighth of the bytes. The k rows that they rank
    first are multiplied in full: the k best score no less than the least of these. The other coordinates of two rows
    add at most the product of their lengths (Cauchy-Schwarz). So only rows whose bound reaches that score are
    multiplied in full, and the result is that of a full scan.

    The bound is closest where the parts of two rows have lengths in the same proportion. So it multiplies a coordinate
    by the root of its weight in the bank and divides by it in the query, which leaves the product as it is.

    Args:
        vectors: unit rows (n, z), float32 (may be memory-mapped) or float16 (widened in memory: numpy multiplies
            half floats a hundred times slower).
        weights: (z,) of each coordinate in a score, at least 0 (None: equal). A query that reads one of weight 0 is
            compared with all rows.
    """

    def __init__(self, vectors: npt.NDArray[np.floating], weights: Floats | None = None) -> None:
        self.vectors: Floats = np.asarray(vectors, np.float32)
        count, width = self.vectors.shape
        self._bound = None
        if count >= SHORT_FROM and width > SHORT:
            self._bound = _Bound(self.vectors, np.ones(width, np.float32) if weights is None else weights)

    def search(self, vector: Floats, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Rows and scores of the k nearest, best first; ties go to the lower row."""
        few = len(self.vectors) // 8
        if self._bound is not None and 0 < k <= few and self._bound.holds(vector):
            near = self._bound.near(vector, k, allowed)
            if len(near) <= few:
                scores = np.einsum("ij,j->i", self.vectors.take(near, 0), vector)
                best = top_k(scores, k)
                return near[best], scores[best]
        scores = self.vectors @ vector
        rows = top_k(scores, k, allowed)
        return rows, scores[rows]


class _Bound:
    """Upper bounds of the products of a query with rows (n, z), from few coordinates; see `ExactIndex`."""

    def __init__(self, rows: Floats, weights: Floats) -> None:
        self._rows = rows
        scale = np.sqrt(weights, dtype=np.float32)
        read = scale > 0
        self._unread, self._inverse = ~read, np.divide(1, scale, out=np.zeros_like(scale), where=read)
        sample = rows[:: max(1, len(rows) // SAMPLE)] * scale
        _, axes = np.linalg.eigh(sample.T @ sample)
        self._axes = np.ascontiguousarray(axes[:, ::-1][:, :SHORT].T)
        self._short = (self._axes * scale) @ rows.T  # a product reads (coordinates, n) faster than (n, coordinates)
        squares = np.einsum("ij,ij,j->i", rows, rows, np.square(scale))
        self._rest = np.sqrt(np.maximum(squares - np.einsum("ij,ij->j", self._short, self._short), 0))
        self._longest = math.sqrt(float(squares.max()))

    def holds(self, vector: Floats) -> bool:
        """Whether the query reads no coordinate that the bounds leave out."""
        return not vector[self._unread].any()

    def near(self, vector: Floats, k: int, allowed: Mask | None) -> Rows:
        """Rows that may be among the k best, ascending; all rows of `allowed` where those are at most k."""
        scaled = vector * self._inverse
        short, square = self._axes @ scaled, float(scaled @ scaled)
        about = short @ self._short
        if allowed is not None:
            about = np.where(allowed, about, np.float32(-np.inf))
        first = np.argpartition(about, len(about) - k)[len(about) - k :]
        first = first[about[first] > -np.inf]
        edge = float((self._rows.take(first, 0) @ vector).min()) if len(first) == k else float(np.finfo(np.float32).min)
        about += self._rest * np.float32(math.sqrt(max(square - float(short @ short), 0.0)))
        near = np.flatnonzero(about >= edge - ROUNDING * (1 + self._longest * math.sqrt(square)))
        return near


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
