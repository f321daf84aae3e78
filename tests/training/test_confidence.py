"""Calibration: a rising curve that says how often a choice is right, on made-up similarities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.common.arrays import Floats
from skillshot.runtime.scoring import PRIOR, Scoring, check_score
from skillshot.training.blend import Similarities, best
from skillshot.training.confidence import FEWEST, KNOTS, STEPS, Calibration, calibrate


def procedures(rows: int, kinds: int, spread: float, seed: int = 0) -> tuple[Similarities, Floats]:
    """A bank of equally frequent procedures; predictions are right but for the spread. Also (m, n): the same one."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(rows) % kinds
    same = (kind[:, None] == kind[None, :]).astype(np.float32)
    truth = np.clip(same * 0.9 + 0.05 * rng.standard_normal(same.shape), -1, 1).astype(np.float32)
    structure = (truth + spread * rng.standard_normal(same.shape)).astype(np.float32) / (1 + 4 * spread)
    sentence = rng.uniform(0, 1, same.shape).astype(np.float32)
    return Similarities(structure, sentence, sentence, truth, np.eye(rows, dtype=bool)), same


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_the_curve_says_how_often_a_choice_is_right(spread: float) -> None:
    found, same = procedures(300, 6, spread)
    curve = calibrate(found, 0.0, 1.0)
    fresh, truth = procedures(300, 6, spread, seed=1)
    scores = fresh.score(0.0, 1.0)
    chosen = best(scores)
    stated = np.interp(np.take_along_axis(scores, chosen, 1), curve.at, curve.value)
    assert float(stated.mean()) == pytest.approx(float(np.take_along_axis(truth, chosen, 1).mean()), abs=0.06)
    assert same.mean() < 0.2, "a random choice is seldom right"


@given(st.integers(FEWEST, 120), st.floats(0, 2), st.floats(0, 1), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_a_calibration_is_what_the_manifest_may_hold(rows: int, spread: float, wording: float, seed: int) -> None:
    curve = calibrate(procedures(rows, 4, spread, seed)[0], wording, 1.0)
    assert len(curve.at) == len(curve.value) <= KNOTS and len(curve.near) == len(STEPS)
    for values in (curve.at, curve.value, curve.near):
        assert list(values) == sorted(values) and np.isfinite(values).all()
    assert min(curve.value) >= 0 and max(curve.value) <= 1
    mode = {
        "shares": [0.5, 0, 0.5, 0], "doubt": 0.1,
        "confidence": {"at": list(curve.at), "value": list(curve.value), "near": list(curve.near)},
    }  # fmt: skip
    check_score({"widths": [1, 1, 1, 1], "full": mode, "lite": mode}, "score")


def test_a_prediction_longer_than_its_target_stays_in_the_manifests_range() -> None:
    found, _ = procedures(60, 3, 0.1)
    longer = Similarities(5 * found.structure, 5 * found.sentence, found.words, found.truth, found.same)
    curve = calibrate(longer, 0.5, 1.0)
    assert max(curve.at) == max(curve.near) == 2 and list(curve.at) == sorted(curve.at)


def test_nothing_is_certain() -> None:
    """One success and one failure are added, so a bank of one procedure does not promise it for every question."""
    for spread in (0.0, 1.0):
        curve = calibrate(procedures(60, 3, spread)[0], 0.0, 1.0)
        assert curve.value[0] > 0 and curve.value[-1] < 1


def test_a_few_questions_are_not_calibrated() -> None:
    curve = calibrate(procedures(FEWEST - 1, 3, 0.1)[0], 0.0, 1.0)
    assert curve == Calibration((), (), ())
    mode = {"shares": [1, 0, 0, 0], "doubt": 0.1, "confidence": {"at": [], "value": [], "near": []}}
    scoring = Scoring.of({"widths": [1, 1, 1, 1], "full": mode, "lite": mode}, "full")
    assert scoring.confidence(np.ones(5, np.float32), np.ones((2, 5), np.float32), 0.3).tolist() == [PRIOR, PRIOR]


@pytest.mark.parametrize("kinds", [1, 60])
def test_a_bank_of_one_procedure_or_of_none_twice_is_calibrated(kinds: int) -> None:
    curve = calibrate(procedures(60, kinds, 0.1)[0], 0.2, 1.0)
    assert len(curve.at) > 0 and np.isfinite(curve.value).all()


def test_equal_similarities_are_calibrated() -> None:
    equal = np.full((40, 40), 0.5, np.float32)
    curve = calibrate(Similarities(equal, equal, equal, equal, np.eye(40, dtype=bool)), 0.5, 0.5)
    assert list(curve.at) == sorted(curve.at) and list(curve.near) == sorted(curve.near)
    assert np.isfinite(curve.value).all()
