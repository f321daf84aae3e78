"""What may be asked of a selection: anything else is an InputError with the value, never a TypeError."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.growth import soon
from skillshot import Selector
from skillshot.common.errors import InputError
from skillshot.runtime.types import MAX_QUESTION, parts

ASKED = "Tom has 3 apples and buys 4 more. How many apples does he have?"
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANY_JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
_CIRCULAR: list[Any] = []
_CIRCULAR.append(_CIRCULAR)
_DEEP: Any = 1
for _ in range(3000):
    _DEEP = [_DEEP]
ODD = [
    None, True, 0, -1, 1.5, 10**400, -(10**400), float("nan"), float("inf"), 1j, "", "x", b"x", [], [1], [None], [[]],
    ["\ud800"], (), {}, {"a": 1}, {1: 2}, {"question": 1}, {"question": None}, {"question": ["q"]},
    {"question": "q", "context": 3}, {"question": "q", "context": ["c"]}, {"question": "q", "options": "ab"},
    {"question": "q", "options": 5}, {"question": "q", "options": [[1]]}, {"question": "q", "options": [None]},
    {"question": "q", "options": [10**5000]}, {("a",): 1}, {"skill": {1, 2}}, {"skill": object()}, {"skill": _CIRCULAR},
    {"skill": _DEEP}, {"skill": float("nan")}, {"skill": {1: 2, "a": 3}}, _CIRCULAR, _DEEP, object(), print,
    np.array([1, 2]), np.float64("nan"), np.complex128(1), range(3),
]  # fmt: skip


@pytest.fixture(scope="module")
def selector(bundle: Path) -> Selector:
    return Selector.load(bundle, mode="lite")


def _answers(selector: Selector, question: Any = ASKED, **arguments: Any) -> bool:
    """Whether a selection answers; False where it is refused by an InputError of a short message."""
    try:
        found = selector.select(question, **arguments)
    except InputError as error:
        assert 10 < len(str(error)) < 400
        return False
    assert all(np.isfinite(demonstration.score) and 0 <= demonstration.confidence <= 1 for demonstration in found)
    return True


@pytest.mark.parametrize("argument", ["question", "k", "exclude", "where", "min_score", "min_confidence"])
def test_odd_values(selector: Selector, argument: str) -> None:
    answered = [_answers(selector, **{argument: value}) for value in ODD]
    assert False in answered


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.sampled_from(["question", "k", "exclude", "where", "min_score", "min_confidence"]), ANY_JSON)
def test_any_json_value(selector: Selector, argument: str, value: Any) -> None:
    _answers(selector, **{argument: value})


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.fixed_dictionaries({}, optional={"question": ANY_JSON, "context": ANY_JSON, "options": ANY_JSON}))
def test_any_mapping_for_a_question(selector: Selector, question: Any) -> None:
    _answers(selector, {"question": ASKED, **question})


def test_what_is_refused_is_named(selector: Selector) -> None:
    for arguments, words in (
        ({"k": "3"}, "k='3': expected a whole number"),
        ({"exclude": 7}, "exclude=7: expected a list of ids"),
        ({"exclude": [7]}, "exclude: 7: expected the id"),
        ({"where": "skill"}, "where='skill': expected a mapping"),
        ({"where": {7: 1}}, "where: 7: expected the name of a field"),
        ({"where": {"skill": {1}}}, "where: 'skill': {1}: expected a value"),
        ({"min_score": "high"}, "min_score='high': expected a cosine"),
        ({"min_confidence": "high"}, "min_confidence='high': expected a probability, from 0 to 1"),
        ({"min_confidence": 1.5}, "min_confidence=1.5: expected a probability"),
        ({"min_confidence": -0.1}, "min_confidence=-0.1: expected a probability"),
        ({"min_confidence": float("nan")}, "min_confidence=nan: expected a probability"),
        ({"min_confidence": True}, "min_confidence=True: expected a probability"),
        ({"question": 3}, "question 3: expected a text"),
        ({"question": {"question": "q", "options": "AB"}}, "options 'AB' of a question: expected a list"),
        ({"question": {"question": "q", "context": 3}}, "context 3 of a question: expected a text"),
    ):
        with pytest.raises(InputError) as caught:
            selector.select(**{"question": ASKED, **arguments})
        assert words in str(caught.value)


@pytest.mark.parametrize("questions", ["one", {"question": "q"}, b"q", None, 3, _DEEP])
def test_a_batch_is_a_list(selector: Selector, questions: Any) -> None:
    with pytest.raises(InputError, match="question"):
        selector.select_batch(questions)


def test_what_was_good_stays_good(selector: Selector) -> None:
    first = selector.select(ASKED, 3)
    assert selector.select(ASKED, 3, exclude=[], where={}, min_score=None, min_confidence=None) == first
    assert (
        selector.select(ASKED, 3, min_confidence=0) == selector.select(ASKED, 3, min_confidence=np.float32(0)) == first
    )
    assert (
        selector.select(ASKED, 3, min_score=np.float32(-1)) == selector.select(ASKED, 3, min_score=-(10**400)) == first
    )
    assert selector.select(ASKED, 3, min_score=10**400) == []
    assert len(selector.select(ASKED, 10**30)) <= len(selector)
    ids = [demonstration.id for demonstration in first]
    assert not {d.id for d in selector.select(ASKED, 3, exclude={*ids})} & set(ids)
    assert parts({"question": "q", "context": None, "options": {"A": "1", "B": 2}}) == ("q", "", ("1", "2"))


def test_a_question_is_left_out_however_it_is_written(selector: Selector) -> None:
    bank = selector.record(0)
    for written in (
        bank.question.upper(),
        "\u200b".join(bank.question),
        bank.question.replace("a", "а").replace("o", "о"),
        f"\u202e{bank.question}",
        bank.question.replace(" ", "\u00a0"),
    ):
        assert bank.id not in {d.id for d in selector.select(written, 20)}


@pytest.mark.parametrize("unit", ["a", "word ", "\n", "1+1=", "漢", "e\u0301\u0316", "가 ", "!", "a'"])
def test_a_question_of_any_length_takes_little_time(selector: Selector, unit: str) -> None:
    with soon():
        assert _answers(selector, ("How many?" + unit * MAX_QUESTION)[:MAX_QUESTION])
        with pytest.raises(
            InputError, match=r"10,000,\d\d\d characters with context and options, at most 100,000; cut it"
        ):
            selector.select("How many?" + (unit * 10_000_000)[:10_000_000])
        assert not _answers(selector, {"question": "q?", "context": unit * MAX_QUESTION})
        assert not _answers(selector, {"question": "q?", "options": [unit * 60_000, unit * 60_000]})
