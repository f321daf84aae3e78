"""Wrong rationales are found on the bank itself, and rows of a sound bank are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.common.arrays import Floats
from skillshot.common.record import Record
from skillshot.training.suspects import COMPUTES, STATES, UNFIT, contradictions, demote, suspects
from skillshot.training.suspicion import BET, FEWEST, MOST, _words, _wrong, wrong_rows

ROWS = 240
THINGS = ["apples", "boats", "coins", "drums", "eggs", "flutes", "grapes", "hats", "inks", "jars", "kites", "lamps"]


def bank(seed: int, damaged: float = 0.0) -> tuple[list[str], list[str], Floats, Floats, np.ndarray]:
    """Questions, rationales, cross-fitted and true structure, and which rationales are another row's."""
    rng = np.random.default_rng(seed)
    kind, thing = rng.integers(0, 12, ROWS), rng.integers(0, len(THINGS), ROWS)
    number = rng.integers(100, 999, ROWS)
    questions = [f"Question of kind {k}: {THINGS[t]} {n}?" for k, t, n in zip(kind, thing, number, strict=True)]
    rationales = [f"{THINGS[t]} {n}.0 by rule {k}" for k, t, n in zip(kind, thing, number, strict=True)]
    truth = np.eye(12, dtype=np.float32)[kind]
    predicted = (truth + rng.normal(0, 0.3, truth.shape)).astype(np.float32)
    rows = rng.permutation(ROWS)[: int(damaged * ROWS)]
    moved = np.roll(rows, 1)
    texts, target = list(rationales), truth.copy()
    for row, other in zip(rows, moved, strict=True):
        texts[row], target[row] = rationales[other], truth[other]
    wrong = np.zeros(ROWS, bool)
    wrong[rows] = True
    return questions, texts, predicted, target, wrong


@pytest.mark.parametrize("seed", range(3))
def test_no_row_of_a_sound_bank_is_held_for_wrong(seed: int) -> None:
    questions, texts, predicted, target, _ = bank(seed)
    assert (wrong_rows(questions, texts, predicted, target, seed) < BET).all()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_exchanged_rationales_are_found(share: float) -> None:
    questions, texts, predicted, target, wrong = bank(1, share)
    held = wrong_rows(questions, texts, predicted, target, 0) >= BET
    assert (held & wrong).sum() >= 0.7 * wrong.sum()
    assert (held & ~wrong).sum() <= 0.05 * wrong.sum()


def test_rationales_that_have_nothing_to_do_with_their_questions_are_not_all_wrong() -> None:
    rng = np.random.default_rng(0)
    texts = [f"text {i}" for i in rng.permutation(ROWS)]
    rows = rng.standard_normal((2, ROWS, 5)).astype(np.float32)
    assert not wrong_rows([f"question {i}" for i in range(ROWS)], texts, *rows, 0).any()


def test_nothing_is_concluded_from_few_rows() -> None:
    questions, texts, predicted, target, _ = bank(0, 0.5)
    few = slice(FEWEST - 1)
    assert not wrong_rows(questions[few], texts[few], predicted[few], target[few], 0).any()


@pytest.mark.parametrize("texts", [["same"] * ROWS, [""] * ROWS, ["...", "!!"] * (ROWS // 2)])
def test_dull_banks_are_no_error(texts: list[str]) -> None:
    nothing = np.zeros((ROWS, 3), np.float32)
    assert not wrong_rows(texts, texts, nothing, nothing, 0).any()


@given(st.integers(0, 1000), st.integers(FEWEST, 500))
@settings(max_examples=50, deadline=None)
def test_uniform_p_values_are_nobody_and_probabilities_fall_with_fit(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    assert not _wrong(rng.uniform(0, 1, count)).any(), f"more than {MOST} of the rows would be wrong"
    mixed = np.concatenate([rng.uniform(0, 1, count // 5), rng.uniform(0, 0.01, count - count // 5)])
    found = _wrong(mixed)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found[np.argsort(mixed)]) >= -1e-9).all(), "a better fit is never more suspicious"


def test_words_are_compared_in_any_script_and_numbers_by_value() -> None:
    assert _words("732 Girls, 1,000 girl's") >= {"732", "1000", "girls"[:5]}
    assert _words("( 732.0 + 5.50 )") == {"732", "5.50"}
    assert _words("사과는") & _words("사과를") == {"사과"}


def record(identity: str, rationale: str, answer: str) -> Record:
    return Record(identity, "How many?", rationale, answer, answer_type="number")


def test_a_row_that_contradicts_itself_is_listed_with_its_reason() -> None:
    rows = [record(str(i), f"3 + {i} = {i + 3}. The answer is {i + 3}.", str(i + 3)) for i in range(8)]
    rows[2] = record("odd", "3 + 2 = 5. The answer is 5.", "9")
    rows[5] = record("sum", "3 + 5 = 9", "9")
    found = contradictions(rows)
    assert set(found) == {2, 5}
    assert found[2].score == STATES and "'5'" in found[2].reason and "'9'" in found[2].reason
    assert found[5].score == COMPUTES and "is 8, not 9" in found[5].reason


def test_a_bank_whose_answers_are_not_what_its_rationales_state_is_left_alone() -> None:
    rows = [record(str(i), f"The answer is {i}.", str(i + 100)) for i in range(10)]
    assert contradictions(rows) == {}


def test_suspects_are_listed_worst_first_and_once() -> None:
    rows = [record(str(i), "", str(i)) for i in range(5)]
    known = contradictions([rows[0], record("1", "The answer is 4.", "1"), *rows[2:]])
    wrong = np.array([0.1, 0.99, 0.6, 0.99, BET - 0.01])
    found = suspects(rows, known, wrong)
    assert [(one.id, one.score) for one in found] == [("3", 0.99), ("1", STATES), ("2", 0.6)]
    assert found[0].reason == UNFIT and "states" in found[1].reason


def test_rows_held_for_wrong_score_less_and_stay_unit() -> None:
    rows = np.random.default_rng(0).standard_normal((3, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = rows.copy()
    demote(found, np.array([0.0, BET - 0.01, 0.9]))
    np.testing.assert_array_equal(found[:2], rows[:2])
    np.testing.assert_allclose(found[2, :-1], 0.1 * rows[2, :-1], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
