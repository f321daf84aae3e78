"""Files of any form become the same raw rows, and what was understood of each is stated."""

from __future__ import annotations

import bz2
import gzip
import json
import logging
import lzma
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from skillshot.bank.load import load_bank, load_queries, load_questions
from skillshot.bank.readers import describe, read_raw
from skillshot.common.errors import InputError

A = {"question": "What is 1 + 2?", "rationale": "1 + 2 = 3", "answer": "3"}
B = {"question": "Wie viel ist 2 + 2, ü?", "rationale": "2 + 2 = 4\nso 4", "answer": "4"}
AB = [A, B]
TURN = {"messages": [{"role": "user", "content": "a?"}, {"role": "assistant", "content": "b"}]}
CHOICE = {"question": "Which?", "choices": [{"label": "A", "text": "frog"}, {"label": "B", "text": "dog"}]}
CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "banks"


def j(value: Any, **layout: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **layout)


LINES = f"{j(A)}\n{j(B)}\n"
TESTS = [{"vars": {"question": "a?"}, "assert": [{"type": "equals", "value": "b"}]}]
DEMOS = [{"augmented": True, "question": "a?", "reasoning": "so", "answer": "b"}]
BIG = {"name": "t", "description": "d", "keywords": ["k"], "metrics": ["m"], "examples": [{"input": "a", "target": 1}]}
COT = """A task about sums.

Q: What is 1 + 2?
Options:
(A) 3
A: Let's think step by step.

1 + 2 = 3. So the answer is (A).

Q: And 2 + 2?
A: 4
"""
SOLVED = [
    {
        "question": "What is 1 + 2?\nOptions:\n(A) 3",
        "answer": "Let's think step by step.\n\n1 + 2 = 3. So the answer is (A).",
    },
    {"question": "And 2 + 2?", "answer": "4"},
]
CANARY = "BIG-BENCH HARD CANARY: do not train on this file.\nGUID: 0\n-----\n"

