"""Rows of one open text file: JSON lines and csv, in any of the usual encodings.

The readers are our own on purpose: each row keeps its line number, and a broken row is skipped in constant memory.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from skillshot.bank.columns import collision
from skillshot.bank.limits import MAX_COLUMNS, MAX_DEPTH, MAX_LINE, why_refused
from skillshot.common.errors import InputError

_BLANK = b" \t\r\n\0"
_RECORD = 16 * MAX_LINE  # bytes of a csv record, which an open quote makes long


@dataclass(frozen=True)
class Raw:
    """One row of a file, or the reason why it could not be read."""

    file: str  # path relative to the folder that is read, or the file's name
    line: int  # 1-based line (jsonl, csv) or row (parquet)
    row: Any = None
    reason: str = ""
    recoded: bool = False  # the line was not UTF-8 and was read as cp1252


@dataclass
class _Line:
    number: int
    text: str = ""
    reason: str = ""
    recoded: bool = False


@dataclass
class _Record:
    """What is known of the lines of one csv record."""

    start: int = 0  # its first line; 0 before it is read
    size: int = 0  # characters
    reason: str = ""
    recoded: bool = False


def read_jsonl(name: str, handle: io.BufferedReader[Any]) -> Iterator[Raw]:
    """One JSON object a line; blank lines are skipped."""
    for line in _lines(handle):
        text = line.text.replace("\x00", "").strip()
        if line.reason:
            yield Raw(name, line.number, reason=line.reason)
        elif text:
            row, reason = _parse(text)
            yield Raw(name, line.number, row, reason, line.recoded)


def read_plain(name: str, handle: io.BufferedReader[Any]) -> Iterator[Raw]:
    """One question a line, as it is or as a JSON object; blank lines are skipped."""
    for line in _lines(handle):
        text = line.text.replace("\x00", "").strip()
        if line.reason:
            yield Raw(name, line.number, reason=line.reason)
        elif text.startswith("{"):
            yield Raw(name, line.number, *_parse(text), line.recoded)
        elif text:
            yield Raw(name, line.number, {"question": text}, "", line.recoded)


def read_csv(name: str, handle: io.BufferedReader[Any], delimiter: str) -> Iterator[Raw]:
    """A csv file with a header; empty cells count as missing; cells may hold line ends.

    Raises:
        InputError: the header is no header.
    """
    csv.field_size_limit(MAX_LINE)
    seen = _Record()

    def feed() -> Iterator[str]:
        # blank lines between records are skipped; inside a quoted cell they are text
        for line in _lines(handle, lambda: b"" if seen.start else b"\r\n"):
            seen.start = seen.start or line.number
            seen.recoded = seen.recoded or line.recoded
            seen.reason = seen.reason or line.reason
            seen.size += len(line.text)
            if seen.size > _RECORD:
                raise InputError(
                    f"{name}: line {seen.start}: a row of over {_RECORD >> 20} MiB\nclose the quote that it opens"
                )
            if not line.reason:
                yield line.text.replace("\x00", "")

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        seen = _Record()
        try:
            cells = next(reader, None)
            start = seen.start
        except csv.Error as error:
            start = seen.start
            if not header:
                raise InputError(f"{name}: line 1: not a csv header: {error}") from error
            yield Raw(name, start, reason=f"not csv: {error}")
            continue
        if seen.reason:
            yield Raw(name, start, reason=seen.reason)
        if cells is None:
            return
        if not header:
            header = _header(name, cells)
        elif cells and len(cells) != len(header):
            yield Raw(name, start, cells, f"{len(cells)} cells for {len(header)} columns", seen.recoded)
        elif cells:
            row = {key: cell for key, cell in zip(header, cells, strict=True) if cell != ""}
            yield Raw(name, start, row, "", seen.recoded)


def _header(name: str, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    if len(set(header)) < len(header) or not all(header):
        raise InputError(f"{name}: line 1: column names must be there and differ, got {', '.join(header)[:200]!r}")
    check_columns(f"{name}: line 1", header)
    return header


def check_columns(place: str, names: list[str]) -> None:
    """Check the columns that a whole file has.

    Raises:
        InputError: too many, or two that are one, as `" options "` and `options`.
    """
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{place}: {len(names):,} columns, at most {MAX_COLUMNS:,}; leave out what is no field")
    if both := collision(names):
        raise InputError(f"{place}: {both}\nrename one of them")


def _lines(handle: io.BufferedReader[Any], blank: Callable[[], bytes] = lambda: _BLANK) -> Iterator[_Line]:
    """Every line; over-long ones are skipped without being held, bytes that are not UTF-8 are read as cp1252.

    Args:
        blank: gives the characters of which a line may consist that is skipped now; b"": none is.
    """
    number = 0
    if handle.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff"):
        handle = io.BufferedReader(_Utf8(handle))
    while data := handle.readline(MAX_LINE):
        number += 1
        if (skipped := blank()) and not data.lstrip(skipped) and data.endswith(b"\n"):
            while run := handle.peek():  # a file may hold millions of them: whole buffers at once
                length = len(run) - len(run.lstrip(skipped))
                number += handle.read(length).count(b"\n")
                if length < len(run):
                    break
            continue
        if len(data) == MAX_LINE and not data.endswith(b"\n"):
            while (more := handle.readline(MAX_LINE)) and not more.endswith(b"\n"):
                pass
            yield _Line(number, reason=f"line over {MAX_LINE >> 20} MiB")
            continue
        if number == 1:
            data = data.removeprefix(b"\xef\xbb\xbf")
        try:
            yield _Line(number, data.decode("utf-8"))
        except UnicodeDecodeError:
            try:
                yield _Line(number, data.decode("cp1252"), recoded=True)
            except UnicodeDecodeError as error:
                yield _Line(number, reason=f"neither UTF-8 nor cp1252: byte {data[error.start]:#04x}")


class _Utf8(io.RawIOBase):
    """UTF-16 bytes as UTF-8 bytes, so that everything after it sees one encoding."""

    def __init__(self, handle: io.BufferedReader[Any]) -> None:
        self._text = io.TextIOWrapper(handle, encoding="utf-16", newline="")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._text.read(1 << 16).encode("utf-8", "surrogatepass")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _parse(text: str) -> tuple[Any, str]:
    """A line's JSON value and, where it is no JSON object, the reason."""
    try:
        row = _DECODER.decode(text)
    except RecursionError:
        return text[:200], "not JSON: nested too deeply"
    except ValueError as error:
        return text[:200], f"not JSON: {error}"[:200]
    if not isinstance(row, dict):
        return row, "not a JSON object"
    # a row that is nested too deeply cannot be written into the quarantine; other limits are for its reader
    reason = why_refused(row) if text.count("[") + text.count("{") > MAX_DEPTH else ""
    return (text[:200], reason) if reason else (row, "")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"key {counts.most_common(1)[0][0][:40]!r} twice")
    return row


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique)
