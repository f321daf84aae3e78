"""Both modes judged on the bank: never by the question itself, nor by one with the same text."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.common.arrays import Floats
from skillshot.runtime.scoring import check_score
from skillshot.training import crossfit
from skillshot.training.axes import unit
from skillshot.training.confidence import Calibration
from skillshot.training.crossfit import Crossfit, judge_modes
from skillshot.training.learned import _folds
from skillshot.training.structure_head import FOLDS


def rows_of(count: int, width: int, seed: int) -> Floats:
    return unit(np.random.default_rng(seed).standard_normal((count, width)))


def judged(texts: list[str], target: Floats, structure: Floats | None = None, **options: object) -> Crossfit:
    """A bank whose wording is random; structure is predicted as it is, unless given."""
    n = len(texts)
    predicted = target if structure is None else structure
    sentence = rows_of(n, 9, 1)
    return judge_modes(
        texts, target, sentence, rows_of(n, 12, 2), rows_of(n, 7, 3),
        {"full": (predicted, sentence), "lite": (predicted, sentence)},
        **{"latent": True, "learned": True, "seed": 0} | options,
    )  # fmt: skip


def test_a_row_is_not_judged_by_itself() -> None:
    """Each rationale is like no other: only a row that finds itself would find a similar one."""
    found = judged([f"question {i}" for i in range(40)], np.eye(40, dtype=np.float32))
    for values in (found.modes["full"].quality, found.modes["lite"].quality, found.question, found.bm25):
        assert values.shape == (40,) and np.abs(values).max() < 1e-6


@pytest.mark.parametrize(
    "spelling", [str, str.upper, lambda text: f"  {text}\n", lambda text: text.replace(" ", "\u00a0")]
)
def test_a_row_is_not_judged_by_its_duplicate(spelling: object) -> None:
    texts = [f"question {i}" for i in range(30)]
    twice = [*texts, *(spelling(text) for text in texts)]  # type: ignore[operator]
    found = judged(twice, np.tile(np.eye(30, dtype=np.float32), (2, 1)))
    for values in (found.modes["full"].quality, found.modes["lite"].quality, found.question, found.bm25):
        assert values.shape == (60,) and np.abs(values).max() < 1e-6


def test_like_rationales_of_other_questions_are_found() -> None:
    kind = np.arange(60) % 6
    found = judged([f"question {i}" for i in range(60)], np.eye(6, dtype=np.float32)[kind])
    assert found.modes["full"].quality.mean() == pytest.approx(1)
    assert found.question.mean() < 0.5 and found.bm25.mean() < 0.5
    assert found.trust + 1e-6 >= 0.8 and found.lite_share == pytest.approx(1)


def test_what_was_not_learned_is_not_used() -> None:
    """Of a bank too small to learn from, the wording is all, and the sentence embedding all of it."""
    kind = np.arange(12) % 3
    found = judged([f"question {i}" for i in range(12)], np.eye(3, dtype=np.float32)[kind], latent=False, learned=False)
    for mode in ("full", "lite"):
        assert found.modes[mode].shares.numbers == (0, 0, 1, 0)
        assert found.modes[mode].calibration == Calibration()
    assert found.trust == 0


@pytest.mark.parametrize("n", [1, 2, 3, 5, 25])
def test_the_manifest_holds_every_judgement(n: int) -> None:
    found = judged(["the same question"] * n, rows_of(n, 4, 5), rows_of(n, 4, 6))
    score = {"widths": [4, 1, 9, 7]} | {mode: of.to_dict() for mode, of in found.modes.items()}
    check_score(json.loads(json.dumps(score, allow_nan=False)), "score")
    diagnostics = found.diagnostics()
    assert all(np.isfinite(value) for value in diagnostics.values()) and 0 <= diagnostics["trust"] <= 1


def test_the_judged_questions_are_a_sample_of_a_large_bank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossfit, "JUDGED", 30)
    kind = np.arange(80) % 4
    texts, target = [f"question {i}" for i in range(80)], np.eye(4, dtype=np.float32)[kind]
    one, again, other = (judged(texts, target, seed=seed) for seed in (0, 0, 1))
    assert one.question.shape == one.modes["full"].quality.shape == (30,)
    np.testing.assert_array_equal(one.question, again.question)
    assert not np.array_equal(one.question, other.question)


def test_no_question_helps_to_judge_itself() -> None:
    """The share of wording is chosen on one half and judged on the other, so noise does not look like quality."""
    gains = []
    for seed in range(8):
        target = rows_of(60, 20, 10 + seed)
        found = judged([f"question {i}" for i in range(60)], target, rows_of(60, 20, 90 + seed), latent=False)
        gains.append(found.modes["full"].quality.mean())
    assert abs(float(np.mean(gains))) < 0.02


@given(st.lists(st.sampled_from(["a b", "A  b", "a b ", "c", "C", "d?", "e", "f"]), max_size=30))
@settings(max_examples=60, deadline=None)
def test_equal_questions_are_in_one_fold(questions: list[str]) -> None:
    folds = _folds(questions)
    assert folds.shape == (len(questions),) and set(folds.tolist()) <= set(range(FOLDS))
    by_text: dict[str, set[int]] = {}
    for text, fold in zip(questions, folds.tolist(), strict=True):
        by_text.setdefault(" ".join(text.lower().split()), set()).add(fold)
    assert all(len(found) == 1 for found in by_text.values())


def test_folds_of_distinct_questions_are_equally_large() -> None:
    assert np.bincount(_folds([f"question {i}" for i in range(30)])).tolist() == [10, 10, 10]


@pytest.mark.parametrize(
    ("joint", "alone", "part"), [(0.05, 0.9, 0.0), (0.4, 0.4, crossfit.ALONE), (0.9, 0.05, crossfit.ALONE)]
)
def test_words_predict_along_unless_all_features_are_better_with_certainty(
    joint: float, alone: float, part: float
) -> None:
    """`joint` and `alone` are the noise in the two predictions of one of eight kinds."""
    rng = np.random.default_rng(0)
    target = np.eye(8, dtype=np.float32)[np.arange(160) % 8]
    noisy = [(target + spread * rng.standard_normal(target.shape)).astype(np.float32) for spread in (joint, alone)]
    texts = [f"question {i}" for i in range(160)]
    assert crossfit.words_alone(texts, target, *noisy, seed=0) == part