# name, content, form, rows
FILES: list[tuple[str, str | bytes, str, list[Any]]] = [
    ("a.jsonl", LINES, "JSON lines", AB),
    ("lines.json", LINES, "JSON lines", AB),
    ("lines.txt", LINES, "JSON lines", AB),
    ("lines", LINES, "JSON lines", AB),
    ("commented.ndjson", "\ufeff\n" + LINES, "JSON lines", AB),
    ("array.json", j(AB), "JSON array", AB),
    ("array.jsonl", j(AB), "JSON array", AB),
    ("array.txt", j(AB, indent=2), "JSON array", AB),
    ("indented.json", j(AB, indent=4), "JSON array", AB),
    ("arrays.json", f"{j([A])}\n{j([B])}", "JSON array", AB),
    ("array.json.gz", gzip.compress(j(AB).encode()), "JSON array, gzip", AB),
    ("array.json.xz", lzma.compress(j(AB).encode()), "JSON array, xz", AB),
    ("lines.json.bz2", bz2.compress(LINES.encode()), "JSON lines, bz2", AB),
    ("streams.jsonl.bz2", bz2.compress(f"{j(A)}\n".encode()) + bz2.compress(j(B).encode()), "JSON lines, bz2", AB),
    ("streams.jsonl.xz", lzma.compress(f"{j(A)}\n".encode()) + lzma.compress(j(B).encode()), "JSON lines, xz", AB),
    ("utf16.json", j(AB).encode("utf-16"), "JSON array", AB),
    ("cp1252.json", j(AB).encode("cp1252"), "JSON array", AB),
    ("mark.json", b"\xef\xbb\xbf" + j(AB).encode(), "JSON array", AB),
    ("examples.json", j({"examples": AB}), "JSON object, list 'examples'", AB),
    ("data.json", j({"version": 1, "data": AB, "tags": ["x"]}, indent=1), "JSON object, list 'data'", AB),
    ("deep.json", j({"dataset": {"train": AB}}), "JSON object, list 'dataset.train'", AB),
    ("ids.json", j({"i1": A, "i2": B}), "JSON object of ids", [{"id": "i1", **A}, {"id": "i2", **B}]),
    ("data_ids.json", j({"data": {"i1": A, "i2": B}}), "JSON object of ids", [{"id": "i1", **A}, {"id": "i2", **B}]),
    ("columns.json", j({key: [A[key], B[key]] for key in A}), "JSON object of columns", AB),
    ("pandas.json", j({key: {"0": A[key], "1": B[key]} for key in A}), "JSON object of columns", AB),
    ("split.json", j({"columns": list(A), "index": [0, 1], "data": [list(A.values()), list(B.values())]}),
     "JSON object of columns", AB),
    ("one.json", j(A, indent=2), "JSON object", [A]),
    ("one.jsonl", j(A), "JSON lines", [A]),
    ("turns.jsonl", j(TURN), "JSON lines", [TURN]),
    ("choices.json", j(CHOICE), "JSON lines", [CHOICE]),
    ("pretty.jsonl", f"{j(A, indent=2)}\n{j(B, indent=2)}\n", "JSON objects over several lines", AB),
    ("commas.json", f"{j(A, indent=2)},\n{j(B, indent=2)}\n", "JSON objects over several lines", AB),
    ("joined.jsonl", f"{j(A, indent=2)} {j(B)}", "JSON objects over several lines", AB),
    ("rows.jsonl", "".join(f"{j({'row': row})}\n" for row in AB), "JSON lines", AB),
    ("row.jsonl", j({"row": A}), "JSON lines", [A]),
    ("data_a_line.jsonl", "".join(f"{j({'data': row})}\n" for row in AB), "JSON lines", AB),
    ("server.json", j({"features": [{"name": "q"}], "rows": [{"row_idx": 0, "row": A, "truncated_cells": []}]}),
     "JSON object, list 'rows'", [A]),
    ("promptfoo.json", j({"prompts": ["p"], "providers": [{"id": "x"}], "tests": TESTS}),
     "JSON object, list 'tests'", TESTS),
    ("big_bench.json", j(BIG), "JSON object, list 'examples'", BIG["examples"]),
    ("dspy.json", j({"predict": {"traces": [], "train": [], "demos": DEMOS, "signature": {"fields": [{"prefix": "Q:"}]},
     "lm": None}, "metadata": {"versions": {"dspy": "3"}}}), "JSON object, list 'predict.demos'", DEMOS),
    ("list.yaml", "- {question: a, answer: 'yes'}\n- question: b\n  answer: no\n", "YAML, array",
     [{"question": "a", "answer": "yes"}, {"question": "b", "answer": "no"}]),
    ("examples.yml", "examples:\n- input: a\n  output: b\n", "YAML, list 'examples'", [{"input": "a", "output": "b"}]),
    ("block.yaml.gz", gzip.compress(b"- question: a\n  rationale: |\n    x\n      y\n  answer: 1_000\n"),
     "YAML, array, gzip", [{"question": "a", "rationale": "x\n  y\n", "answer": "1_000"}]),
    ("scalars.yaml", "- {a: 12:30, b: 2024-01-01, c: 010, d: 1.50, e: 7, f: 2.5, g: true, h: on, i: ~, j: 1e3}\n",
     "YAML, array",
     [{"a": "12:30", "b": "2024-01-01", "c": "010", "d": "1.50", "e": 7, "f": 2.5, "g": True, "h": "on", "i": None,
       "j": "1e3"}]),
    ("aliases.yaml", "base: &b {unit: km}\nrows:\n- {question: a, <<: *b}\n", "YAML, list 'rows'",
     [{"question": "a", "unit": "km"}]),
    ("documents.yaml", "question: a\n---\nquestion: b\n", "YAML, array", [{"question": "a"}, {"question": "b"}]),
    ("prompt.txt", COT, "text of questions and answers", SOLVED),
    ("boolean.txt", CANARY + COT, "text of questions and answers", SOLVED),
    ("prompt.prompt", COT.replace("Q:", "Question:").replace("A:", "Answer:"), "text of questions and answers", SOLVED),
    ("steps.txt", "Question: a?\nLet's think step by step\nb\nThe answer is c\n\n"
     "Question: d?\nLet's think step by step\ne\n",
     "text of questions and answers",
     [{"question": "a?", "answer": "Let's think step by step\nb\nThe answer is c"},
      {"question": "d?", "answer": "Let's think step by step\ne"}]),
    ("slot.txt", "Q: a?\nA: b\n\nQ: {question}\nA:", "text of questions and answers",
     [{"question": "a?", "answer": "b"}]),
    ("table.txt", "question|answer\na?|b\n", "csv, delimiter '|', header", [{"question": "a?", "answer": "b"}]),
]  # fmt: skip


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("name", "content", "form", "rows"), FILES, ids=[file[0] for file in FILES])
def test_a_file_of_any_form(name: str, content: str | bytes, form: str, rows: list[Any], tmp_path: Path) -> None:
    path = write(tmp_path / name, content)
    raws = list(read_raw(path))
    assert [raw.row for raw in raws] == rows
    assert [raw.reason for raw in raws] == [""] * len(rows)
    assert all(raw.file == name and raw.line > 0 for raw in raws)
    assert describe(path) == form


