"""What a file as a whole says about its columns: content, the caller's map, ids, files one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from skillshot.bank.columns import plain_name, reach
from skillshot.bank.convert import to_record
from skillshot.bank.intake import GOLD, Intake, Placed, Quarantined
from skillshot.bank.load import load_bank, load_queries
from skillshot.bank.rows import Raw
from skillshot.bank.worked import asked_and_answered
from skillshot.common.errors import ColumnsError

MATH = [{"id": i % 4, "problem": f"What is {i} + 1?", "solution": f"So \\boxed{{{i + 1}}}"} for i in range(8)]


def test_mapping_one_column_leaves_the_recognition_on() -> None:
    with pytest.raises(ColumnsError) as caught:
        load_bank(MATH)
    assert caught.value.columns == {"id": ""}
    records = load_bank(MATH, columns={"id": ""}).records
    assert [(r.question, r.rationale, r.answer) for r in records[:1]] == [("What is 0 + 1?", "So \\boxed{1}", "1")]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"answer": "level"}, {"answer": "hard", "rationale": "So \\boxed{5}", "question": "p"}),
        ({"rationale": "level"}, {"answer": "", "rationale": "hard", "question": "p"}),
        ({"rationale": ""}, {"answer": "", "rationale": "", "question": "p"}),
        ({"answer": "solution"}, {"answer": "So \\boxed{5}", "rationale": "", "question": "p"}),
        ({"skill": "level"}, {"answer": "5", "skill": "hard"}),
    ],
)
def test_the_map_overrides_single_fields_of_a_form(columns: dict[str, str], expected: dict[str, str]) -> None:
    record = to_record({"problem": "p", "solution": "So \\boxed{5}", "level": "hard"}, columns).to_dict()
    assert {name: record.get(name) for name in expected} == expected


def test_a_path_reaches_into_lists() -> None:
    row = {"turns": [{"content": "q"}, {"content": "a"}], "a.b": 1, "x": {"y": [[7]]}}
    assert reach(row, "turns.0.content") == "q" and reach(row, "turns.-1.content") == "a"
    assert reach(row, "a.b") == 1 and reach(row, "x.y.0.0") == 7 and reach(row, "data.x.y.0.0") == 7
    for nothing in ("turns.2.content", "turns.x", "x.y.z", "turns.0.content.0", "nowhere", "turns.99999999999"):
        assert reach(row, nothing) is None
    record = to_record(row, {"question": "turns.0.content", "answer": "turns.1.content"})
    assert (record.question, record.answer) == ("q", "a")


@pytest.mark.parametrize(
    ("name", "plain"),
    [("answerKey", "answer_key"), ("Answer Key", "answer_key"), ("sQuestion", "s_question"), ("SQL", "sql"),
     ("Chain-of-Thought", "chain_of_thought"), ("__expected", "expected"), ("정답", "정답")],
)  # fmt: skip
def test_a_plain_name_has_neither_case_nor_separators(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_ids_of_logs_may_repeat_and_be_foreign() -> None:
    turns = [[{"role": "user", "content": f"q{i}?"}, {"role": "assistant", "content": f"a{i}"}] for i in range(3)]
    rows = [{"id": "s", "messages": t} for t in (*turns, turns[0])]
    loaded = load_bank(rows)
    assert [r.id == "s" for r in loaded.records] == [True, False, False] and len({r.id for r in loaded.records}) == 3
    assert [r.metadata.get("source_id") for r in loaded.records] == [None, "s", "s"]
    assert [q.kind for q in loaded.quarantined] == ["repeated"]
    (record,) = load_bank([{"id": {"session": 1}, "messages": turns[0]}]).records
    assert record.metadata["source_id"] == {"session": 1}


def test_each_file_of_a_folder_is_read_by_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = {
        "a.jsonl": [{"frage": f"Was ist {i}?", "antwort": f"{i * 3}"} for i in (4, 9, 2)],
        "b.jsonl": [{"pregunta": f"¿Qué es {i}?", "respuesta": f"{i * 5}"} for i in (4, 9, 2)],
        "c.jsonl": [{"question": "own?", "answer": "7"}],
    }
    for name, rows in files.items():
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    loaded = load_bank(tmp_path)
    assert [r.answer for r in loaded.records] == ["12", "27", "6", "20", "45", "10", "7"]
    assert sum("guessed" in message for message in caplog.messages) == 2
    assert [r.answer for r in load_bank(tmp_path, limit=4).records] == ["12", "27", "6", "20"]


def test_rows_of_a_long_file_follow_its_first_ones() -> None:
    rows = [{"frage": f"Was ist {i}?", "antwort": f"{i * i % 97} Stück"} for i in range(1000)]
    loaded = load_bank(rows)
    assert len(loaded.records) == 1000 and loaded.records[-1].answer == f"{999 * 999 % 97} Stück"


def test_a_passage_that_would_be_too_long_is_left_out() -> None:
    rows = [{"question": f"q {i}?", "passage": "long " * 2000, "answer": "yes"} for i in range(4)]
    assert [
        r.context for r in load_bank(rows[:1] + [{**row, "passage": f"p {i}"} for i, row in enumerate(rows)]).records
    ]
    assert len(load_bank([{**row, "passage": f"{row['passage']}{i}"} for i, row in enumerate(rows)]).records) == 4


def test_queries_are_guessed_by_name_alone() -> None:
    (record,) = load_queries([{"problem": "What is it?", "kind": "sum"}]).records  # type: ignore[arg-type]
    assert (record.question, record.answer, record.metadata) == ("What is it?", "", {"kind": "sum"})


def test_a_text_of_question_and_answer() -> None:
    assert asked_and_answered("Q: a\nb\nA: c\nd") == ("a\nb", "c\nd")
    assert asked_and_answered("Question: a?\n\nAnswer: 4") == ("a?", "4")
    for text in ("", "Q:", "Q: a", "A: b\nQ: a", "Q: a A: b", "Q: a\nA:", "\nA: b"):
        assert asked_and_answered(text) == ("", "")


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 5) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["", "B", "2", "[1, 2]", "Q: a\nA: b"]),
    lambda part: st.lists(part, max_size=3)
    | st.dictionaries(st.sampled_from(["role", "content", "text", "label"]), part),
    max_leaves=6,
)  # fmt: skip
NAME = st.sampled_from(
    ["question", "answer", "rationale", "options", "choices", "label", "messages", "conversations", "prompt", "input",
     "output", "target", "target_scores", "vars", "assert", "answers", "sql", "query", "A", "B", "Question", "problem",
     "solution", "sQuestion", "lSolutions", "Body", "correct", "answerKey", "mc1_targets", "inputs", "x"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.dictionaries(NAME, VALUE, max_size=6), min_size=1, max_size=5))
@example([{"vars": {"label": 0}, "question": False, "answer": False, "options": {"role": 0, "content": ""}}])
@example([{"vars": {"label": 0}, "question": False, "answer": False, "options": [False]}])
def test_whatever_rows_are_each_is_accepted_or_quarantined(rows: list[dict[str, Any]]) -> None:
    raws = [Raw("f", i, row) for i, row in enumerate(rows)]
    for intake in (Intake(needs=GOLD), Intake(asked=True), Intake({"answer": "x", "question": "messages.0.content"})):
        found = list(intake.take([Raw(raw.file, raw.line, {**raw.row, "id": i}) for i, raw in enumerate(raws)]))
        assert len(found) == len(rows) and {type(item) for item in found} <= {Placed, Quarantined}
        for item in found:
            if isinstance(item, Placed):
                assert to_record(item.record.to_dict()) == item.record
