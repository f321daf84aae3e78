"""Files of each form that are small and stand for very much, or never end, are refused before they cost anything."""

from __future__ import annotations

import bz2
import json
import lzma
import sqlite3
import zipfile
from pathlib import Path

import pytest

from helpers.growth import assert_linear, soon
from skillshot.bank import database, documents, json_text
from skillshot.bank.limits import MAX_DEPTH
from skillshot.bank.readers import describe, read_raw
from skillshot.bank.rows import Raw
from skillshot.common.errors import InputError

MIB = 1 << 20
SHEET = "xl/worksheets/sheet1.xml"


def refused(path: Path, part: str = "") -> str:
    """The message with which a file is refused, soon."""
    with soon(), pytest.raises(InputError) as caught:
        for _ in read_raw(f"{path}::{part}" if part else path):
            pass
    assert path.name in str(caught.value) and len(str(caught.value).splitlines()) <= 3
    return str(caught.value)


def rows(path: Path, content: str | bytes) -> list[Raw]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with soon():
        return list(read_raw(path))


@pytest.mark.parametrize("name", ["a.jsonl.bz2", "a.csv.xz", "a.json.bz2", "a.yaml.xz", "a.tsv.bz2"])
def test_a_bomb_of_any_compression(name: str, tmp_path: Path) -> None:
    pack = bz2.compress if name.endswith("bz2") else lzma.compress
    block = b'{"a": 1},\n' * 100_000
    (tmp_path / name).write_bytes(pack(b"[" + block) + pack(block) * 20 + pack(b"{}]"))
    assert "200 times as much" in refused(tmp_path / name)


def test_an_xz_file_that_asks_for_much_memory(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1024 * MIB}]
    (tmp_path / "a.jsonl.xz").write_bytes(lzma.compress(b'{"a": 1}\n', filters=filters))
    assert "damaged xz after line 0: Memory usage limit" in refused(tmp_path / "a.jsonl.xz")


@pytest.mark.parametrize("name", ["a.jsonl.bz2", "a.jsonl.xz"])
def test_a_damaged_or_cut_compression(name: str, tmp_path: Path) -> None:
    packed = (bz2 if name.endswith("bz2") else lzma).compress(b'{"a": 1}\n' * 100)
    for data in (packed[:-10], packed[:20] + b"\xff" * 9 + packed[29:], packed + b"rest"):
        (tmp_path / name).write_bytes(data)
        assert f"damaged {name[-3:].strip('.')}" in refused(tmp_path / name)


def test_very_many_streams_take_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.bz2"
    path.write_bytes(bz2.compress(b"") * 50_000 + bz2.compress(b'{"a": 1}\n'))
    with soon():
        assert [raw.row for raw in read_raw(path)] == [{"a": 1}]


def test_a_json_line_of_10_mb_is_a_bad_row(tmp_path: Path) -> None:
    line = json.dumps({"question": "a" * 10_000_000})
    (raw,) = rows(tmp_path / "a.jsonl", line)
    assert raw.reason == "line over 4 MiB"
    assert [raw.reason for raw in rows(tmp_path / "b.jsonl", f"{line}\n{{}}")] == ["line over 4 MiB", ""]
    assert [raw.reason for raw in rows(tmp_path / "c.jsonl", f"{{}}\n{line}\n")] == ["", "line over 4 MiB"]
    over = json.dumps({"question": "a" * 5_000_000})
    assert [raw.reason for raw in rows(tmp_path / "d.json", f"[{{}}, {over}, {{}}]")] == ["", "row over 4 MiB", ""]
    assert "a row of over 4 MiB" in _refused_text(tmp_path / "e.json", '[{"a": "' + "b" * 10_000_000)


def test_a_large_object_of_rows_in_one_line_is_read(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.json", json.dumps({"data": [{"q": "a" * 1000}] * 8_000}))
    assert len(found) == 8_000 and not any(raw.reason for raw in found)


def test_an_object_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_DOCUMENT", 5 * MIB)
    (raw,) = rows(tmp_path / "a.json", json.dumps({"data": [{"q": "a" * 1000}] * 8_000}))
    assert raw.reason == "line over 5 MiB"
    (raw,) = rows(tmp_path / "b.json", json.dumps({"data": [{"q": "a" * 1000}] * 8_000}, indent=1))
    assert raw.reason == "row over 5 MiB"


def _refused_text(path: Path, text: str) -> str:
    path.write_text(text)
    return refused(path)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 100_000])
