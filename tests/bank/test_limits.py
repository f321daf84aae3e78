"""Small files and rows that stand for very much are refused, by what they are, before they cost anything."""

from __future__ import annotations

import gzip
import json
import logging
import os
import socket
import zlib
from pathlib import Path
from typing import Any

import pytest

from helpers.growth import soon
from skillshot.bank.columns import column_name
from skillshot.bank.convert import RowError, to_record
from skillshot.bank.limits import MAX_CELL, MAX_COLUMNS, MAX_DEPTH, why_refused
from skillshot.bank.load import load_bank, load_questions
from skillshot.bank.readers import read_raw
from skillshot.common.errors import InputError
from skillshot.common.params import IngestParams, Params, ValidateParams
from skillshot.sources.ingest import ingest

GOOD = [{"question": f"How many is {n} + 1?", "rationale": f"{n} + 1 = {n + 1}", "answer": n + 1} for n in range(30)]
LINES = "".join(json.dumps(row) + "\n" for row in GOOD)
BIG = 1 << 20
MANY = 100


def _quick(path: Path) -> str:
    """The message with which a file is refused, soon."""
    with soon(), pytest.raises(InputError) as caught:
        load_bank(path)
    assert len(str(caught.value)) < 700
    return str(caught.value)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def _gzip(block: bytes, times: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(block) for _ in range(times)), packer.flush()])


BLOCKS = {
    "line ends": b"\n" * BIG,
    "CRLF": b"\r\n" * (BIG // 2),
    "blanks": b" \n" * (BIG // 2),
    "empty objects": b"{}\n" * (BIG // 3),
    "one line": b"a" * BIG,
}


@pytest.mark.parametrize(
    ("name", "block"),
    [
        *(("bank.jsonl.gz", block) for block in ("line ends", "CRLF", "blanks", "one line")),
        *(("bank.csv.gz", block) for block in ("line ends", "CRLF", "one line")),
        pytest.param("bank.jsonl.gz", "empty objects", marks=pytest.mark.slow),
        *(pytest.param("bank.csv.gz", block, marks=pytest.mark.slow) for block in ("blanks", "empty objects")),
        *(pytest.param("bank.tsv.gz", block, marks=pytest.mark.slow) for block in BLOCKS),
    ],
)
def test_a_gzip_that_holds_far_more_than_its_size(name: str, block: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(_gzip(b"question,rationale,answer\n", 1) + _gzip(BLOCKS[block], 40))
    assert f"{name}: " in (message := _quick(tmp_path / name)) and "200 times as much" in message
    assert "write it as uncompressed jsonl" in message


def test_blank_lines_are_skipped_at_once_and_keep_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    path.write_text("\n" * 3_000_000 + LINES + "\n  \n\r\n" + "{broken\n")
    with soon():
        loaded = load_bank(path)
    assert len(loaded.records) == 30
    assert loaded.quarantined[0].line == 3_000_000 + 30 + 3 + 1
    cells = tmp_path / "bank.csv"
    rows = 'a?,"7\n\n\n7",7\n' + "\n" * 1_000_000 + 'b?,"r\n8",8\nc?,d\n'
    cells.write_text(f"\n\nquestion,rationale,answer\n\n\n{rows}")
    loaded = load_bank(cells, validate=ValidateParams(max_quarantined=0.5))
    assert [record.question for record in loaded.records] == ["a?", "b?"] and loaded.quarantined[0].line == 1_000_012


def test_ordinary_compression_is_no_bomb(tmp_path: Path) -> None:
    rows = "".join(json.dumps({**row, "question": f"{row['question']} {i}"}) + "\n" for i in range(400) for row in GOOD)
    (tmp_path / "bank.jsonl.gz").write_bytes(gzip.compress(rows.encode()))
    assert len(load_bank(tmp_path / "bank.jsonl.gz").records) == 12_000


def _tables() -> dict[str, Any]:
    import pyarrow as pa

    text, binary = "x" * BIG, b"x" * BIG
    return {
        "text": pa.array([text] * MANY).dictionary_encode(),
        "plain": pa.array([text] * MANY),
        "large": pa.array([text] * MANY, pa.large_string()),
        "binary": pa.array([binary] * MANY),
        "fixed": pa.array([binary] * MANY, pa.binary(BIG)),
        "list": pa.array([[text]] * MANY),
        "struct": pa.array([{"a": text}] * MANY),
        "map": pa.array([[("k", text)]] * MANY, pa.map_(pa.string(), pa.string())),
        "list of structs": pa.array([[{"role": "user", "content": text}]] * MANY),
        "integers": pa.array([[7] * 100_000] * MANY),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "text",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("plain", "large", "binary", "fixed", "list")),
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("struct", "map", "list of structs", "integers")),
    ],
)
def test_a_parquet_file_whose_few_bytes_are_repeated(kind: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {"question": [f"q {i}" for i in range(MANY)], "rationale": _tables()[kind], "answer": ["1"] * MANY}
    )
    pq.write_table(table, tmp_path / "bank.parquet", compression="zstd")
    assert (tmp_path / "bank.parquet").stat().st_size < 100_000
    assert "bank.parquet: " in (message := _quick(tmp_path / "bank.parquet")) and "200 times as much" in message


@pytest.mark.slow
def test_a_parquet_file_of_endless_rows(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"question": pa.array(["q"] * 300_000)}), tmp_path / "bank.parquet", compression="zstd")
    assert "200 times as much" in _quick(tmp_path / "bank.parquet")


