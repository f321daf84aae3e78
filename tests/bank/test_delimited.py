"""csv and tsv as programs write them: delimiter, header, index, quotes and escapes are read from the content."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.bank.delimited import delimiter_of
from skillshot.bank.headers import is_header
from skillshot.bank.readers import describe, read_raw
from skillshot.common.errors import InputError

QA = [{"question": "a?", "answer": "b"}, {"question": "c?", "answer": "d"}]
QUOTED = [{"question": 'He called it "big", then left?', "answer": "b"}]

# name, content, form, rows
FILES: list[tuple[str, str, str, list[dict[str, str]]]] = [
    ("a.csv", "question,answer\na?,b\nc?,d\n", "csv, delimiter ',', header", QA),
    ("old.csv", "question,answer\r\na?,b\r\nc?,d\r\n", "csv, delimiter ',', header", QA),
    ("semicolon.csv", "question;answer\na?;b\nc?;d\n", "csv, delimiter ';', header", QA),
    ("tabs.csv", "question\tanswer\na?\tb\nc?\td\n", "tsv, delimiter tab, header", QA),
    ("pipe.csv", "question|answer\na?|b\nc?|d\n", "csv, delimiter '|', header", QA),
    ("commas.tsv", "question,answer\na?,b\nc?,d\n", "csv, delimiter ',', header", QA),
    ("a.tab", "question\tanswer\na?\tb\nc?\td\n", "tsv, delimiter tab, header", QA),
    ("sep.csv", "sep=|\r\nquestion|answer\r\na?|b\r\nc?|d\r\n", "csv, delimiter '|', header", QA),
    ("sep_tab.tsv", "sep=\t\nquestion\tanswer\na?\tb\nc?\td\n", "tsv, delimiter tab, header", QA),
    ("sep_odd.csv", "sep=^\nquestion^answer\na?^b\nc?^d\n", "csv, delimiter '^', header", QA),
    ("texts.csv", 'question;answer\n"a, b; c?";"1,5"\n"d, e?";"2,5"\n', "csv, delimiter ';', header",
     [{"question": "a, b; c?", "answer": "1,5"}, {"question": "d, e?", "answer": "2,5"}]),
    ("one.csv", "question\nHow many\nAnd then\n", "csv, delimiter ',', header",
     [{"question": "How many"}, {"question": "And then"}]),
    ("trailing.csv", "question,answer,\na?,b,\nc?,d,\n", "csv, delimiter ',', header", QA),
    ("ends.csv", "question,answer\na?,b,\nc?,d,\n", "csv, delimiter ',', header", QA),
    ("index.csv", ",question,answer\n0,a?,b\n1,c?,d\n", "csv, delimiter ',', index column left out, header", QA),
    ("unnamed.csv", "Unnamed: 0,question,answer\n5,a?,b\n6,c?,d\n",
     "csv, delimiter ',', index column left out, header", QA),
    ("r.csv", "question,answer\n1,a?,b\n2,c?,d\n", "csv, delimiter ',', index column left out, header", QA),
    ("first.csv", ",question\nx,a?\ny,c?\n", "csv, delimiter ',', header",
     [{"column1": "x", "question": "a?"}, {"column1": "y", "question": "c?"}]),
    ("bare.csv", "What is it?,a dog.\nAnd that?,a cat.\n", "csv, delimiter ',', no header: column1 to column2",
     [{"column1": "What is it?", "column2": "a dog."}, {"column1": "And that?", "column2": "a cat."}]),
    ("bare.tsv", "jump twice\tJUMP JUMP\tprimitive\nwalk\tWALK\tprimitive\n",
     "tsv, delimiter tab, no header: column1 to column3",
     [{"column1": "jump twice", "column2": "JUMP JUMP", "column3": "primitive"},
      {"column1": "walk", "column2": "WALK", "column3": "primitive"}]),
    ("mmlu.csv", '"Two, and two?",3,4,B\nHow many legs?,2,4,A\n',
     "csv, delimiter ',', no header: question, A, B, answer",
     [{"question": "Two, and two?", "A": "3", "B": "4", "answer": "B"},
      {"question": "How many legs?", "A": "2", "B": "4", "answer": "A"}]),
    ("no_mmlu.csv", "What is it?,a.,b.,C\nAnd that?,c.,d.,A\n",
     "csv, delimiter ',', no header: column1 to column4",
     [{"column1": "What is it?", "column2": "a.", "column3": "b.", "column4": "C"},
      {"column1": "And that?", "column2": "c.", "column3": "d.", "column4": "A"}]),
    ("names.csv", "task,gloss\nwalk,WALK\njump,JUMP\n", "csv, delimiter ',', header",
     [{"task": "walk", "gloss": "WALK"}, {"task": "jump", "gloss": "JUMP"}]),
    ("zh.csv", "问题,答案\n一加一等于几？,2\n二加二等于几？,4\n", "csv, delimiter ',', header",
     [{"问题": "一加一等于几？", "答案": "2"}, {"问题": "二加二等于几？", "答案": "4"}]),
    ("escaped.csv", 'question,answer\n"He called it \\"big\\", then left?",b\n',
     "csv, delimiter ',', header, backslash escapes", QUOTED),
    ("doubled.csv", 'question,answer\n"He called it ""big"", then left?",b\n', "csv, delimiter ',', header", QUOTED),
    ("latex.csv", 'question,answer\n"Half of \\"\\frac{1}{2}\\"?",\\frac{1}{4}\n',
     "csv, delimiter ',', header, backslash escapes",
     [{"question": 'Half of "\\frac{1}{2}"?', "answer": "\\frac{1}{4}"}]),
    ("path.csv", 'question,answer\n"Where is it?","C:\\"\n"And that?",D:\\\n', "csv, delimiter ',', header",
     [{"question": "Where is it?", "answer": "C:\\"}, {"question": "And that?", "answer": "D:\\"}]),
    ("swallowed.csv", 'question,answer\n"He shouted \\"no\\"",4\n"And she \\"yes\\"",5\n',
     "csv, delimiter ',', header, backslash escapes",
     [{"question": 'He shouted "no"', "answer": "4"}, {"question": 'And she "yes"', "answer": "5"}]),
    ("quotes.tsv", 'question\tanswer\n"a?\tb\nThe 5" one?\tc"\n', "tsv, delimiter tab, quotes are text, header",
     [{"question": '"a?', "answer": "b"}, {"question": 'The 5" one?', "answer": 'c"'}]),
    ("excel.tsv", 'question\tanswer\n"He called it ""big"", then left?"\tb\n', "tsv, delimiter tab, header", QUOTED),
    ("lines.tsv", 'question\tanswer\n"a\nb\tc?"\td\ne?\tf\n',
     "tsv, delimiter tab, quotes are text, header, quoted cells",
     [{"question": "a\nb\tc?", "answer": "d"}, {"question": "e?", "answer": "f"}]),
    ("all.tsv", '"question"\t"answer"\n"a\nb?"\t"c"\n', "tsv, delimiter tab, header",
     [{"question": "a\nb?", "answer": "c"}]),
]  # fmt: skip


def rows_of(path: Path, text: str | bytes) -> list[Any]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_raw(path))


@pytest.mark.parametrize(("name", "text", "form", "rows"), FILES, ids=[file[0] for file in FILES])
def test_a_csv_as_programs_write_it(
    name: str, text: str, form: str, rows: list[dict[str, str]], tmp_path: Path
) -> None:
    raws = rows_of(tmp_path / name, text)
    assert [raw.row for raw in raws if not raw.reason] == rows and not any(raw.reason for raw in raws)
    assert describe(tmp_path / name) == form


def test_what_was_guessed_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows_of(tmp_path / "a.csv", "What is it?;dog.\nAnd that?;cat.\n")
    assert [message.partition(".csv: ")[2] for message in caplog.messages] == [
        "the delimiter is ';'",
        "the first line is no header, so the columns are called column1 to column2",
    ]
    caplog.clear()
    rows_of(tmp_path / "b.csv", "question,,answer\na?,x,b\n")
    assert caplog.messages == [f"{tmp_path / 'b.csv'}: columns without a name are called column2"]


def test_lines_are_counted_across_quoted_cells_and_escapes(tmp_path: Path) -> None:
    raws = rows_of(tmp_path / "a.csv", 'question,answer\n"a\nb?",1\n"c \\"d\\" e?",2\nonly one\n"f?",3\n')
    assert [(raw.line, raw.reason) for raw in raws] == [(2, ""), (4, ""), (5, "1 cells for 2 columns"), (6, "")]


def test_a_short_row_of_a_tsv_takes_no_others_with_it(tmp_path: Path) -> None:
    raws = rows_of(tmp_path / "a.tsv", 'question\tanswer\n"open\na?\tb\nc?\td\n')
    assert [(raw.line, raw.reason) for raw in raws] == [(2, "1 cells for 2 columns"), (3, ""), (4, "")]


def test_the_text_may_be_in_any_usual_encoding(tmp_path: Path) -> None:
    text = "question;answer\nWie groß?;5\n"
    for encoding in ("cp1252", "utf-8-sig", "utf-16"):
        (raw,) = rows_of(tmp_path / "a.csv", text.encode(encoding))
        assert raw.row == {"question": "Wie groß?", "answer": "5"} and raw.recoded == (encoding == "cp1252")


def test_columns_that_are_not_usable_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 1: column names must be there and differ, got 'question, question'"):
        rows_of(tmp_path / "a.csv", "question,question\na,b\n")
    with pytest.raises(InputError, match="two columns are one: 'question' and 'question\\\\u200b'"):
        rows_of(tmp_path / "a.csv", "question,question\u200b\na,b\n")


@pytest.mark.parametrize(
    ("first", "rest", "header"),
    [
        (["question", "answer"], [["a", "b"]], True),
        (["Question", "How sure are you?"], [["a", "b"]], True),
        (["What is it?", "text"], [["And that?", "x"]], False),
        (["12", "13"], [["1", "2"]], False),
        (["walk", "yes"], [["jump", "yes"]], False),
        (["walk", "WALK"], [["jump", "JUMP"]], True),  # nothing shows that it is none
        (["chain of thought"], [], True),
        (["A sentence of more than six words here"], [], False),
        (["answer is 5.", "input"], [["b", "c"]], False),
    ],
)
def test_a_header_is_recognised(first: list[str], rest: list[list[str]], header: bool) -> None:
    assert is_header(first, rest) == header


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).map(str.strip).filter(bool)


@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;|\t"),
    quoted=st.booleans(),
)
def test_what_the_csv_module_writes_is_read_back(
    rows: list[tuple[str, str, str]], delimiter: str, quoted: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = ["question", "rationale", "answer"]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([names, *rows])
    path = tmp_path_factory.mktemp("csv") / ("bank.tsv" if delimiter == "\t" else "bank.csv")
    raws = rows_of(path, out.getvalue())
    assert [raw.row for raw in raws] == [dict(zip(names, row, strict=True)) for row in rows]


@given(st.text(max_size=200))
def test_any_text_has_a_delimiter(text: str) -> None:
    assert delimiter_of(text, ",") in ",;|\t"


@given(data=st.binary(max_size=300))
def test_any_bytes_are_rows_or_an_error_of_ours(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("a.csv", "a.tsv", "a.json", "a.yaml", "a.txt", "a.db", "a.jsonl"):
        try:
            raws = rows_of(folder / name, data)
        except InputError as error:
            assert len(str(error).splitlines()) <= 3
        else:
            assert raws and all(raw.line > 0 for raw in raws)