@pytest.mark.parametrize("nested", ["[{}]", '{{"a": {}}}'])
def test_deep_nesting_is_a_bad_row_or_an_error(depth: int, nested: str, tmp_path: Path) -> None:
    opening, closing = nested.replace("{{", "{").replace("}}", "}").split("{}")[0], "]" if nested == "[{}]" else "}"
    deep = opening * depth + "1" + closing * depth
    for name, text in (
        ("a.jsonl", f'{{"q": {deep}}}\n{{"q": 1}}\n'),
        ("b.json", f'[{{"q": {deep}}}, {{"q": 1}}]'),
        ("c.json", f'{{"q":\n{deep}}}\n{{"q":\n1}}'),
    ):
        found = rows(tmp_path / name, text)
        assert [raw.row for raw in found if not raw.reason] == [{"q": 1}], name
        assert found[0].reason.removeprefix("not JSON: ").startswith("nested too deeply"), name
    found = rows(tmp_path / "d.json", f'{{"data": [{{"q": {deep}}}]}}')
    assert found[0].reason.removeprefix("not JSON: ").startswith("nested too deeply")
    if depth > MAX_DEPTH + 1:
        assert "nested too deeply" in _refused_text(tmp_path / "a.yaml", f"- q: {deep}\n")
    else:
        assert "nested too deeply" in rows(tmp_path / "a.yaml", f"- q: {deep}\n")[0].reason


@pytest.mark.parametrize("text", ["{" * 200_000, "[" * 200_000, '{"a":' * 100_000, "[[{" * 60_000])
def test_brackets_that_never_close(text: str, tmp_path: Path) -> None:
    for name in ("a.json", "a.txt", "a.yaml"):
        try:
            found = rows(tmp_path / name, text)
        except InputError as error:
            assert name in str(error)
        else:
            assert all(raw.reason for raw in found)


def test_zero_bytes_and_utf_16_without_a_mark(tmp_path: Path) -> None:
    assert [raw.row for raw in rows(tmp_path / "a.json", b'[{"a\0": \x001}]\0\0')] == [{"a": 1}]
    assert [raw.row for raw in rows(tmp_path / "a.csv", b"ques\0tion,answer\na,b\0\n")] == [
        {"question": "a", "answer": "b"}
    ]
    assert [raw.row for raw in rows(tmp_path / "b.json", '[{"a": 1}]'.encode("utf-16-le"))] == [{"a": 1}]
    assert "no rows" in _refused_text(tmp_path / "c.csv", "\0" * 1000)
    assert "not YAML" in _refused_text(tmp_path / "d.yaml", "- a\0: b\n")
    for name in ("e.json", "e.csv", "e.yaml"):
        (tmp_path / name).write_bytes(json.dumps([{"a": "é"}]).encode("utf-16")[:-1])
        assert "cannot be read" in refused(tmp_path / name)


LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
MERGED = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12))


@pytest.mark.parametrize("text", [LAUGHS + "rows:\n- {q: *a11}\n", MERGED + "rows:\n- {q: *a11}\n"])
def test_yaml_whose_aliases_stand_for_billions(text: str, tmp_path: Path) -> None:
    assert "200 times as much" in _refused_text(tmp_path / "a.yaml", text)


def test_yaml_that_contains_itself_or_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "line 1: *a contains itself" in _refused_text(tmp_path / "a.yaml", "- &a {q: *a}\n")
    assert "contains itself, or is no anchor" in _refused_text(tmp_path / "b.yaml", "- {q: *nothing}\n")
    monkeypatch.setattr("skillshot.bank.yaml_text.MAX_YAML", 1000)
    assert "of YAML\nwrite it as jsonl" in _refused_text(tmp_path / "c.yaml", "- a: b\n" * 200)