def test_one_long_row_of_a_parquet_file_is_one_bad_row(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{**row, "answer": str(row["answer"])} for row in GOOD]
    rows[7]["rationale"] = os.urandom(3 * BIG).hex()
    rows[8]["rationale"] = os.urandom(BIG).hex()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a b?#%.parquet")
    loaded = load_bank(tmp_path / "a b?#%.parquet")
    assert [(row.line, row.kind) for row in loaded.quarantined] == [(8, "row over"), (9, "too long a text")]
    assert len(loaded.records) == 28


def test_a_parquet_file_gives_the_rows_that_pyarrow_gives(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "question": [f"q {i}" for i in range(3000)],
        "steps": [["a", None, "b"]] * 3000,
        "none": [None, "x", ""] * 1000,
        "map": pa.array([[("k", "v")]] * 3000, pa.map_(pa.string(), pa.string())),
        "struct": [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}] * 1000,
        "fixed": pa.array([[1.0, 2.0], [5.0, None], [3.0, 4.0]] * 1000, pa.list_(pa.float64(), 2)),
        "category": pa.array(["u", "v", None] * 1000).dictionary_encode(),
        "messages": [[{"role": "user", "content": "a"}, {"role": "assistant", "content": None}]] * 3000,
        "bytes": [b"x", None, b""] * 1000,
        "empty": pa.array([[]] * 3000, pa.list_(pa.string())),
        "distinct": [[{"a": os.urandom(500).hex()}] for _ in range(3000)],  # over the size of a dictionary
    }
    pq.write_table(pa.table(columns), tmp_path / "bank.parquet", row_group_size=700)
    assert [raw.row for raw in read_raw(tmp_path / "bank.parquet")] == pq.read_table(
        tmp_path / "bank.parquet"
    ).to_pylist()


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 300, 900, 5_000, 100_000])
@pytest.mark.parametrize("form", ["list", "mapping", "options", "rationale"])
def test_nesting_is_a_bad_row_at_any_depth(depth: int, form: str, tmp_path: Path) -> None:
    nested = "[" * depth + "]" * depth if form != "mapping" else '{"a":' * depth + "1" + "}" * depth
    field = {"list": "m", "mapping": "m"}.get(form, form)
    row = f'{{"question": "q?", "{field}": {nested}}}\n'
    (tmp_path / "bank.jsonl").write_text(LINES + row)
    loaded = load_bank(tmp_path / "bank.jsonl")
    assert len(loaded.records) == 30
    assert [entry.kind for entry in loaded.quarantined] in (["nested too deeply"], ["not JSON"])
    params = Params().changed(ingest=IngestParams(source="file", path=str(tmp_path / "bank.jsonl"), near_duplicates=0))
    assert ingest(params, tmp_path / "out")["read"]["quarantined"] == 1


