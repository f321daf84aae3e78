"""MMR and DPP: different demonstrations, never one twice."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.common.arrays import Floats
from skillshot.runtime.index import top_k
from skillshot.selectors.sets import dpp, mmr


def unit(seed: int, n: int, d: int = 6) -> Floats:
    x = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 150), st.integers(0, 12), st.booleans())
def test_rows_are_distinct_allowed_and_as_many_as_there_are(seed: int, n: int, k: int, duplicates: bool) -> None:
    vectors = np.repeat(unit(seed, 1), n, axis=0) if duplicates else unit(seed, n)
    scores = vectors @ unit(seed + 1, 1)[0]
    allowed = np.random.default_rng(seed).random(n) < 0.7
    for rows in (mmr(scores, vectors, k, 0.4, allowed), dpp(scores, vectors, k, allowed=allowed)):
        assert len(set(rows.tolist())) == len(rows) == min(k, int(allowed.sum()))
        assert allowed[rows].all()


def test_a_duplicate_of_the_best_waits_behind_something_different() -> None:
    vectors = np.array([[1, 0], [1, 0], [0.8, 0.6], [0, 1]], np.float32)
    scores = np.array([0.9, 0.9, 0.8, 0.1], np.float32)
    assert top_k(scores, 2).tolist() == [0, 1]
    assert mmr(scores, vectors, 2, 0.6).tolist() == dpp(scores, vectors, 2).tolist() == [0, 2]


def test_mmr_with_balance_one_is_top_k_and_refuses_more() -> None:
    vectors = unit(3, 40)
    scores = vectors @ unit(4, 1)[0]
    assert mmr(scores, vectors, 5, 1.0).tolist() == top_k(scores, 5).tolist()
    with pytest.raises(ValueError, match=r"balance 1.5: expected 0 to 1"):
        mmr(scores, vectors, 5, 1.5)


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_dpp_takes_the_greatest_determinant_step_by_step(seed: int) -> None:
    vectors = unit(seed, 8)
    scores = vectors @ unit(seed + 1, 1)[0]
    quality = np.exp(2.0 * scores)
    kernel = np.outer(quality, quality) * (1 + vectors @ vectors.T) / 2
    chosen: list[int] = []
    for _ in range(3):
        gains = [
            -np.inf if row in chosen else np.linalg.det(kernel[np.ix_([*chosen, row], [*chosen, row])])
            for row in range(8)
        ]
        chosen.append(int(np.argmax(gains)))
    assert dpp(scores, vectors, 3).tolist() == chosen


def test_chosen_sets_are_more_different_than_the_top() -> None:
    vectors = np.concatenate([unit(1, 5), unit(1, 5) + 0.05 * unit(2, 5), unit(1, 5) + 0.05 * unit(5, 5), unit(9, 40)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = vectors @ vectors[0]

    def similarity(rows: list[int]) -> float:
        return float(np.mean([vectors[a] @ vectors[b] for a, b in combinations(rows, 2)]))

    plain = similarity(top_k(scores, 4).tolist())
    assert similarity(mmr(scores, vectors, 4, 0.5).tolist()) < plain - 0.05
    assert similarity(dpp(scores, vectors, 4).tolist()) < plain - 0.05
