"""Where a bank's structure comes from: rationales, answers, labels or questions; one text for each row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.common.canonical import canonical_answer
from skillshot.common.record import Record
from skillshot.common.structure import is_procedure, learned, structure_of, text_of, words
from skillshot.common.text import visible

PROCEDURES = {
    "sql": ["SELECT COUNT(*) FROM boats", "SELECT name FROM crews WHERE age > 30", "select a, b from t"],
    "logical form": [
        "rose ( agent = dog , theme = box )",
        "answer(river(loc_2(stateid('utah'))))",
        "λx.city(x)∧big(x)",
    ],
    "json": ['{"tool": "search", "query": "tea"}', '[{"a": 1}]', '{"name":"get_weather","arguments":{"city":"Oslo"}}'],
    "code": ["def f(x):\n    return x + 1", "print(sum(xs))", "for w in ws: n[w] += 1"],
    "equation": ["( 8.0 - 3.0 )", "x = 30 - 11", "8 / 2 - 1", "(8-3)*2"],
}
VALUES = [
    "72", "3/4", "\\frac{3}{4}", "$1,234.50", "50 %", "2020-01-05", "2020-01-05 10:30", "12/5/1999", "10:30 pm", "B",
    "yes", "(3, 4)", "https://example.org/a/b?c=d", "ann@example.org", "New York", "", "  ", "-3", "1, 2, 3, 4, 5",
]  # fmt: skip
PROSE = [
    "The dog sleeps on the red box.", "Select the red button from the menu on the left.", "She asks: well, is it?",
    "well-being and self-esteem", "It rose by 5 % in May, and fell again in June; nobody knows why.",
]  # fmt: skip


def bank(answers: Sequence[str], rationales: Sequence[str] = (), **fields: object) -> list[Record]:
    rationales = rationales or [""] * len(answers)
    return [
        Record(f"i{i}", f"q {i}?", rationale, answer, **fields)  # type: ignore[arg-type]
        for i, (answer, rationale) in enumerate(zip(answers, rationales, strict=True))
    ]


@pytest.mark.parametrize("answer", [answer for answers in PROCEDURES.values() for answer in answers])
def test_procedures_are_recognised(answer: str) -> None:
    assert is_procedure(answer)


@pytest.mark.parametrize("answer", [*VALUES, *PROSE])
def test_values_and_prose_are_no_procedures(answer: str) -> None:
    assert not is_procedure(answer)


@pytest.mark.parametrize("kind", PROCEDURES)
def test_procedures_are_the_source_even_where_they_repeat(kind: str) -> None:
    answers = PROCEDURES[kind][:2] * 10
    found = structure_of(bank(answers))
    assert (found.source, found.texts) == ("answer", answers)


def test_half_of_the_rows_with_a_rationale_are_enough() -> None:
    found = structure_of(bank(["1", "2", "3", "4"], ["so 1", "", "so 3", "\u200b"]))
    assert (found.source, found.texts) == ("rationale", ["so 1", "2", "so 3", "4"])
    found = structure_of(bank(["1", "2", "3", "4"], ["so 1", "", "", ""]))
    assert (found.source, found.texts) == ("question", [f"q {i}?" for i in range(4)])


@pytest.mark.parametrize(
    ("answers", "source"),
    [
        (["refund", "card lost", "refund", "refund", "card lost", "limit"] * 2, "label"),
        (["yes", "no"] * 6, "label"),
        (["yes"] * 6, "question"),  # a class that every row has explains nothing
        (["4", "4", "5", "5", "4", "4"], "question"),  # numbers that repeat are a coincidence
        (["Oslo", "Rome", "Paris", "Bonn"], "question"),
        (["because it rains", "since the cat sleeps", "no"], "answer"),
        (["因为今天下雨了", "猫在睡觉所以安静"], "answer"),
        (["東京", "大阪", "東京", "大阪"], "label"),
        (["서울", "부산", "대전"], "question"),
        ([""], "question"),
    ],
)
def test_answers_are_prose_labels_or_values(answers: list[str], source: str) -> None:
    assert structure_of(bank(answers)).source == source


def test_a_letter_stands_for_its_option() -> None:
    options = ("the dog ate it", "nobody has ever seen it", "x")
    rows = bank(["A", "B", "A", "B"], options=options, answer_type="choice")
    assert structure_of(rows).texts == [options[0], options[1]] * 2
    rows = bank(["A", "B", "A", "B"], options=("12", "13", "14"), answer_type="choice")
    assert structure_of(rows).source == "question"
    assert structure_of(bank(["Z", "B"] * 2, options=options, answer_type="choice")).texts[0] == "Z"


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("one two", 2), ("서울에서 왔다", 3), ("今天下雨", 2), ("مستشفى كبير", 2), ("ประเทศไทยสวยงามมาก", 3)],
)
def test_words_are_counted_without_blanks_too(text: str, count: int) -> None:
    assert words(text) == count


def test_layout_and_the_letter_of_a_choice_are_not_learned_from() -> None:
    """What is stored and shown keeps both."""
    rationale = "It  is\n\n    21.5\nAnswer: (B)"
    record = Record("i", "q", rationale, "(b)", options=("21", "21.5"), answer_type="choice")
    assert learned(record) == text_of(record, "rationale") == "It is\n21.5"
    assert structure_of([record]).texts == ["It is\n21.5"]
    assert text_of(record, "answer") == "21.5"


def test_spellings_of_one_label_are_one_text() -> None:
    records = [
        Record(str(i), "q", answer=answer, answer_type="bool") for i, answer in enumerate(["True", "yes", "TRUE"])
    ]
    assert {text_of(record, "label") for record in records} == {"yes"}


def test_an_empty_bank_has_no_structure() -> None:
    assert structure_of([]).source == "question" and structure_of([]).texts == []


TEXTS = st.one_of(st.text(max_size=40), st.sampled_from([*VALUES, *PROSE, *chain(*PROCEDURES.values()), "\u200b"]))
RECORDS = st.builds(
    Record,
    id=st.text(max_size=3), question=TEXTS, rationale=st.one_of(st.just(""), TEXTS), answer=TEXTS,
    context=st.one_of(st.just(""), TEXTS), options=st.lists(TEXTS, max_size=3).map(tuple),
    answer_type=st.sampled_from(["text", "choice", "number", "sql", "bool"]),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=12))
def test_every_bank_has_one_text_for_each_row(records: list[Record]) -> None:
    found = structure_of(records)
    assert len(found.texts) == len(records)
    for record, text in zip(records, found.texts, strict=True):
        assert visible(text) or not visible(record.text)
        answer = canonical_answer(record.answer, record.answer_type, record.options)
        assert text in (learned(record), answer, record.text, *record.options)
    assert structure_of(records) == found
    assert found.source != "question" or found.texts == [record.text for record in records]