REFUSED: list[tuple[str, str, str, str]] = [
    ("two.json", j({"train": [A], "test": [B]}), "",
     r"two.json: several lists of objects: train, test\nname one: .*::train$"),
    ("two.yaml", "a:\n- {q: 1}\nb:\n- {q: 2}\n", "", r"several lists of objects: a, b\nname one: .*two.yaml::a$"),
    ("predictors.json", j({"a": {"demos": DEMOS, "traces": []}, "b": {"demos": DEMOS, "traces": []}}), "",
     r"several lists of objects: a.demos, b.demos\nname one: .*::a.demos"),
    ("two.json", j({"train": [A], "test": [B]}), "dev", r"no list of objects under 'dev'; there are: train, test"),
    ("lines.json", LINES, "a", "JSON lines have no part 'a'"),
    ("array.json", j(AB), "a", "a list has no part 'a'"),
    ("bank.csv", "question,answer\na,b\n", "x", "a csv file has no part 'x'"),
    ("empty.json", "[]", "", "empty.json: no rows"),
    ("empty_list.json", '{"examples": []}', "", ""),
    ("broken.json", '[{"a": 1},\n {"a": 2}\n {"a": 3}]', "",
     "line 3: not a JSON array: a comma or the array's end is missing"),
    ("cut.json", '[{"a": 1},\n {"a": ', "", "line 2: not a JSON array: the file ends within this row"),
    ("after.json", '[{"a": 1}] and more', "", "line 1: not a JSON array: text after the array's end"),
    ("broken.yaml", "- a: 1\n - b\n", "", "broken.yaml: line 2: not YAML"),
    ("object.yaml", "- !!python/object/apply:os.getcwd []\n", "",
     "line 1: not YAML: could not determine a constructor"),
    ("twice.yaml", "- question: a\n  question: b\n", "", "line 2: key 'question' twice"),
    ("prose.txt", "Only prose.\nNothing else.\n", "", r"unknown kind of file; known: \.jsonl"),
    ("bank.zst", b"\x28\xb5\x2f\xfd0000".decode("latin-1"), "", "unknown kind"),
    ("old.xls", "\xd0\xcf", "", "unknown kind"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "part", "message"), REFUSED, ids=[f"{r[0]} {r[2]}" for r in REFUSED])
