"""Relevant *and* different demonstrations: MMR and a determinantal point process, on scores and vectors alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats, Rows
from skillshot.runtime.index import top_k

NEAR = 100  # candidates that take part: the best by score
EPSILON = 1e-9  # volume below which a candidate adds nothing new


def mmr(
    scores: Floats, vectors: Floats, k: int, balance: float = 0.5, allowed: npt.NDArray[np.bool_] | None = None
) -> Rows:
    """Maximal marginal relevance (Carbonell and Goldstein 1998): greedily the highest
    `balance * score - (1 - balance) * greatest similarity to the chosen`.

    Args:
        scores: (n,); vectors: (n, d) unit rows; balance: 1 is plain top-k, 0 looks at difference only.

    Returns:
        at most k different rows, in the order in which they were chosen.

    Raises:
        ValueError: balance outside 0..1.
    """
    if not 0 <= balance <= 1:
        raise ValueError(f"mmr: balance {balance}: expected 0 to 1")
    rows = top_k(scores, max(k, NEAR), allowed)
    near, relevance = vectors[rows], balance * scores[rows]
    closest = np.zeros(len(rows), np.float32)  # nothing is chosen: no penalty yet
    chosen: list[int] = []
    free = np.ones(len(rows), bool)
    while len(chosen) < min(k, len(rows)):
        value = np.where(free, relevance - (1 - balance) * closest, -np.inf)
        best = int(value.argmax())
        closest = near @ near[best] if not chosen else np.maximum(closest, near @ near[best])
        free[best] = False
        chosen.append(best)
    return rows[chosen]


def dpp(
    scores: Floats, vectors: Floats, k: int, strength: float = 4.0, allowed: npt.NDArray[np.bool_] | None = None
) -> Rows:
    """Greedy most probable set of a DPP with kernel L_ij = exp(strength * (s_i + s_j) / 2) (1 + v_i v_j) / 2.

    Fast greedy MAP by incremental Cholesky rows (Chen et al. 2018, arXiv 1709.05135). Duplicates of what is chosen
    have no volume left: once nothing else is there, the best by score follow. No row is chosen twice.

    Args:
        scores: (n,); vectors: (n, d) unit rows; strength: how much a score counts against difference.

    Returns:
        at most k different rows, in the order in which they were chosen.
    """
    rows = top_k(scores, max(k, NEAR), allowed)
    near = vectors[rows].astype(np.float64)
    relevance = strength * scores[rows].astype(np.float64)
    quality = np.exp((relevance - relevance.max(initial=-np.inf)) / 2) if len(rows) else relevance
    volume = quality**2  # L_ii, as the unit rows have similarity 1 to themselves
    factor = np.zeros((min(k, len(rows)), len(rows)))
    chosen: list[int] = []
    free = np.ones(len(rows), bool)
    while len(chosen) < len(factor):
        gains = np.where(free, volume, -np.inf)
        best = int(gains.argmax())
        if gains[best] <= EPSILON:
            chosen += [int(row) for row in np.flatnonzero(free)[: len(factor) - len(chosen)]]
            break
        step = len(chosen)
        kernel = quality * quality[best] * (1 + near @ near[best]) / 2
        factor[step] = (kernel - factor[:step, best] @ factor[:step]) / np.sqrt(gains[best])
        volume = volume - factor[step] ** 2
        free[best] = False
        chosen.append(best)
    return rows[chosen]