def view(path: Path, query: str) -> Path:
    base = sqlite3.connect(path)
    base.execute(f"CREATE VIEW bank AS {query}")
    base.commit()
    base.close()
    return path


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (f"{ENDLESS} SELECT 'q' AS question FROM n", "200 times as much"),
        (f"{ENDLESS} SELECT printf('%.3000000c', 'x') AS question FROM n", "200 times as much"),
        (f"{ENDLESS} SELECT 'q' AS question FROM n WHERE i < 0", "a view that computes for long without giving a row"),
        (f"{ENDLESS} SELECT count(*) AS question FROM n", "a view that computes for long"),
        ("SELECT zeroblob(1000000000) AS question", "a value of over 4 MiB"),
        ("SELECT * FROM absent", "no such table"),
        (f"SELECT {', '.join(f'{n} AS c{n}' for n in range(1500))}", "1,500 columns, at most 1,000"),
    ],
)
def test_a_view_that_never_ends(query: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_WORK", 2_000_000)
    assert message in refused(view(tmp_path / "a.db", query))


def test_a_damaged_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE t (question)")
    base.executemany("INSERT INTO t VALUES (?)", [(f"{n} " * 50,) for n in range(2000)])
    base.commit()
    base.close()
    data = bytearray(path.read_bytes())
    data[8192:40_960] = b"\xff" * (40_960 - 8192)
    path.write_bytes(data)
    assert "not a readable sqlite table (after row" in refused(path)
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 200)
    assert "not a readable sqlite table" in refused(path)
    path.write_bytes(b"no database")
    assert "not a readable sqlite table" in refused(path)


