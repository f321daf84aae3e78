"""Field names both ways."""

from __future__ import annotations

import pytest

from skillshot import Demonstration
from skillshot.common.errors import InputError
from skillshot.integrations.fields import FieldNames

SHOWN = Demonstration("a", "Why?", "So.", "7", 0.5, metadata={"skill": "count", "id": "other"})


def test_a_row_has_the_users_names_and_its_metadata_next_to_them() -> None:
    row = FieldNames({"question": "input", "rationale": "reasoning"}).row(SHOWN)
    assert row["input"] == "Why?" and row["reasoning"] == "So." and "question" not in row and "rationale" not in row
    assert row["id"] == "a" and row["skill"] == "count" and row["metadata"] == {"skill": "count", "id": "other"}


def test_an_example_comes_back_under_our_names() -> None:
    names = FieldNames({"question": "input"})
    assert names.back({"input": "Why?", "answer": "7", "skill": "count"}) == {
        "question": "Why?", "answer": "7", "skill": "count",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "reason"),
    [({"colour": "x"}, "fields: 'colour': a demonstration has id"), ({"question": "answer"}, "'answer' would be two")],
)
def test_names_that_make_no_sense_are_refused(names: dict[str, str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        FieldNames(names)


def test_the_question_is_found_among_the_inputs() -> None:
    names = FieldNames({"question": "input", "context": "page"})
    assert names.question({"text": "Why?"}, None, "input_key") == ("text", "Why?")
    assert names.question({"input": "Why?", "style": "short"}, None, "input_key") == ("input", "Why?")
    assert names.question({"q": "Why?", "page": "P", "options": ["1"]}, "q", "input_key") == (
        "q", {"question": "Why?", "context": "P", "options": ["1"]},
    )  # fmt: skip
    for given, key in (({"a": "x", "b": "y"}, None), ({"a": "x"}, "b"), ({}, None)):
        with pytest.raises(InputError, match="input_key='"):
            names.question(given, key, "input_key")
