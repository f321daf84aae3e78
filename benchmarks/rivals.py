"""Rivals that choose a set or align steps, as their papers define them: Set-BSR, vote-k, dynamic time warping.

They read embeddings and kinds of steps, and are measured by bench_rivals.py. They are no selectors of the package:
docs/results/steps.md has their figures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


def set_bsr(query: Floats, candidates: Sequence[Floats], k: int) -> Rows:
    """Greedy set with the highest BERTScore recall (Set-BSR; Gupta et al. 2023, arXiv 2305.14907).

    A set Z is worth the sum over the query's tokens x of the highest cosine of x with any token of any z in Z; all
    tokens have the same weight. Where no candidate adds anything, the cover starts again, as in the authors' code.

    Args:
        query: (t, d) unit token embeddings; candidates: of each the same, (t_j, d), t_j at least 1.

    Returns:
        positions of at most k different candidates, in the order in which they were chosen.
    """
    starts = np.cumsum([0, *map(len, candidates)])[:-1]
    recall = np.maximum.reduceat(query @ np.concatenate(candidates).T, starts, axis=1).T  # (candidates, t)
    nothing = np.full(len(query), -np.inf, np.float32)
    covered, chosen = nothing, list[int]()
    while len(chosen) < min(k, len(candidates)):
        value = np.maximum(recall, covered).sum(1)
        value[chosen] = -np.inf
        best = int(value.argmax())
        if chosen and covered is not nothing and value[best] <= covered.sum():
            covered = nothing
            continue
        chosen.append(best)
        covered = np.maximum(covered, recall[best])
    return np.array(chosen, np.intp)


def vote_k(scores: Floats, vectors: Floats, k: int, voices: int = 4, fade: float = 10.0) -> Rows:
    """Vote-k (Su et al. 2022, arXiv 2209.01975) among the candidates of one question.

    The paper chooses which rows of a bank to annotate, before there is a question: each row votes for its nearest, and
    its vote weighs fade^-n once n rows that it votes for are chosen. Here the weight is the candidate's own, times its
    similarity to the question, so that the next one chosen is near the question and not yet represented. Votes summed
    over the candidates, as in the paper, were worse on development halves of all five data sets.

    Args:
        scores: (n,) similarity to the question; vectors: (n, d) unit rows.
        voices: votes of each row, one of them for itself: of 64 the share that the paper has (150 of 3,000).

    Returns:
        positions of at most k different rows, in the order in which they were chosen.
    """
    votes = np.zeros((len(scores), len(scores)), bool)  # (voter, row)
    nearest = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")[:, :voices]
    np.put_along_axis(votes, nearest, True, axis=1)
    value, chosen = np.maximum(scores, 0).astype(np.float64), list[int]()
    while len(chosen) < min(k, len(scores)):
        free = value.copy()
        free[chosen] = -1
        chosen.append(int(free.argmax()))
        value /= np.where(votes[:, chosen[-1]], fade, 1)
    return np.array(chosen, np.intp)


def warped(sequence: Sequence[int], others: Sequence[Sequence[int]], cost: Floats) -> Floats:
    """Distance by dynamic time warping (Sakoe and Chiba 1978, symmetric form) of a sequence to others, (n,).

    A step along both sequences counts twice, and the sum is divided by both lengths; an empty sequence is infinitely
    far from all.

    Args:
        sequence, others: kinds of steps; cost: (kinds, kinds) between two kinds.
    """
    lengths = np.array([len(other) for other in others])
    if not sequence or not lengths.max(initial=0):
        return np.full(len(others), np.inf, np.float32)
    padded = np.zeros((len(others), int(lengths.max())), np.intp)
    for row, other in zip(padded, others, strict=True):
        row[: len(other)] = other
    # last[:, j]: cheapest path to the steps so far and the first j of the other; nothing is aligned with nothing
    last = np.full((len(others), padded.shape[1] + 1), np.inf, np.float32)
    last[:, 0] = 0
    for kind in sequence:
        local, now = cost[kind][padded], np.full_like(last, np.inf)
        for j in range(padded.shape[1]):
            c = local[:, j]
            now[:, j + 1] = np.minimum(np.minimum(now[:, j], last[:, j + 1]) + c, last[:, j] + 2 * c)
        last = now
    total = last[np.arange(len(others)), lengths]
    return np.where(lengths > 0, total / (len(sequence) + lengths), np.inf).astype(np.float32)


def sequence_of(expected: npt.NDArray[np.float64], place: npt.NDArray[np.float64]) -> list[int]:
    """The likeliest steps of a question in the bank's order: the expected number of all, rounded, at least one.

    Args:
        expected: (kinds,) number of steps of each kind; place: (kinds,) mean place of a kind in a rationale, 0 to 1.
    """
    left, found = expected.astype(np.float64, copy=True), list[int]()
    for _ in range(max(1, round(float(expected.sum())))):
        kind = int(left.argmax())
        left[kind] -= 1
        found.append(kind)
    return sorted(found, key=lambda kind: place[kind])