def test_what_cannot_be_read_is_refused_with_the_fix(
    name: str, content: str, part: str, message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / name, content)
    if not message:  # one row, which asks nothing
        assert [raw.row for raw in read_raw(path)] == [{"examples": []}]
        return
    with pytest.raises(InputError, match=message) as caught:
        list(read_raw(f"{path}::{part}" if part else path))
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    ("part", "row"), [("train", A), ("test", B), ("more.dev", {"question": "c"}), ("ids", {"id": "x", "question": "d"})]
)
def test_a_part_of_an_object_is_named_after_the_file(part: str, row: dict[str, str], tmp_path: Path) -> None:
    doc = {"train": [A], "test": [B], "more": {"dev": [{"question": "c"}]}, "ids": {"x": {"question": "d"}}}
    path = write(tmp_path / "two.json", j(doc))
    assert [raw.row for raw in read_raw(f"{path}::{part}")] == [row]
    assert describe(f"{path}::{part}") == f"JSON part {part!r}"


def test_a_file_whose_name_has_the_mark_of_a_part(tmp_path: Path) -> None:
    path = write(tmp_path / "a::b.jsonl", LINES)
    assert [raw.row for raw in read_raw(path)] == AB


def test_rows_that_are_no_objects_and_broken_ones_are_bad_rows(tmp_path: Path) -> None:
    text = '[{"a": 1}, 7, {"a": NaN}, {oops}, {"a": 1, "a": 2}, null, {"b": [1, {"c": "]}"}]}]'
    raws = list(read_raw(write(tmp_path / "a.json", text)))
    assert [raw.row for raw in raws if not raw.reason] == [{"a": 1}, {"b": [1, {"c": "]}"}]}]
    assert [raw.reason[:14] for raw in raws if raw.reason] == ["not a JSON obj", *["not JSON: NaN ", "not JSON: Expe",
            "not JSON: key "], "not a JSON obj"]  # fmt: skip
    assert [raw.line for raw in raws] == [1, 2, 3, 4, 5, 6, 7]


def test_an_object_that_never_ends_is_a_bad_row(tmp_path: Path) -> None:
    raws = list(read_raw(write(tmp_path / "a.jsonl", f'{j(A, indent=1)}\n{{"a":\n1')))
    assert raws[0].row == A
    assert (raws[1].line, raws[1].reason) == (6, "not JSON: the file ends within this object")


def sheets(path: Path, **tables: list[list[Any]]) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    book.save(path)
    return path


def test_the_first_sheet_of_an_excel_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import datetime

    table = [["question", "answer", "when", "ok"], ["a?", 3, datetime.datetime(2024, 5, 6), True], [], ["b?", 2.5]]
    path = sheets(tmp_path / "bank.xlsx", one=table, two=[["question"], ["c?"]])
    raws = list(read_raw(path))
    assert [(raw.line, raw.row) for raw in raws] == [
        (2, {"question": "a?", "answer": 3, "when": "2024-05-06", "ok": True}),
        (4, {"question": "b?", "answer": 2.5}),
    ]
    assert "the first of the sheets one, two is read" in caplog.text
    assert describe(path) == "sheet 'one' of an Excel file, header"
    assert [raw.row for raw in read_raw(f"{path}::two")] == [{"question": "c?"}]
    with pytest.raises(InputError, match="no sheet 'three'; there are: one, two"):
        list(read_raw(f"{path}::three"))


def test_a_sheet_without_header_and_with_an_index(tmp_path: Path) -> None:
    path = sheets(tmp_path / "bank.xlsx", s=[["What is it?", "a dog."], ["And that?", "a cat."]])
    assert next(read_raw(path)).row == {"column1": "What is it?", "column2": "a dog."}
    path = sheets(tmp_path / "index.xlsx", s=[[None, "question", "answer"], [0, "a?", "b"], [1, "c?", "d"]])
    assert [raw.row for raw in read_raw(path)] == [{"question": "a?", "answer": "b"}, {"question": "c?", "answer": "d"}]
    assert describe(path) == "sheet 's' of an Excel file, index column left out, header"


def test_a_binary_file_is_what_its_first_bytes_say(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(AB), tmp_path / "bank.xlsx")
    assert [raw.row for raw in read_raw(tmp_path / "bank.xlsx")] == AB
    assert "is read as parquet, which it is, whatever its name" in caplog.text
    sheets(tmp_path / "bank.csv", s=[list(A), list(A.values())])
    assert [raw.row for raw in read_raw(tmp_path / "bank.csv")] == [A]


