"""Evidence: the score, and the agreement of the other likely rows, weighted by how likely they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.common.evidence import AGREEMENT, FLATTER, evidence

DOUBT = 0.1


def test_it_is_the_score_plus_the_expected_similarity() -> None:
    scores = np.array([0.8, 0.5], np.float32)
    odds = float(np.exp(0.3 / (FLATTER * DOUBT)))
    similar = np.array([[1.0, 0.2], [0.2, 1.0]], np.float32)
    expected = [0.8 + AGREEMENT * (odds + 0.2) / (odds + 1), 0.5 + AGREEMENT * (0.2 * odds + 1) / (odds + 1)]
    assert evidence(scores, scores, similar, DOUBT).tolist() == pytest.approx(expected)


def test_an_unlikely_row_has_no_say() -> None:
    scores = np.array([0.8, -1000], np.float32)
    for similarity in (-1, 1):
        similar = np.array([[1, similarity]], np.float32)
        assert evidence(scores[:1], scores, similar, 1e-6).tolist() == pytest.approx([0.8 + AGREEMENT])


@given(st.integers(1, 5), st.integers(1, 9), st.floats(1e-6, 10), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_several_questions_are_judged_as_each_alone(k: int, n: int, doubt: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    chosen, scores, similar = (rng.uniform(-1, 1, shape).astype(np.float32) for shape in ((3, k), (3, n), (3, k, n)))
    found = evidence(chosen, scores, similar, doubt)
    assert found.shape == (3, k) and (np.abs(found - chosen) <= AGREEMENT + 1e-6).all()
    for i in range(3):
        np.testing.assert_allclose(found[i], evidence(chosen[i], scores[i], similar[i], doubt), atol=1e-6)
