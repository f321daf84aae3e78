"""load_bank and load_queries: presets, checks, refusals, and what they import."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from helpers.hostile import GOOD
from skillshot.bank.checks import CHECKS, first_failure, numbers_in
from skillshot.bank.convert import to_record
from skillshot.bank.formats import preset_of
from skillshot.bank.load import load_bank, load_queries, load_questions
from skillshot.bank.worked import boxed
from skillshot.common.errors import ColumnsError, InputError
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record

PUBLISHED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "gsm8k": (
        {"question": "q", "answer": "6/2=<<6/2=3>>3\n#### 1,003"},
        {"rationale": "6/2=3", "answer": "1,003", "answer_type": "number"},
    ),
    "aqua_rat": (
        {"question": "q", "options": ["A)21", "B)21.5", "C)22"], "rationale": "so 21.5\nAnswer: B", "correct": "B"},
        {"options": ("21", "21.5", "22"), "rationale": "so 21.5\nAnswer: B", "answer": "B", "answer_type": "choice"},
    ),
    "tabmwp": (
        {"question": "q", "choices": ["yes", "no"], "answer": "Yes", "unit": None, "table": "a | b", "solution": "s",
         "table_title": "t", "ques_type": "multi_choice", "ans_type": "boolean_text"},
        {"context": "a | b", "options": ("yes", "no"), "answer": "Yes", "answer_type": "choice_text", "rationale": "s"},
    ),
    "spider": (
        {"db_id": "concert", "question": "q", "query": "SELECT  1 ;", "query_toks": ["SELECT"]},
        {"answer": "SELECT  1 ;", "answer_type": "sql", "group": "concert", "rationale": ""},
    ),
    "strategyqa": (
        {"question": "q", "answer": False, "facts": ["f1", "f2"], "term": "t"},
        {"rationale": "f1\nf2", "answer": "no", "answer_type": "bool"},
    ),
    "math": (
        {"problem": "q", "level": "Level 5", "type": "Algebra", "solution": "so $\\boxed{\\frac{3}{4}}$."},
        {"question": "q", "answer": "\\frac{3}{4}", "rationale": "so $\\boxed{\\frac{3}{4}}$."},
    ),
    "cogs": (
        {"sentence": "A rose .", "logical_form": "rose ( x _ 1 )", "type": "in_distribution"},
        {"question": "A rose .", "answer": "rose ( x _ 1 )", "answer_type": "lf"},
    ),
    "chat": (
        {"messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "q"},
                      {"role": "assistant", "content": "1 + 2 = 3.\nThe answer is 3."}]},
        {"question": "q", "rationale": "1 + 2 = 3.\nThe answer is 3.", "answer": "3", "answer_type": "number"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_forms(name: str) -> None:
    row, expected = PUBLISHED[name]
    assert preset_of(row) == name
    record = to_record(row)
    assert {key: getattr(record, key) for key in expected} == expected
    assert to_record(record.to_dict()) == record


def test_message_logs_with_reasoning_and_parts() -> None:
    parts = [{"type": "text", "text": "q"}]
    turns = [
        {"role": "user", "content": parts},
        {"role": "assistant", "reasoning_content": "because", "content": "yes"},
    ]
    record = to_record({"messages": turns, "correct": False})
    assert (record.question, record.rationale, record.answer, record.correct) == ("q", "because", "yes", False)


def test_our_own_form_is_no_preset() -> None:
    assert preset_of({"question": "q", "rationale": "r", "answer": "a", "options": ["x"]}) is None
    assert preset_of({"question": "q", "answer": "a"}) is None


def test_boxed_answers_keep_their_braces() -> None:
    assert boxed("a \\boxed{1} b \\boxed{\\frac{1}{2}} c") == "\\frac{1}{2}"
    assert boxed("none") == "" and boxed("\\boxed{open") == ""


def test_one_column_may_hold_rationale_and_answer(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    path.write_text('{"prompt": "q", "completion": "It is 2+3 = 5.\\n#### 5"}\n')
    columns = {"question": "prompt", "rationale": "completion", "answer": "completion"}
    (record,) = load_bank(path, columns=columns).records
    assert (record.rationale, record.answer) == ("It is 2+3 = 5.", "5")


def test_everything_else_is_metadata(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    row = {
        **GOOD[0],
        "skill_label": "add",
        "steps": ["a", "b"],
        "nested": {"x": None},
        "score": 1.5,
        "correct": "false",
    }
    path.write_text(json.dumps(row) + "\n")
    (record,) = load_bank(path).records
    assert record.metadata == {
        "skill_label": "add", "steps": ["a", "b"], "nested": {"x": None}, "score": 1.5, "correct": False,
    }  # fmt: skip
    assert not record.correct and Record("i", "q").correct


def test_queries_need_neither_rationale_nor_answer(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl"
    path.write_text('{"question": "q?"}\n{"question": "p?", "answer": "maybe", "answer_type": "bool"}\n')
    with pytest.raises(InputError, match="answer_not_of_type"):
        load_queries(path)
    loaded = load_queries(path, validate=ValidateParams(max_quarantined=0.5))
    assert [record.question for record in loaded.records] == ["q?"]
    with pytest.raises(InputError, match="empty_answer"):
        load_bank(path)


@pytest.mark.parametrize(
    ("row", "given", "columns"),
    [
        ({"problem": "q", "result": "4", "notes": "n"}, {}, {"question": "problem", "answer": "result"}),
        ({"prompt": "q", "completion": "r"}, {}, {"question": "prompt", "answer": "completion"}),
        (
            {"prompt": "q", "completion": "r", "gold": "no"},
            {},
            {"question": "prompt", "rationale": "completion", "answer": "gold"},
        ),
        (
            {"input": "q", "steps": "r", "final": "no"},
            {},
            {"question": "input", "rationale": "steps", "answer": "final"},
        ),
        (
            {"ask": "q", "Solution": "r", "gold": "no"},
            {"question": "ask"},
            {"question": "ask", "rationale": "Solution", "answer": "gold"},
        ),
    ],
)
def test_a_guess_is_reported_with_the_line_that_confirms_it(
    row: dict[str, str], given: dict[str, str], columns: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{key: f"{value} {i}" for key, value in row.items()} for i in range(4)]
    guessed = load_bank(rows, columns=given).records
    (line,) = [message for message in caplog.messages if "guessed" in message]
    pairs = ",".join(f"{field}={column}" for field, column in columns.items())
    assert line == f"<examples>: columns are guessed; to confirm or change them: --columns {pairs}"
    caplog.clear()
    assert load_bank(rows, columns=columns).records == guessed
    assert not [message for message in caplog.messages if "guessed" in message]


@pytest.mark.parametrize(
    ("row", "given", "columns", "likely"),
    [
        (
            {"a": "q", "b": "r", "c": "4"},
            {},
            {"question": "COLUMN", "answer": "COLUMN"},
            "; question may be a or b or c",
        ),
        ({"question": "q", "rationale": "r"}, {}, {"answer": "COLUMN"}, ""),
        ({"ask": "q", "hint": "r", "answer": "4"}, {"question": "aks"}, {"question": "COLUMN"}, ""),
        ({"question": "q", "b": "r", "c": "s"}, {}, {"answer": "COLUMN"}, "; answer may be b or c"),
    ],
)
def test_a_message_suggests_columns_of_the_file(
    row: dict[str, str], given: dict[str, str], columns: dict[str, str], likely: str, tmp_path: Path
) -> None:
    path = tmp_path / "bank.jsonl"
    # the message holds the file's columns even where a row is too long to be kept
    rows = [{key: f"{value} {i}" for key, value in row.items()} | {"long": "x" * 3000} for i in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(ColumnsError) as caught:
        load_bank(path, columns=given)
    assert caught.value.columns == columns
    problem = f"the file has the columns {', '.join(row)}, long{likely}"
    assert str(caught.value).splitlines()[1:] == [problem, f"pass columns={columns}"]
    text = ",".join(f"{field}={column}" for field, column in columns.items())
    assert caught.value.for_command().splitlines()[1:] == [problem, f"add --columns {text}"]
    text = ", ".join(f"{field}: {column}" for field, column in columns.items())
    assert caught.value.for_params().splitlines()[1:] == [problem, f"set ingest.columns: {{{text}}}"]


@pytest.mark.parametrize(
    ("field", "meant"),
    [("questoin", "question"), ("rational", "rationale"), ("awnser", "answer"), ("anser", "answer"),
     ("contxt", "context"), ("option", "options")],
)  # fmt: skip
def test_a_misspelt_field_is_named(field: str, meant: str, tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    path.write_text('{"problem": "q"}\n')
    for read in (load_bank, load_queries, load_questions):
        with pytest.raises(InputError, match=f"unknown field {field}; did you mean {meant}\\?"):
            read(path, columns={field: "problem"})


def test_a_field_of_its_own_is_metadata(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    path.write_text('{"question": "q", "kind": "rate"}\n')
    assert load_queries(path, columns={"skill": "kind"}).records[0].metadata == {"skill": "rate"}


def test_queries_without_gold_are_refused_where_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl"
    path.write_text('{"question": "q", "facit": "4", "hint": "r"}\n{"question": "p", "facit": "5", "hint": "s"}\n')
    assert len(load_queries(path).records) == 2
    with pytest.raises(ColumnsError) as caught:
        load_queries(path, gold=["answer"])
    assert caught.value.for_command().splitlines() == [
        f"{path}: no query has an answer",
        "the file has the columns question, facit, hint",
        "add --columns answer=COLUMN",
    ]
    assert load_queries(path, columns={"answer": "facit"}, gold=["answer"]).records[1].answer == "5"
    with pytest.raises(ColumnsError, match="no query has a rationale or an answer"):
        load_queries(path, gold=["rationale", "answer"])
    with path.open("a") as handle:
        handle.write('{"question": "o", "answer": "6"}\n')
    assert len(load_queries(path, gold=["answer"]).records) == 3, "one is enough"


def test_conflicting_ids_can_be_dropped_and_the_published_form_stays(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    path.write_text("".join(json.dumps({"id": "x", "question": q, "answer": "6/2=3\n#### 3"}) + "\n" for q in "ab"))
    with pytest.raises(ColumnsError) as caught:
        load_bank(path)
    assert caught.value.columns == {"id": ""}
    assert [record.rationale for record in load_bank(path, columns=caught.value.columns).records] == ["6/2=3"] * 2


def test_questions_are_read_from_any_form_or_plain_text(tmp_path: Path) -> None:
    for name, text in {
        "q.txt": 'one\n\n{"question": "two", "context": "c"}\n{"answer": "3"}\none\n',
        "q.csv": "ask,map\none,\ntwo,c\n,c\none,\n",
        "q.jsonl": '{"ask": "one"}\n{"ask": "two", "map": "c"}\noops\n{"ask": "one"}\n',
    }.items():
        (tmp_path / name).write_text(text)
        columns = {} if name == "q.txt" else {"question": "ask", "context": "map"}
        loaded = load_questions(tmp_path / name, columns=columns)
        assert [(record.question, record.context) for record in loaded.records] == [
            ("one", ""),
            ("two", "c"),
            ("one", ""),
        ]
        assert len(loaded.quarantined) == 1, name
    with pytest.raises(InputError, match="no such file"):
        load_questions(tmp_path / "none.txt")
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(InputError, match="no rows"):
        load_questions(tmp_path / "empty")


def test_limit_and_share_of_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in GOOD) + "bad\n" * 10)
    assert len(load_bank(path, limit=12).records) == 12
    assert len(load_bank(path).quarantined) == 10
    with pytest.raises(InputError, match=r"10 of 40 rows are unusable: not JSON \(10, first bank.jsonl: line 31\)"):
        load_bank(path, validate=ValidateParams(max_quarantined=0.2))


def test_ids_are_made_from_the_content_and_stay() -> None:
    first, other = to_record(GOOD[0]), to_record({**GOOD[0], "context": "c"})
    assert first.id == to_record(GOOD[0]).id != other.id
    assert to_record({**GOOD[0], "id": 17}).id == "17"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,200 m", 1200), ("12 500 cars", 12500), ("Rs.50.", 50), ("$0.50", 50), ("\\frac{3}{4}", 0.75), ("3/4", 0.75)],
)
def test_numbers_are_found_in_every_spelling(text: str, value: float) -> None:
    assert value in {float(number) for number in numbers_in(text)}


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_can_fail(name: str) -> None:
    bad = {
        "empty_question": Record("i", " ", "r", "a"),
        "empty_answer": Record("i", "q", "r", ""),
        "over_long": Record("i", "q" * 9000, "r", "a"),
        "mojibake": Record("i", "q", "cafÃ©", "a"),
        "answer_not_of_type": Record("i", "q", "r", "a", answer_type="number"),
        "answer_not_in_rationale": Record("i", "q", "it is 4", "5", answer_type="number"),
    }[name]
    assert first_failure(bad, ValidateParams()) == name
    assert first_failure(Record("i", "q", "r", "a"), ValidateParams()) is None
    assert first_failure(Record("i", "q", "", "a"), ValidateParams()) is None


def test_an_example_marked_incorrect_may_disagree() -> None:
    record = Record("i", "q", "it is 4", "5", answer_type="number", metadata={"correct": False})
    assert first_failure(record, ValidateParams()) is None


@pytest.mark.parametrize("text", ["naïve café", "10 °C", "한국어", "“quoted” – dashed", "Ångström", "x² ≥ 2", "ÃÂ"])
def test_sound_text_is_no_mojibake(text: str) -> None:
    assert not CHECKS["mojibake"](Record("i", text, "r", "a"), ValidateParams())


def test_loading_imports_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "bank.csv"
    path.write_text("question,rationale,answer\nq,r,a\n")
    code = (
        f"import sys; from skillshot.bank.load import load_bank; load_bank({str(path)!r})\n"
        "heavy = {'pandas', 'pyarrow', 'great_expectations', 'scipy', 'torch', 'datasets', 'datasketch', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
EXPECTED = {
    "tabmwp/dev1k": (994, {"mojibake": 6}),
    "spider/train": (7000, {}),
    "cogs/dev": (3000, {}),
    "aqua_rat/train_flan": (1980, {"answer_not_in_rationale": 90, "mojibake": 69}),
    "aqua_rat/dev": (250, {"answer_not_in_rationale": 4}),
    "gsm8k/train.original": (7468, {"answer_not_in_rationale": 5}),
    "strategyqa/train": (2061, {}),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the banks of ../shared/data")
@pytest.mark.parametrize("name", EXPECTED)
def test_real_banks(name: str) -> None:
    loaded = load_bank(SHARED / f"{name}.jsonl.gz")
    assert (len(loaded.records), dict(Counter(entry.kind for entry in loaded.quarantined))) == EXPECTED[name]


ANSWERED = [{"question": f"How many of {i}?", "answer": f"{i} pens"} for i in range(40)]


def test_rows_without_rationale_are_accepted_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "bank.jsonl"
    for missing, line in ((0, ""), (1, "1 of 40 rows has no rationale"), (3, "3 of 40 rows have no rationale")):
        rows = [row if i < missing else row | {"rationale": f"so {i}"} for i, row in enumerate(ANSWERED)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        caplog.clear()
        loaded = load_bank(path)
        assert len(loaded.records) == 40 and not loaded.quarantined
        assert caplog.messages == ([f"{path}: {line}"] if line else [])
    caplog.clear()
    assert len(load_queries(path).records) == 40
    assert caplog.messages == [], "queries are no bank"


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (ANSWERED, "no row has a rationale"),
        ([row | {"explanation": "so"} for row in ANSWERED],
         "no row has a rationale; column explanation looks like one: --columns rationale=explanation"),
        ([row | {"steps": ["a", "b"]} for row in ANSWERED],
         "no row has a rationale; column steps looks like one: --columns rationale=steps"),
        ([row | {"steps": 3} for row in ANSWERED], "no row has a rationale"),  # a number of steps
        ([row | {"explanation": ""} for row in ANSWERED], "no row has a rationale"),
        ([{"sentence": f"q {i}", "logical_form": "a b c", "steps": "so"} for i in range(9)],
         "no row has a rationale; column steps looks like one: --columns rationale=steps"),
    ],
)  # fmt: skip
def test_a_column_that_looks_like_a_rationale_is_named(
    rows: list[dict[str, Any]], line: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "skillshot")
    assert len(load_bank(rows).records) == len(rows)
    assert caplog.messages == [f"<examples>: {line}"]


def test_the_named_column_can_be_passed_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"task": f"q {i}?", "my answer": "yes", "Chain_of_Thought": f"so {i}"} for i in range(9)]
    given = {"question": "task", "answer": "my answer"}
    load_bank(rows, columns=given)
    (option,) = caplog.messages[-1].split("--columns ")[1:]
    (pairs,) = shlex.split(option)
    columns = dict(pair.split("=") for pair in pairs.split(","))
    assert columns == {**given, "rationale": "Chain_of_Thought"}
    assert [record.rationale for record in load_bank(rows, columns=columns).records] == [f"so {i}" for i in range(9)]
