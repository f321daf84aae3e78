"""Exact top-k against a full sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.runtime.index import top_k

numbers = st.floats(-1, 1, width=32) | st.sampled_from([0.0, 0.5, 1.0])


@given(st.lists(numbers, max_size=60), st.integers(0, 70), st.data())
def test_top_k_is_the_head_of_a_stable_sort(values: list[float], k: int, data: st.DataObject) -> None:
    scores = np.array(values, np.float32)
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))), bool)
    rows = [row for row in np.argsort(-scores, kind="stable") if allowed[row]]
    assert top_k(scores, k, allowed).tolist() == rows[:k]
    assert top_k(scores, k).tolist() == np.argsort(-scores, kind="stable")[:k].tolist()


@pytest.mark.parametrize("k", [0, -1])
def test_no_k_no_rows(k: int) -> None:
    assert top_k(np.ones(3, np.float32), k).size == 0
