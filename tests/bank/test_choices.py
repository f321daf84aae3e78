"""Multiple choice in every published shape; places are never read as numbers without a word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.bank.choices import ChoiceError, Choices, choices_of, chosen
from skillshot.bank.convert import RowError, to_record
from skillshot.bank.intake import GOLD, Intake, Quarantined
from skillshot.bank.literals import MAX_TEXT, literal
from skillshot.bank.load import load_bank, load_questions
from skillshot.bank.rows import Raw
from skillshot.common.errors import ColumnsError
from skillshot.common.record import Record

Q = {"question": "Which is a mammal?"}
PETS = ("frog", "dog", "trout")
SHAPES: dict[str, Any] = {
    "list": ["frog", "dog", "trout"],
    "lettered list": ["A) frog", "B) dog", "C) trout"],
    "letters to texts": {"A": "frog", "B": "dog", "C": "trout"},
    "label and text": [{"label": "A", "text": "frog"}, {"label": "B", "text": "dog"}, {"label": "C", "text": "trout"}],
    "key and value": [{"key": "a", "value": "frog"}, {"key": "b", "value": "dog"}, {"key": "c", "value": "trout"}],
    "one object each": [{"A": "frog"}, {"B": "dog"}, {"C": "trout"}],
    "two lists": {"label": ["A", "B", "C"], "text": ["frog", "dog", "trout"]},
    "json in a cell": '["frog", "dog", "trout"]',
    "python in a cell": "['frog', 'dog', \"trout\"]",
    "python object in a cell": "{'A': 'frog', 'B': 'dog', 'C': 'trout'}",
    "numpy in a cell": "['frog' 'dog'\n 'trout']",
    "numpy object in a cell": "{'text': array(['frog', 'dog', 'trout'], dtype=object), "
    "'label': array(['A', 'B', 'C'], dtype=object)}",
    "mathqa": "a ) frog , b ) dog , c ) trout",
    "lines": "A. frog\nB. dog\nC. trout",
    "bars": "frog | dog | trout",
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("column", ["options", "choices"])
@pytest.mark.parametrize("answer", ["B", "b", "(B)", "dog", "Dog.", "B. dog", "(b) dog", "B: dog", "Option B: dog"])
def test_a_shape_and_an_answer(shape: str, column: str, answer: str) -> None:
    record = to_record({**Q, column: SHAPES[shape], "answer": answer})
    assert record.options == PETS
    assert record.answer.strip(" ().").casefold() in {"b", "dog"} and record.answer_type in {"choice", "choice_text"}
    assert to_record(record.to_dict()) == record


COLUMNS: dict[str, dict[str, Any]] = {
    "A B C": {"A": "frog", "B": "dog", "C": "trout", "answer": "B"},
    "a b c and the text": {"a": "frog", "b": "dog", "c": "trout", "answer": "dog"},
    "option_a": {"option_a": "frog", "option_b": "dog", "option_c": "trout", "option_d": "", "answer": "B"},
    "optionA": {"optionA": "frog", "optionB": "dog", "optionC": "trout", "correct_option": "B"},
    "medmcqa": {"opa": "frog", "opb": "dog", "opc": "trout", "cop": 1, "exp": "It nurses."},
    "winogrande": {"option1": "frog", "option2": "dog", "answer": "2"},
    "choice_1": {"choice_1": "frog", "choice_2": "dog", "answer": "dog"},
    "arc": {"choices": {"text": ["frog", "dog", "trout"], "label": ["1", "2", "3"]}, "answerKey": "2"},
    "medqa": {"options": {"A": "frog", "B": "dog"}, "answer": "dog", "answer_idx": "B"},
    "mmlu-pro": {"options": ["frog", "dog"], "answer": "B", "answer_index": 1, "cot_content": "", "category": "x"},
    "right one marked": {"options": [{"text": "frog"}, {"text": "dog", "is_correct": True}]},
    "truthfulqa": {"mc1_targets": {"choices": ["frog", "dog"], "labels": [0, 1]}},
    "sciq": {"distractor1": "frog", "distractor2": "trout", "distractor3": "newt", "correct_answer": "dog"},
    "gpqa": {"Correct Answer": "dog", "Incorrect Answer 1": "frog", "Incorrect Answer 2": "trout"},
}


@pytest.mark.parametrize("name", COLUMNS)
def test_options_in_columns(name: str) -> None:
    (item,) = Intake(needs=GOLD).take([Raw("f", 1, {**Q, **COLUMNS[name]})])
    assert not isinstance(item, Quarantined), item
    assert _meant(item.record) == "dog", item.record
    assert len(item.record.options) > 1 and to_record(item.record.to_dict()) == item.record


def _meant(record: Record) -> str:
    return record.options[ord(record.answer) - ord("A")] if record.answer_type == "choice" else record.answer


def _rows(answers: list[Any], column: str = "answer", **more: Any) -> list[dict[str, Any]]:
    return [{"question": f"Which, {i}?", "choices": list(PETS), column: a, **more} for i, a in enumerate(answers)]


@pytest.mark.parametrize(
    ("rows", "meant", "note"),
    [
        (_rows([1, 2, 0, 1]), "dog", "counted from 0 (a 0 occurs); to confirm: --columns answer_from_0=answer"),
        (_rows(["2", "3", "1"]), "dog", "counted from 1 (the number of the last option occurs)"),
        (_rows([1, 2, 1], "label"), "dog", "counted from 0 (column label usually does)"),
        (_rows([1, 1], "answer_idx"), "dog", "counted from 0 (column answer_idx usually does)"),
        (_rows([3, 2, 1], "label"), "trout", "counted from 1"),
        (_rows([1.0, 1.0], rationale="The dog nurses."), "dog", "counted from 0 (rationales name the option)"),
        (_rows([2, 2], rationale="The dog nurses."), "dog", "counted from 1 (rationales name the option)"),
    ],
)
def test_places_are_settled_by_the_file_and_reported(
    rows: list[dict[str, Any]], meant: str, note: str, caplog: pytest.LogCaptureFixture
) -> None:
    records = load_bank(rows).records
    assert _meant(records[0]) == meant and {record.answer_type for record in records} == {"choice"}
    assert len(records) == len(rows) and note in caplog.text
    base = "answer_from_1" if "from 1" in note else "answer_from_0"
    column = "answer" if "answer" in rows[0] else next(name for name in ("label", "answer_idx") if name in rows[0])
    caplog.clear()
    assert load_bank(rows, columns={base: column}).records == records
    assert "counted" not in caplog.text


def test_places_that_the_file_does_not_settle_are_refused_with_the_line_that_does() -> None:
    rows = _rows([1, 2, 1])
    with pytest.raises(ColumnsError, match="answer 1 may count the options from 0 or from 1") as caught:
        load_bank(rows)
    assert caught.value.for_command().splitlines()[1:] == [
        "if the first option is number 1, write answer_from_1 for answer_from_0",
        "add --columns answer_from_0=answer",
    ]
    assert [_meant(record) for record in load_bank(rows, columns=caught.value.columns).records] == [
        "dog",
        "trout",
        "dog",
    ]
    assert [_meant(r) for r in load_bank(rows, columns={"answer_from_1": "answer"}).records] == ["frog", "dog", "frog"]


def test_a_bank_sorted_by_answer_is_settled_by_its_end() -> None:
    rows = _rows([1] * 900 + [2] * 100 + [0])
    assert {_meant(record) for record in load_bank(rows).records[:900]} == {"dog"}


def test_numbers_that_are_options_stay_texts() -> None:
    rows = [{"question": f"{i} + 1?", "options": ["1", "2", "3", "4"], "answer": i + 1} for i in range(3)]
    assert [record.answer for record in load_bank(rows).records] == ["1", "2", "3"]
    (record,) = load_bank([{"question": "How far?", "options": ["30 km", "96.5 km"], "answer": 96.5}]).records
    assert record.answer == "96.5 km"


def test_a_place_beyond_the_options_is_quarantined() -> None:
    loaded = load_bank(_rows([0, 1, 2] * 5 + [7]))
    assert [row.reason for row in loaded.quarantined] == ["answer 7 is no option: 3 of them, counted from 0"]


def test_questions_need_no_answer(tmp_path: Any) -> None:
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in _rows([1, 2])))
    assert [record.options for record in load_questions(tmp_path / "q.jsonl").records] == [PETS, PETS]


@pytest.mark.parametrize("value", [3, {"a": [1]}, "frog", [["a"]], [{"x": []}], "[1, {"])
def test_what_is_no_options(value: Any) -> None:
    with pytest.raises(ChoiceError, match="options is"):
        choices_of(value)
    with pytest.raises(RowError, match="options is"):
        to_record({**Q, "options": value, "answer": "B"})


HOSTILE = [
    "[" * 30_000 + "]" * 30_000, "['a'" + " 'a'" * 10_000 + "]", "[" + "9" * 20_000 + "]", "[9**9**9]",
    "[a for a in b]",
    "{'a': __import__('os')}", "['\\N{DIGIT ONE']", "['" + "a" * MAX_TEXT + "']", "[1,\x00]", "{[]: 1}",
    "['a']" * 5000 + "]",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_in_a_cell_is_evaluated_or_takes_long(text: str) -> None:
    found = literal(text)
    assert found == text.strip() or isinstance(found, list)


@given(st.text(alphabet="[](){}'\",:ab1 \n\\", max_size=60))
def test_any_text_is_a_literal_or_itself(text: str) -> None:
    literal(text)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=6))
def test_a_python_list_comes_back(texts: list[str]) -> None:
    assert literal(str(texts)) == texts == literal(json.dumps(texts))


@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12)), st.sampled_from([None, 0, 1])
)
def test_an_answer_is_chosen_or_refused(answer: Any, base: int | None) -> None:
    try:
        found = chosen(answer, Choices(("x", "2", "z"), ("A", "B", "C")), base)
    except ChoiceError:
        return
    assert found in ("A", "B", "C", "x", "2", "z") or found is answer