def database(path: Path, *statements: str) -> Path:
    base = sqlite3.connect(path)
    for statement in statements:
        base.execute(statement)
    base.commit()
    base.close()
    return path


def test_the_only_table_of_an_sqlite_file(tmp_path: Path) -> None:
    path = database(
        tmp_path / "bank #1?.db",
        "CREATE TABLE t (question TEXT, answer, n REAL, raw BLOB)",
        "INSERT INTO t VALUES ('a?', 3, 1.5, x'00ff'), ('b?', NULL, 2, NULL)",
        "INSERT INTO t (question) VALUES (CAST(x'636166e9' AS TEXT))",
        "CREATE VIEW v AS SELECT question FROM t",
    )
    raws = list(read_raw(path))
    assert [raw.row for raw in raws] == [
        {"question": "a?", "answer": 3, "n": 1.5, "raw": b"\x00\xff"},
        {"question": "b?", "answer": None, "n": 2.0, "raw": None},
        {"question": "café", "answer": None, "n": None, "raw": None},
    ]
    assert [raw.line for raw in raws] == [1, 2, 3]
    assert describe(path) == "table 't' of an sqlite file"
    assert next(read_raw(f"{path}::v")).row == {"question": "a?"}
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_tables_are_chosen_by_name_whatever_it_is(tmp_path: Path) -> None:
    path = database(tmp_path / "bank.sqlite", 'CREATE TABLE "a ""b"";--" (question)', "CREATE TABLE c (question)",
                    '''INSERT INTO "a ""b"";--" VALUES ('q?')''')  # fmt: skip
    with pytest.raises(InputError, match=r'several tables: a "b";--, c\nname one: .*::a "b";--'):
        list(read_raw(path))
    assert [raw.row for raw in read_raw(f'{path}::a "b";--')] == [{"question": "q?"}]
    with pytest.raises(InputError, match="no rows in this file"):
        list(read_raw(f"{path}::C"))
    with pytest.raises(InputError, match="no table 'd'; there are"):
        list(read_raw(f"{path}::d"))
    with pytest.raises(InputError, match="no such file"):
        list(read_raw(tmp_path / "none.db"))
    assert not (tmp_path / "none.db").exists(), "it must not be created"


def test_an_sqlite_file_with_a_write_ahead_log(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "bank.db")
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("CREATE TABLE t (question)")
    base.execute("INSERT INTO t VALUES ('a?')")
    base.commit()
    assert [raw.row for raw in read_raw(tmp_path / "bank.db")] == [{"question": "a?"}], "still in the log"
    base.close()
    assert [raw.row for raw in read_raw(tmp_path / "bank.db")] == [{"question": "a?"}]
    assert [file.name for file in tmp_path.iterdir()] == ["bank.db"]


def test_a_folder_of_many_forms(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "a.jsonl", j(A))
    write(tmp_path / "b.csv", "question,answer\na,b\n")
    write(tmp_path / "dataset_info.json", '{"features": []}')
    write(tmp_path / "README.txt", "Q: a\nA: b\n")
    assert len(list(read_raw(tmp_path))) == 2
    assert "these are not read: dataset_info.json; if they hold rows, pass them on their own" in caplog.text
    assert describe(tmp_path) == "folder of 2 files: 1 of JSON lines; 1 of csv, delimiter ',', header"
    with pytest.raises(InputError, match="a folder has no part"):
        list(read_raw(f"{tmp_path}::a"))


