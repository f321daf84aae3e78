"""Exact top-k against a full sort."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.runtime.index import ExactIndex, Floats, top_k

numbers = st.floats(-1, 1, width=32) | st.sampled_from([0.0, 0.5, 1.0])


@given(st.lists(numbers, max_size=60), st.integers(0, 70), st.data())
def test_top_k_equals_the_head_of_a_stable_sort(values: list[float], k: int, data: st.DataObject) -> None:
    scores = np.array(values, np.float32)
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))), bool)
    rows = [row for row in np.argsort(-scores, kind="stable") if allowed[row]]
    assert top_k(scores, k, allowed).tolist() == rows[:k]
    assert top_k(scores, k).tolist() == np.argsort(-scores, kind="stable")[:k].tolist()


def rows_of(kind: str, seed: int) -> Floats:
    """Unit rows: skills (clouds), no structure, few distinct rows (ties), and equal rows."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((30, 160)) if kind != "noise" else rng.standard_normal((3000, 160))
    rows = centres[rng.integers(0, len(centres), 3000)]
    if kind == "clouds":
        rows = rows + 0.4 * rng.standard_normal(rows.shape)
    if kind == "same":
        rows = np.repeat(rows[:1], 3000, 0)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@functools.cache
def indexed(kind: str) -> tuple[Floats, ExactIndex]:
    """An index takes far longer to build than to search."""
    vectors = rows_of(kind, 0)
    return vectors, ExactIndex(vectors)


@pytest.mark.parametrize("kind", ["clouds", "noise", "ties", "same"])
@pytest.mark.parametrize("k", [1, 4, 300, 2999, 5000])
@pytest.mark.parametrize("filtered", [False, True])
def test_short_coordinates_find_what_a_full_scan_finds(kind: str, k: int, filtered: bool) -> None:
    (vectors, index), rng = indexed(kind), np.random.default_rng(1)
    assert index._bound is not None
    for share in (0.5, 0.001) if filtered else (1.0,):
        allowed = rng.random(len(vectors)) < share if filtered else None
        for query in (vectors[5], rows_of("noise", 2)[0], -vectors[7]):
            rows, scores = index.search(query, k, allowed)
            exact = np.einsum("ij,j->i", vectors, query)
            wanted = top_k(exact, k, allowed)
            np.testing.assert_allclose(scores, exact[wanted], atol=1e-6)
            assert len(set(rows.tolist())) == len(wanted) and (allowed is None or allowed[rows].all())
            if kind in ("clouds", "noise") and k <= 4:
                assert rows.tolist() == wanted.tolist()
            if kind == "same" and k <= 300:
                assert rows.tolist() == wanted.tolist(), "ties go to the lower row"


@pytest.mark.parametrize("kind", ["clouds", "noise"])
@pytest.mark.parametrize("reads", ["what has weight", "all"])
def test_weights_change_no_result(kind: str, reads: str) -> None:
    vectors, rng = rows_of(kind, 0), np.random.default_rng(4)
    width = vectors.shape[1]
    weights = np.repeat(np.array([2.4, 0.04, 1.56, 0], np.float32), -(-width // 4))[:width]
    index = ExactIndex(vectors, weights)
    assert index._bound is not None
    for row in rng.integers(0, len(vectors), 20):
        query = vectors[row] * (weights if reads != "all" else 1)
        assert index._bound.holds(query) == (reads != "all")
        rows, scores = index.search(query, 65)
        exact = np.einsum("ij,j->i", vectors, query)
        np.testing.assert_allclose(scores, np.sort(exact)[::-1][:65], atol=1e-6)
        assert rows.tolist() == top_k(exact, 65).tolist()
        if reads != "all":
            assert len(index._bound.near(query, 65, None)) < len(vectors)


def test_half_floats_are_widened() -> None:
    vectors = rows_of("clouds", 3).astype(np.float16)
    rows, scores = ExactIndex(vectors).search(vectors[9].astype(np.float32), 1)
    assert rows.tolist() == [9] and scores.dtype == np.float32


@pytest.mark.parametrize("k", [0, -1])
def test_no_rows_without_a_positive_k(k: int) -> None:
    assert top_k(np.ones(3, np.float32), k).size == 0