def excel(path: Path, sheet: str, **parts: str) -> Path:
    """An Excel file with this XML as its sheet, and other parts replaced."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["question", "answer"])
    book.save(path)
    with zipfile.ZipFile(path) as old:
        texts = {name: old.read(name) for name in old.namelist()}
    texts[SHEET] = sheet.encode()
    texts |= {name.replace("__", "/") + ".xml": text.encode() for name, text in parts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in texts.items():
            new.writestr(name, data)
    return path


def sheet(body: str, before: str = "") -> str:
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{name}"><sheetData>{body}</sheetData></worksheet>'


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="1">{cell("A1", "question")}{cell("B1", "answer")}</row>'


def test_the_sheet_of_these_tests_is_one(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.xlsx", sheet(f'{HEADER}<row r="2">{cell("A2", "a?")}{cell("B2", "b")}</row>'))
    assert [raw.row for raw in read_raw(path)] == [{"question": "a?", "answer": "b"}]


def test_an_excel_file_that_holds_far_more_than_its_size(tmp_path: Path) -> None:
    body = HEADER + f"<row>{cell('A2', 'x')}</row>" * 400_000
    assert "200 times as much" in refused(excel(tmp_path / "a.xlsx", sheet(body)))


def test_a_row_without_end_and_a_place_out_of_this_world(tmp_path: Path) -> None:
    noise = "".join(f'<c r="A{n * 7919 % 100_003}"/>' for n in range(340_000))
    assert "has a row of over 4 MiB" in refused(excel(tmp_path / "a.xlsx", sheet(f'{HEADER}<row r="2">{noise}</row>')))
    far = f'{HEADER}<row r="999999999999">{cell("A999999999999", "a?")}</row>'
    assert "over 1,048,576 rows" in refused(excel(tmp_path / "b.xlsx", sheet(far)))
    wide = f'<dimension ref="A1:XFD1048576"/>{HEADER}<row r="2">{cell("XFD2", "a?")}</row>'
    (raw,) = list(read_raw(excel(tmp_path / "c.xlsx", sheet(wide))))
    assert raw.reason == "16384 cells for 2 columns"


def test_entities_and_damaged_parts_of_an_excel_file(tmp_path: Path) -> None:
    entities = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    assert "declares entities" in refused(excel(tmp_path / "a.xlsx", sheet(HEADER, entities)))
    assert "not a readable Excel file" in refused(excel(tmp_path / "b.xlsx", "<worksheet"))
    assert "no sheet with cells" in refused(excel(tmp_path / "c.xlsx", sheet(HEADER), xl__workbook="<a/>"))
    text = f'{HEADER}<row r="2"><c r="A2" t="s"><v>99</v></c></row>'
    assert "not a readable Excel file (after row" in refused(excel(tmp_path / "d.xlsx", sheet(text)))
    whole = excel(tmp_path / "e.xlsx", sheet(HEADER)).read_bytes()
    (tmp_path / "f.xlsx").write_bytes(whole[: len(whole) // 2])
    assert "zip" in refused(tmp_path / "f.xlsx")
    (tmp_path / "g.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    assert "save it as .xlsx without one" in refused(tmp_path / "g.xlsx")
    (tmp_path / "h.xlsx").write_text("question,answer\n")
    assert "not a readable Excel file" in refused(tmp_path / "h.xlsx")


def test_very_many_columns(tmp_path: Path) -> None:
    names = "".join(f"<c t='inlineStr'><is><t>c{n}</t></is></c>" for n in range(1500))
    assert "1,500 columns, at most 1,000" in refused(excel(tmp_path / "a.xlsx", sheet(f"<row>{names}</row>")))
    many = ", ".join(f"c{n}" for n in range(1500))
    base = sqlite3.connect(tmp_path / "a.db")
    base.execute(f"CREATE TABLE t ({many})")
    base.commit()
    base.close()
    assert "1,500 columns, at most 1,000" in refused(tmp_path / "a.db")


def test_a_block_of_a_prompt_that_never_ends(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.txt", "Q: a\nA: b\n" + f"{'a line ' * 150}\n" * 4_200 + "Q: c\nA: d\n")
    assert [raw.reason for raw in found] == ["row over 4 MiB", ""] and found[1].line == 4_203


UNITS = [
        ("a.json", "{}"), ("a.json", '{"a":1}'), ("a.json", '[{"a":1}]'), ("a.json", '{"a":\n'), ("a.json", "\\\""),
        ("a.json", '{"a": NaN},\n'), ("a.json", "{\n}{"), ("a.jsonl", '"'), ("a.csv", '"'), ("a.csv", '"\n'),
        ("a.csv", '"a\\"\n'), ("a.csv", 'a,"b\\"'), ("a.csv", ","), ("a.tsv", '"\t\n'), ("a.tsv", '"a\n'),
        ("a.tsv", '""\t""'), ("a.txt", "Q: a\n"), ("a.txt", "Q: A: "), ("a.txt", "A:\n"), ("a.yaml", "- a\n"),
        ("a.yaml", "? "), ("a.yaml", "[{a: "), ("a.yaml", "&a "), ("a.csv", "a\r"), ("a.csv", "sep=;\n"),
]  # fmt: skip
STARTS = {  # and the forms of which it is a start; the other forms with it are slow tests
    "": (".json", ".jsonl", ".csv", ".tsv", ".txt", ".yaml"), "[": (".json", ".yaml"), '{"a": [': (".json",),
    "question,answer\n": (".csv",), 'question\tanswer\n"a\n': (".tsv",), "Q: a\nA: b\n": (".txt",),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "unit", "start"),
    [
        pytest.param(name, unit, start, marks=() if Path(name).suffix in forms else pytest.mark.slow)
        for start, forms in STARTS.items()
        for name, unit in UNITS
    ],
)
def test_reading_takes_linear_time(name: str, unit: str, start: str, tmp_path: Path) -> None:
    path = tmp_path / name

    def read(text: str) -> None:
        path.write_text(text)
        try:
            for _ in read_raw(path):
                pass
            describe(path)
        except InputError:
            pass

    assert_linear(read, lambda size: start + unit * (size // len(unit)))


def test_a_document_of_very_many_lists_is_looked_at_once() -> None:
    doc = {f"k{n}": [{"a": 1}] for n in range(50_000)}
    with soon(), pytest.raises(InputError, match="several lists of objects: k0, k1"):
        documents.contained(doc, "a.json")
    nested: dict[str, object] = {}
    for _ in range(60):
        nested = {"data": nested, "x": 1}
    assert documents.contained(nested, "a.json").form == ""
