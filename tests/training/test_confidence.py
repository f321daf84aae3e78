"""Calibration: a logistic curve that says how often a choice is right, on made-up similarities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.common.arrays import Floats
from skillshot.common.evidence import evidence
from skillshot.runtime.scoring import Scoring, check_score
from skillshot.training.blend import Similarities, best
from skillshot.training.confidence import FEWEST, FLATTEST, LEAST, STEPS, Calibration, calibrate

DOUBT = 0.1


def procedures(rows: int, kinds: int, spread: float, seed: int = 0) -> tuple[Similarities, Floats]:
    """A bank of equally frequent procedures; predictions are right but for the spread. Also (n, t): its structure."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(rows) % kinds
    target = np.eye(kinds, dtype=np.float32)[kind]
    truth = target @ target.T
    structure = (truth + spread * rng.standard_normal(truth.shape)).astype(np.float32) / (1 + 4 * spread)
    sentence = rng.uniform(0, 1, truth.shape).astype(np.float32)
    return Similarities(structure, sentence, sentence, truth, np.eye(rows, dtype=bool)), target


def stated(curve: Calibration, found: Similarities, target: Floats) -> tuple[Floats, Floats]:
    """Probability of each chosen row by a curve, and whether it is right."""
    scores = found.score(0.0, 1.0)
    chosen, near = best(scores), best(scores, 64)
    similar = target[chosen] @ target[near].swapaxes(1, 2)
    likely = np.take_along_axis(scores, near, 1)
    at = evidence(np.take_along_axis(scores, chosen, 1), likely, similar, DOUBT)
    return 1 / (1 + np.exp(-curve.offset - curve.slope * at)), np.take_along_axis(found.truth, chosen, 1)


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_the_curve_says_how_often_a_choice_is_right(spread: float) -> None:
    curve = calibrate(*procedures(300, 6, spread), 0.0, 1.0, DOUBT)
    probability, right = stated(curve, *procedures(300, 6, spread, seed=1))
    assert float(probability.mean()) == pytest.approx(float(right.mean()), abs=0.06)


def test_agreement_of_the_candidates_ranks_better_than_the_score() -> None:
    """Where single predictions are noisy, the procedure that many likely rows share is the right one."""
    found, target = procedures(300, 6, 1.0)
    probability, right = stated(calibrate(found, target, 0.0, 1.0, DOUBT), found, target)
    scores = np.take_along_axis(found.score(0.0, 1.0), best(found.score(0.0, 1.0)), 1)

    def precision(ranks: Floats) -> float:
        return float(right.ravel()[np.argsort(-ranks.ravel())[: right.size // 4]].mean())

    assert precision(probability) > precision(scores) + 0.02


@given(st.integers(FEWEST, 120), st.floats(0, 2), st.floats(0, 1), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_a_calibration_is_what_the_manifest_may_hold(rows: int, spread: float, wording: float, seed: int) -> None:
    curve = calibrate(*procedures(rows, 4, spread, seed), wording, 1.0, DOUBT)
    assert len(curve.near) == len(STEPS) and list(curve.near) == sorted(curve.near)
    assert np.isfinite([curve.offset, curve.slope, *curve.near]).all() and curve.slope >= 0
    check_score({"widths": [1, 1, 1, 1], "full": mode_of(curve), "lite": mode_of(curve)}, "score")


def mode_of(curve: Calibration) -> dict[str, object]:
    """A mode of the manifest with this curve."""
    confidence = {"offset": curve.offset, "slope": curve.slope, "near": list(curve.near)}
    return {"shares": [0.5, 0, 0.5, 0], "doubt": DOUBT, "confidence": confidence}


def test_a_prediction_longer_than_its_target_stays_in_the_manifests_range() -> None:
    found, target = procedures(60, 3, 0.1)
    longer = Similarities(5 * found.structure, 5 * found.sentence, found.words, found.truth, found.same)
    curve = calibrate(longer, target, 0.5, 1.0, DOUBT)
    assert max(curve.near) == 2 and list(curve.near) == sorted(curve.near)


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_nothing_is_certain(spread: float) -> None:
    """The slope has a penalty, so a bank of right choices does not promise them for every question."""
    found, target = procedures(60, 3, spread)
    probability, _ = stated(calibrate(found, target, 0.0, 1.0, DOUBT), found, target)
    assert probability.min() > 0 and probability.max() < 1 - 1e-4


def test_a_few_questions_are_not_calibrated() -> None:
    curve = calibrate(*procedures(FEWEST - 1, 3, 0.1), 0.0, 1.0, DOUBT)
    assert curve == Calibration(0, 0, ())
    scoring = Scoring.of({"widths": [1, 1, 1, 1], "full": mode_of(curve), "lite": mode_of(curve)}, "full")
    rows = np.ones((2, 5), np.float32)
    assert scoring.confidence(np.ones(5, np.float32), rows, rows).tolist() == [0.5, 0.5]


def test_confidence_still_rises_where_higher_scores_are_worse() -> None:
    """By chance, in a small bank: then it is nearly flat, but breaks ties as the evidence does."""
    level = np.linspace(0, 1, 40, dtype=np.float32)[:, None] * np.ones((1, 40), np.float32)
    truth = (level < 0.5).astype(np.float32)
    found = Similarities(level, level, level, truth, np.eye(40, dtype=bool))
    curve = calibrate(found, np.eye(40, dtype=np.float32), 0.0, 1.0, DOUBT)
    assert 0 < curve.slope <= FLATTEST / LEAST


@pytest.mark.parametrize("kinds", [1, 60])
def test_a_bank_of_one_procedure_or_of_none_twice_is_calibrated(kinds: int) -> None:
    """It still ranks its rows: more evidence is never less confidence, and mostly more."""
    found, target = procedures(60, kinds, 0.1)
    curve = calibrate(found, target, 0.2, 1.0, DOUBT)
    probability, right = stated(curve, found, target)
    assert len(curve.near) > 0 and curve.slope > 0
    assert float(probability.mean()) == pytest.approx(float(right.mean()), abs=0.05)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_equal_similarities_are_calibrated() -> None:
    equal, rows = np.full((40, 40), 0.5, np.float32), np.ones((40, 3), np.float32)
    for same in (np.eye(40, dtype=bool), np.ones((40, 40), bool)):
        curve = calibrate(Similarities(equal, equal, equal, equal, same), rows, 0.5, 0.5, DOUBT)
        assert list(curve.near) == sorted(curve.near) and np.isfinite([curve.offset, curve.slope]).all()
