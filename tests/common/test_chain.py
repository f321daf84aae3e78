"""The hash chain of an audit record: every change is found, kills and several writers do no harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skillshot.common.chain import START, Chain, check
from skillshot.common.errors import InputError, SkillshotError


def append(path: Path, rows: list[dict[str, Any]]) -> None:
    Chain(path).append(map(json.dumps, rows))


ROWS = [{"time": f"t{i}", "text": 'é\u2028\n"}' * i, "digest_of": i} for i in range(8)]
LINES = list(map(json.dumps, ROWS))
SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    for row in ROWS:
        append(path, [row])
    return path


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_a_record_is_json_lines_in_a_chain(record: Path) -> None:
    rows = [json.loads(line) for line in lines_of(record)]
    assert [row["line"] for row in rows] == list(range(1, 9))
    assert [row["previous"] for row in rows] == [START, *(row["digest"] for row in rows[:-1])]
    assert all(row.items() >= given.items() for row, given in zip(rows, ROWS, strict=True))
    found = check(record)
    assert (found.lines, found.last, found.wrong, found.remarks) == (8, rows[-1]["digest"], (), ())


def test_one_write_of_many_rows_is_the_same_chain(record: Path, tmp_path: Path) -> None:
    append(tmp_path / "other.jsonl", ROWS)
    assert (tmp_path / "other.jsonl").read_bytes() == record.read_bytes()


@SETTINGS
@given(st.data())
def test_a_changed_byte_is_found(record: Path, data: st.DataObject) -> None:
    text = bytearray(record.read_bytes())
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.integers(0, 255).filter(lambda value: value != text[at]))
    changed = record.with_name("changed.jsonl")
    changed.write_bytes(bytes(text))
    number = bytes(record.read_bytes())[:at].count(b"\n") + 1
    found = check(changed)
    if at == len(text) - 1:  # the last line end: a new text behind the last line
        assert found.wrong
    else:
        assert any(f"line {n}" in fault or "lines" in fault for fault in found.wrong for n in (number, number + 1))


@SETTINGS
@given(st.data())
def test_a_removed_repeated_or_moved_line_is_found_and_named(record: Path, data: st.DataObject) -> None:
    lines = lines_of(record)
    at = data.draw(st.integers(0, len(lines) - 2))
    to = data.draw(st.integers(0, len(lines) - 1).filter(lambda place: place != at))
    what = data.draw(st.sampled_from(["removed", "repeated", "moved", "swapped"]))
    if what == "removed":
        del lines[at]
    elif what == "repeated":
        lines.insert(to, lines[at])
    elif what == "moved":
        lines.insert(to, lines.pop(at))
    else:
        lines[at], lines[to] = lines[to], lines[at]
    changed = record.with_name("changed.jsonl")
    changed.write_bytes(b"".join(lines))
    first = next(n for n, (a, b) in enumerate(zip(lines, [*lines_of(record), b""], strict=False), 1) if a != b)
    assert check(changed).wrong[0].startswith(f"line {first}: ")


def test_a_line_with_a_new_digest_is_found_by_the_next(record: Path) -> None:
    lines = lines_of(record)
    forged = record.with_name("forged.jsonl")
    append(forged, [ROWS[0], {**ROWS[1], "time": "forged"}])
    lines[1] = lines_of(forged)[1]
    record.write_bytes(b"".join(lines))
    assert check(record).wrong == ("line 3: does not hold the digest of line 2; one of the two was changed",)


def test_a_cut_end_needs_a_digest_that_was_kept(record: Path) -> None:
    last = check(record).last
    record.write_bytes(b"".join(lines_of(record)[:-1]))
    assert check(record).wrong == ()
    assert f"no line has the digest {last}" in check(record, last).wrong[0]
    append(record, [ROWS[0]])
    assert check(record, last).wrong


@pytest.mark.parametrize("kept", [1, 30, 100, -2])
@pytest.mark.parametrize("first", [False, True])
def test_a_line_that_a_kill_left_unfinished_is_named_and_the_chain_goes_on(
    record: Path, kept: int, first: bool
) -> None:
    lines = lines_of(record)[: 1 if first else None]
    record.write_bytes(b"".join([*lines[:-1], lines[-1][:kept]]))
    count = len(lines)
    assert f"line {count}: unfinished at the end" in check(record).wrong[0]
    append(record, [ROWS[0]])
    found = check(record)
    assert found.wrong == () and f"line {count}: unfinished, the writer was killed" in found.remarks[0]
    assert lines_of(record)[count - 1] == lines[-1][:kept] + b"\n", "nothing is lost"
    append(record, [ROWS[1]])
    assert check(record).wrong == ()
    rest = lines_of(record)
    record.write_bytes(b"".join([*rest[: count - 1], *rest[count:]]))
    assert "names an unfinished line before it, which was removed" in check(record).wrong[0]


def test_two_kills_in_a_row_are_named_together(record: Path) -> None:
    with open(record, "ab") as handle:
        handle.write(b'{"line": 9, "prev\n{"line": 9')
    append(record, [ROWS[0]])
    assert check(record).wrong == () and check(record).remarks[0].startswith("lines 9 to 10: unfinished")


def test_a_whole_line_without_its_end_is_kept(record: Path) -> None:
    record.write_bytes(record.read_bytes()[:-1])
    append(record, [ROWS[0]])
    assert (check(record).lines, check(record).wrong) == (9, ())


def test_one_writer_sees_what_others_did(record: Path) -> None:
    chain = Chain(record)
    for _ in range(2):
        chain.append([LINES[0]])
        append(record, [ROWS[1]])
    chain.append([LINES[2]])
    record.write_bytes(record.read_bytes()[:-40])
    chain.append([LINES[3]])
    assert check(record).wrong == () and len(check(record).remarks) == 1
    record.unlink()
    chain.append([LINES[4]])
    assert (check(record).lines, check(record).wrong) == (1, ())


def test_lines_longer_than_what_is_read_first(tmp_path: Path) -> None:
    for size in (10, 5_000, 200_000, 3):
        append(tmp_path / "a", [{"text": "x" * size}])
    assert (check(tmp_path / "a").lines, check(tmp_path / "a").wrong) == (4, ())


@pytest.mark.parametrize("text", ['{"id": "a", "question": "q"}\n', "text", "\n", "x" * 9000])
def test_another_file_is_never_written_to(tmp_path: Path, text: str) -> None:
    (tmp_path / "bank.jsonl").write_text(text)
    with pytest.raises(InputError, match="is no audit record"):
        append(tmp_path / "bank.jsonl", ROWS)
    assert (tmp_path / "bank.jsonl").read_text() == text
    assert check(tmp_path / "bank.jsonl").wrong


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="an audit record is a file that can be written"):
        append(tmp_path / "none" / "a", ROWS)
    with pytest.raises(InputError, match="expected an audit record"):
        check(tmp_path / "none")
    (tmp_path / "empty").touch()
    assert check(tmp_path / "empty") == check(tmp_path / "empty", START)
    append(tmp_path / "empty", ROWS)
    assert check(tmp_path / "empty").lines == 8


def test_a_full_disk_leaves_no_half_line(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, write = record.read_bytes(), os.write
    calls: list[int] = []

    def full(handle: int, data: bytes) -> int:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(handle, data[:10])

    monkeypatch.setattr("skillshot.common.chain.os.write", full)
    with pytest.raises(SkillshotError, match="No space left on device; nothing was written"):
        append(record, ROWS)
    assert record.read_bytes() == before


def test_threads_and_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    code = "import sys; from pathlib import Path; from skillshot.common.chain import Chain\n"
    code += "chain = Chain(Path(sys.argv[1]))\nfor i in range(50): chain.append(['{\"i\": 0}', '{\"i\": 1}'])"
    started = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(2)]
    chain = Chain(path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: chain.append([f'{{"thread": {i}}}']), range(100)))
    assert [process.wait() for process in started] == [0, 0]
    assert (check(path).lines, check(path).wrong, check(path).remarks) == (300, (), ())


def test_a_killed_writer_leaves_a_record_that_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    code = "import sys; from pathlib import Path; from skillshot.common.chain import Chain\n"
    code += """chain, line = Chain(Path(sys.argv[1])), '{"text": "' + "x" * 5000 + '"}'\n"""
    code += "while True: chain.append([line] * 20); print(1, flush=True)"
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        process.kill()
        process.wait()
        process.stdout.close()
        append(path, [{"after": "the kill"}])
        assert check(path).wrong == ()


@given(st.binary(max_size=400))
@SETTINGS
def test_any_bytes_are_checked_without_an_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "any").write_bytes(data)
    found = check(tmp_path / "any")
    assert bool(found.wrong) == bool(data)
