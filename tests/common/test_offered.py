"""Options inside the text of a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.bank.convert import to_record
from skillshot.common.answers import chosen, same_answer
from skillshot.common.offered import listed, offered
from skillshot.common.structure import structure_of


@pytest.mark.parametrize(
    "question",
    [
        "Which one flies?\nA. dog\nB. bird\nC. cat",
        "Which one flies?\nOptions:\n(A) dog\n(B) bird\n(C) cat",
        "Which one flies? A) dog B) bird C) cat",
        "Which one flies? (a) dog, (b) bird, (c) cat",
        "Which one flies?\nA: dog\nB: bird\nC: cat\nAnswer:",
        "Of A) and B), as in A. and so on:\nA. dog\nB. bird\nC. cat",
    ],
)
def test_options_are_read_from_the_end_of_a_question(question: str) -> None:
    assert offered(question) == ("dog", "bird", "cat")


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Who wrote A. and B?",
        "Points A) and C) are on a line.",
        "Name one (a) only.",
        "Which?\nB. bird\nC. cat",
        "Which?\nA. \nB. bird",
        "Which?\nA. dog\nC. cat",
    ],
)
def test_what_is_no_list_of_options_is_none(question: str) -> None:
    assert offered(question) == ()


@given(st.lists(st.from_regex(r"[a-z]{2,8}( [a-z]{2,8})?", fullmatch=True), min_size=2, max_size=8))
def test_a_list_that_is_written_is_read_again(texts: list[str]) -> None:
    question = "What fits best here?\n" + "\n".join(f"({chr(65 + i)}) {text}" for i, text in enumerate(texts))
    start, found = listed(question)
    assert found == texts
    assert question[start:].startswith("(A)")


def test_an_answer_that_names_such_an_option_is_a_choice_and_the_question_stays_as_written() -> None:
    question = "Which one flies?\nA. dog\nB. bird"
    record = to_record({"question": question, "answer": "(B)"})
    assert (record.question, record.options, record.answer_type) == (question, (), "choice")
    assert chosen(record) == 1
    assert same_answer("B. bird", record)
    assert same_answer("bird", record)
    assert not same_answer("A", record)


def test_a_letter_that_no_option_has_is_text() -> None:
    assert to_record({"question": "Which one flies?\nA. dog\nB. bird", "answer": "C"}).answer_type == "text"
    assert to_record({"question": "Which grade?", "answer": "B"}).answer_type == "text"


def test_letters_of_options_in_the_question_are_no_labels_of_a_bank() -> None:
    rows = [{"question": f"What is {n} and {n}?\nA. {2 * n}\nB. {3 * n}", "answer": "AB"[n % 2]} for n in range(2, 30)]
    assert structure_of([to_record(row) for row in rows]).source == "question"
    graded = [{"question": f"Grade essay {n}.", "answer": "AB"[n % 2]} for n in range(2, 30)]
    assert structure_of([to_record(row) for row in graded]).source == "label"
