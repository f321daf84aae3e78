"""Choose a set of demonstrations that is right also where the prediction is not.

The true rationale of the question is one of the candidates' or like one; how likely each is, follows from the scores
and the doubt of the model. A set is worth the mean score of its members and the expected similarity of its best member
to the true rationale. That is submodular in the set, so a greedy choice reaches at least 1 - 1/e of the best value
(Nemhauser, Wolsey & Fisher, 1978). Where the model is sure, the best scores are taken; where it is not, demonstrations
of several procedures; and of equal ones the least similar.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skillshot.common.arrays import Doubles, Floats, Rows

CANDIDATES = 64  # rows that are considered, best scores first
HEDGE = 0.5  # weight of the expected best similarity against the mean score (docs/results/doubt.md)


def hedge(scores: Floats, rows: Floats, weights: Floats, doubt: float, k: int, share: float = HEDGE) -> Iterator[int]:
    """Positions in order of choice; first those of a set of k, then the others by score.

    Args:
        scores: (n,) best first.
        rows: (n, z) vectors of the candidates; only the first `CANDIDATES` are read.
        weights: (z,) of each coordinate (`Scoring.weights`).
        doubt: variance of the prediction, in units of the score.
        share: weight of the expected best similarity (0: plain order by score).
    """
    count = min(len(scores), CANDIDATES)
    taken: list[int] = []
    if share > 0 and k > 1 and count > k:
        first = scores[:count].astype(np.float64)
        similar = np.maximum(_similarity(rows[:count], weights), 0)
        likely = np.exp((first - first[0]) / doubt)
        likely /= likely.sum()
        value = (1 - share) / k * first
        covered = np.zeros(count)
        for _ in range(k):
            # a sum of rows: columns that are equal have equal sums, whatever the machine's matrix product does
            gain = value + share * (likely[:, None] * np.maximum(similar, covered[:, None])).sum(0)
            gain[taken] = -np.inf
            place = int(gain.argmax())
            taken.append(place)
            np.maximum(covered, similar[:, place], out=covered)
            yield place
    seen = set(taken)
    yield from (place for place in range(len(scores)) if place not in seen)


def _similarity(rows: Floats, weights: Floats) -> Doubles:
    """Similarity of each two rows, (n, n).

    Coordinates of one weight are multiplied together, so that the products of a slim bundle's rows are exact.
    """
    ends = np.append(np.flatnonzero(np.diff(weights)) + 1, len(weights))
    similar = np.zeros((len(rows), len(rows)))
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        if weights[start] > 0:
            part = rows[:, start:end]
            similar += np.float64(weights[start]) * (part @ part.T)
    return similar


def chosen_rows(scores: Floats, vectors: Floats, rows: Rows, weights: Floats, doubt: float, k: int) -> Rows:
    """The k rows of a hedged choice, best score first; `rows` (n,) are candidates with `scores` (n,), best first."""
    order = hedge(scores, vectors[rows[:CANDIDATES]], weights, doubt, k)
    taken = np.array([place for place, _ in zip(order, range(k), strict=False)], np.intp)
    return rows[np.sort(taken)]