def test_a_folder_of_prompts_or_of_json_alone(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        write(tmp_path / name, COT)
    write(tmp_path / "LICENSE.txt", "Anyone may use it.")
    assert [raw.row for raw in read_raw(tmp_path)] == SOLVED * 2
    assert describe(tmp_path) == "folder of 2 files: 2 of text of questions and answers"


def test_banks_queries_and_questions_go_through_the_same_door(tmp_path: Path) -> None:
    rows = [{**A, "question": f"{A['question']} {n}"} for n in range(30)]
    for path in (
        write(tmp_path / "bank.json", j({"examples": rows})),
        write(tmp_path / "bank.txt", j(rows, indent=1)),
        write(tmp_path / "bank.json.xz", lzma.compress(j(rows).encode())),
        write(tmp_path / "bank.yaml", j(rows)),
    ):
        assert len(load_bank(path).records) == len(load_queries(path).records) == 30, path.name
        assert len(load_questions(path).records) == 30, path.name
    path = database(tmp_path / "bank.db", "CREATE TABLE a (question)", "CREATE TABLE b (question)",
                    "INSERT INTO b VALUES ('q?')")  # fmt: skip
    assert [record.question for record in load_questions(f"{path}::b").records] == ["q?"]


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("What is it?\n{\"question\": \"And that?\"}\n[Hint] Why?\n", ["What is it?", "And that?", "[Hint] Why?"]),
        ('{"question": "a?"}\nb?\n', ["a?", "b?"]),
        ("[A] or [B]?\n", ["[A] or [B]?"]),
        ("Q: a?\nQ: b?\n", ["Q: a?", "Q: b?"]),
        ("question, or answer?\nboth?\n", ["question, or answer?", "both?"]),
        ('{"row": {"question": "a?"}}\n{"row": {"question": "b?"}}\n', ["a?", "b?"]),
        (j([{"question": "a?"}]), ["a?"]),
    ],
)  # fmt: skip
def test_a_text_of_questions_stays_one(text: str, questions: list[str], tmp_path: Path) -> None:
    assert [record.question for record in load_questions(write(tmp_path / "q.txt", text)).records] == questions


def test_describing_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    describe(write(tmp_path / "a.tsv", "Which is it?\tdog.\nAnd that?\tcat.\n"))
    assert caplog.messages == []