def test_rows_in_memory_have_the_same_limits() -> None:
    circular: dict[str, Any] = {"question": "q?", "rationale": "r", "answer": "1"}
    circular["self"] = circular
    wide = {**GOOD[0], **{f"c{i}": i for i in range(MAX_COLUMNS)}}
    long = {**GOOD[0], "notes": "x" * (MAX_CELL + 1)}
    many = {**GOOD[0], "numbers": [[0] * 1000] * 200}
    bad = [circular, wide, long, many, {**GOOD[0], "m": _nested(2000)}, {**GOOD[0], 1: "a", "1": "b"}]
    loaded = load_bank([*GOOD, *bad])
    kinds = [row.kind for row in loaded.quarantined]
    assert len(loaded.records) == 30
    assert kinds == [
        "nested too deeply", "too many columns", "too long a text", "too many values", "nested too deeply",
        "two columns are one",
    ]  # fmt: skip
    assert "in column 'notes'" in loaded.quarantined[2].reason


def test_legal_rows_pass() -> None:
    assert (
        why_refused({**GOOD[0], "m": _nested(MAX_DEPTH - 1), "notes": "x" * MAX_CELL, "n": list(range(50_000))}) == ""
    )


def test_one_key_of_hundred_thousands_twice_is_found_at_once(tmp_path: Path) -> None:
    keys = ",".join(f'"k{i}":0' for i in range(300_000))
    (tmp_path / "bank.jsonl").write_text(f'{LINES}{{{keys},"k299999":1}}\n')
    with soon():
        assert "'k299999' twice" in load_bank(tmp_path / "bank.jsonl").quarantined[0].reason


@pytest.mark.parametrize("columns", [MAX_COLUMNS + 1, 200_000])
def test_a_csv_of_very_many_columns(columns: int, tmp_path: Path) -> None:
    (tmp_path / "bank.csv").write_text(",".join(f"c{i}" for i in range(columns)) + "\n1\n")
    assert f"line 1: {columns:,} columns, at most 1,000" in _quick(tmp_path / "bank.csv")


@pytest.mark.parametrize(
    "blank", ["\u200b", "\u200b\u2060", "\ufeff", "\u00ad", "\u3164", "\u2800 ", "\u202e", "\u180e"]
)
def test_texts_of_which_nothing_is_visible_are_empty(blank: str) -> None:
    good = {"question": "q?", "rationale": "r", "answer": "1"}
    rows = [{**good, name: blank} for name in good]
    loaded = load_bank([*GOOD, *rows])
    assert [row.kind for row in loaded.quarantined] == ["no question", "empty_answer"]
    assert loaded.records[-1].rationale == "", "such a row has no rationale"


def test_bidirectional_controls_are_reported_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    row = {"id": "odd", "question": "Pay \u202e001\u202c now?", "rationale": "1 = 1", "answer": "1"}
    with caplog.at_level(logging.WARNING, "skillshot"):
        loaded = load_bank([*GOOD, row])
    assert loaded.records[-1].question == row["question"], loaded.quarantined
    assert "rows with bidirectional controls, which may not read as they are written: 1, first id 'odd'" in caplog.text


SPELLED = [
    " options ",
    "\ufeffoptions",
    "options\u200b",
    "\u00a0options",
    "ｏｐｔｉｏｎｓ",
    "options\n",
    "opt\u00adions",
]


