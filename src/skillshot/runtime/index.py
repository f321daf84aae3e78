"""Exact top-k over unit vectors: one matrix product and a partial sort."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skillshot.runtime.onnx import Floats

Rows = npt.NDArray[np.intp]


def top_k(scores: Floats, k: int, allowed: npt.NDArray[np.bool_] | None = None) -> Rows:
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