SHARED: dict[str, tuple[str, int, Any]] = {  # form, rows, the first row or its keys
    "chat_ids.jsonl": ("JSON lines", 40, {"id", "messages"}),
    "chat_multi_turn.jsonl": ("JSON lines", 1, {"messages"}),
    "csv_backslash.csv": ("csv, delimiter ',', header, backslash escapes", 3, {"question", "answer", "rationale"}),
    "csv_caps.csv": ("csv, delimiter ',', header", 1, {"Question", "Answer", "Rationale"}),
    "csv_pandas_index.csv": ("csv, delimiter ',', index column left out, header", 1,
                             {"question": "How many is 1 + 1?", "answer": "2", "rationale": "1 + 1 = 2"}),
    "csv_semicolon.csv": ("csv, delimiter ';', header", 1,
                          {"question": "How many is 1 + 1?", "answer": "2", "rationale": "1 + 1 = 2"}),
    "csv_sep.csv": ("csv, delimiter ';', header", 1,
                    {"question": "How many is 1 + 1?", "answer": "2", "rationale": "1 + 1 = 2"}),
    "equation_rationale.jsonl": ("JSON lines", 5, {"question", "equation", "ans"}),
    "ex.yaml": ("YAML, list 'examples'", 1, {"input": "a", "output": "b"}),
    "foreign_answer_type.jsonl": ("JSON lines", 1, {"question", "rationale", "answer", "answer_type"}),
    "labels_true_false_unknown.jsonl": ("JSON lines", 2, {"question", "rationale", "answer"}),
    "latex_answer.jsonl": ("JSON lines", 1, {"problem", "solution"}),
    "lines.json": ("JSON lines", 2, {"question": "What is 2 + 3?", "rationale": "2 + 3 = 5", "answer": "5"}),
    "math_ids.jsonl": ("JSON lines", 40, {"id", "problem", "solution"}),
    "mc_index.jsonl": ("JSON lines", 1, {"question", "choices", "answer", "solution"}),
    "mc_label_text.jsonl": ("JSON lines", 2, {"question", "choices", "answerKey", "rationale"}),
    "nested.parquet": ("parquet", 40, {"data_source", "prompt", "reward_model", "extra_info", "when", "price", "emb",
                                       "blob"}),
    "no_header.tsv": ("tsv, delimiter tab, no header: column1 to column3", 2,
                      {"column1": "Which is a mammal?", "column2": "dog", "column3": "A dog nurses its young."}),
    "one_template.jsonl": ("JSON lines", 200, {"question", "rationale", "answer"}),
    "pandas_list.csv": ("csv, delimiter ',', header", 1, {"question", "options", "answer", "rationale"}),
    "percent_answer.jsonl": ("JSON lines", 1, {"question", "rationale", "answer"}),
    "pretty.jsonl": ("JSON objects over several lines", 2, {"question": "a", "rationale": "2", "answer": "2"}),
    "pretty.jsonl.bz2": ("JSON objects over several lines, bz2", 2, {"question": "a", "rationale": "2", "answer": "2"}),
    "python_rationale.jsonl": ("JSON lines", 1, {"question", "rationale", "answer"}),
    "q_and_sql.jsonl": ("JSON lines", 22, {"question", "query"}),
    "question_be" "side_problem.jsonl": ("JSON lines", 1, {"problem", "solution", "question", "answer"}),
    "small12.jsonl": ("JSON lines", 12, {"question", "rationale", "answer"}),
    "small24.jsonl": ("JSON lines", 24, {"question", "rationale", "answer"}),
    "tsv_quotes.tsv": ("tsv, delimiter tab, quotes are text, header", 3,
                       {"question": '"Stop, he ' 'sa' 'id, and 3 plus 1 is what?', "answer": "4",
                        "rationale": "It is 3 + 1 = 4"}),
    "tsv_quotes3.tsv": ("tsv, delimiter tab, quotes are text, header", 2,
                        {"question": '"Only dogs bark."', "answer": "no", "rationale": "Foxes bark too."}),
    "wrapped.json": ("JSON object, list 'examples'", 1,
                     {"question": "What is 2 + 3?", "rationale": "2 + 3 = 5", "answer": "5"}),
    "wrapped.jsonl": ("JSON array", 1, {"question": "a", "rationale": "2", "answer": "2"}),
    "zh.jsonl": ("JSON lines", 1, {"question", "rationale", "answer"}),
}  # fmt: skip


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases/banks")
@pytest.mark.parametrize("name", SHARED)
def test_the_shared_cases_become_these_rows(name: str) -> None:
    form, count, first = SHARED[name]
    raws = list(read_raw(CASES / name))
    assert describe(CASES / name) == form
    assert len(raws) == count and not any(raw.reason for raw in raws)
    assert (set(raws[0].row) if isinstance(first, set) else raws[0].row) == first


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases/banks")
def test_the_shared_cases_are_all_known() -> None:
    assert {path.name for path in CASES.iterdir()} == {*SHARED, "bank.xlsx", "bank.sqlite"}
    rows = [raw.row["question"] for raw in read_raw(CASES / "csv_backslash.csv")]
    assert rows[1] == 'Bo has "5" pens and buys 5, how many?'
    assert next(iter(read_raw(CASES / "nested.parquet"))).row["prompt"][0]["role"] == "user"


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases/banks")
def test_the_shared_excel_file() -> None:
    path = CASES / "bank.xlsx"
    assert len(list(read_raw(path))) > 0
    if not path.read_bytes().startswith(b"PK"):
        assert describe(path) == "parquet"
        pytest.skip("bank.xlsx of ../shared is no Excel file but a copy of nested.parquet")
    assert describe(path).startswith("sheet ")


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases/banks")
def test_the_shared_sqlite_file() -> None:
    try:
        assert set(next(iter(read_raw(CASES / "bank.sqlite"))).row) == {"question", "rationale", "answer"}
    except InputError as error:
        assert str(error).endswith("bank.sqlite: no rows in this file")
        pytest.skip("the table of bank.sqlite of ../shared has no rows")