@pytest.mark.parametrize("name", SPELLED)
def test_a_column_is_its_name_however_it_is_spelled(name: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {"question": "q?", "rationale": "r 2", "answer": "B", name: ["1", "2"]}
    record = to_record(row)
    assert column_name(name) == "options" and record.options == ("1", "2") and not record.metadata
    assert to_record(record.to_dict()) == record
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "bank.parquet")
    (tmp_path / "bank.jsonl").write_text(json.dumps(row) + "\n")
    cell = json.dumps(["1", "2"]).replace('"', '""')
    (tmp_path / "bank.csv").write_text(f'question,rationale,answer,"{name}"\nq?,r 2,B,"{cell}"\n', encoding="utf-8")
    for file in ("bank.parquet", "bank.jsonl", "bank.csv"):
        assert load_bank(tmp_path / file).records[0].options == ("1", "2"), file
    mapped = to_record({**row, "  problem": "p?"}, {"question": "problem ", "options": name})
    assert (mapped.question, mapped.options) == ("p?", ("1", "2"))


@pytest.mark.parametrize("name", SPELLED)
def test_two_spellings_of_one_column_are_an_error_that_names_both(name: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {"question": "q?", "rationale": "r", "answer": "B", "options": ["3"], name: ["1", "2"]}
    with pytest.raises(RowError, match="two columns are one: 'options' and "):
        to_record(row)
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "bank.parquet")
    (tmp_path / "bank.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "bank.csv").write_text(f'question,rationale,answer,options,"{name}"\nq?,r,B,1,2\n', encoding="utf-8")
    for file in ("bank.parquet", "bank.jsonl"):
        assert f"two columns are one: 'options' and {name!r}" in _quick(tmp_path / file)
    assert "column" in _quick(tmp_path / "bank.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_fifos_sockets_and_devices_are_named_and_never_opened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    Path("in").mkdir()
    os.mkfifo("in/pipe.jsonl")
    os.mkfifo("in/pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind("in/socket.csv")
    Path("in/zero.parquet").symlink_to("/dev/zero")
    try:
        assert "skipped: pipe (a FIFO), pipe.jsonl (a FIFO), socket.csv (a socket), zero.parquet (a device)" in _quick(
            Path("in")
        )
        Path("in/bank.jsonl").write_text(LINES)
        caplog.clear()
        assert len(load_bank("in").records) == 30
        for name, kind in (("pipe.jsonl", "a FIFO"), ("socket.csv", "a socket"), ("zero.parquet", "a device")):
            assert f"in/{name}: skipped, because it is {kind}" in caplog.text
            assert kind in _quick(Path("in") / name)
        with pytest.raises(InputError, match="not a regular file but a FIFO"):
            load_questions("in/pipe")
    finally:
        server.close()


@pytest.mark.parametrize("name", ["what?", "a#b", "a b", "100%", "a&b=c", "[x]", "*", "é", "s3:x", "~", "-", "a;b"])
@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "csv", "parquet"])
def test_any_path_can_hold_a_bank(name: str, kind: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / name / f"{name}.{kind}"
    path.parent.mkdir()
    match kind:
        case "jsonl":
            path.write_text(LINES)
        case "jsonl.gz":
            path.write_bytes(gzip.compress(LINES.encode()))
        case "csv":
            path.write_text(
                "question,rationale,answer\n" + "".join(",".join(map(str, r.values())) + "\n" for r in GOOD)
            )
        case _:
            pq.write_table(pa.Table.from_pylist(GOOD), str(path))
    assert len(load_bank(path).records) == len(load_bank(path.parent).records) == 30


@pytest.mark.parametrize("limit", [0, -1, 1.5, "3", True, [], {}, float("nan")])
def test_a_limit_that_is_no_number_of_rows(limit: Any) -> None:
    with pytest.raises(InputError, match="limit="):
        load_bank(GOOD, limit=limit)


@pytest.mark.parametrize("columns", ["question", ["question"], 7, {"question": 1}, {1: "q"}, {"question": None}, True])
def test_a_column_map_that_is_none(columns: Any) -> None:
    with pytest.raises(InputError, match="columns"):
        load_bank(GOOD, columns=columns)
