"""Rows of one open text file: JSON lines and csv, in any of the usual encodings.

The readers are our own on purpose: each row keeps its line number, and a broken row is skipped in constant memory.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from skillshot.common.errors import InputError

Bytes = io.BufferedReader | gzip.GzipFile

MAX_LINE = 4 << 20  # bytes; a longer line is no example; reading it whole could exhaust the memory


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


def read_jsonl(name: str, handle: Bytes) -> Iterator[Raw]:
    """One JSON object a line; blank lines are skipped."""
    for line in _lines(handle):
        text = line.text.replace("\x00", "").strip()
        if line.reason:
            yield Raw(name, line.number, reason=line.reason)
        elif text:
            row, reason = _parse(text)
            yield Raw(name, line.number, row, reason, line.recoded)


def read_plain(name: str, handle: Bytes) -> Iterator[Raw]:
    """One question a line, as it is or as a JSON object; blank lines are skipped."""
    for line in _lines(handle):
        text = line.text.replace("\x00", "").strip()
        if line.reason:
            yield Raw(name, line.number, reason=line.reason)
        elif text.startswith("{"):
            yield Raw(name, line.number, *_parse(text), line.recoded)
        elif text:
            yield Raw(name, line.number, {"question": text}, "", line.recoded)


def read_csv(name: str, handle: Bytes, delimiter: str) -> Iterator[Raw]:
    """A csv file with a header; empty cells count as missing; cells may hold line ends.

    Raises:
        InputError: the header is no header.
    """
    csv.field_size_limit(MAX_LINE)
    seen = _Line(0)  # of the lines of the current record

    def feed() -> Iterator[str]:
        for line in _lines(handle):
            seen.number, seen.recoded = line.number, seen.recoded or line.recoded
            seen.reason = seen.reason or line.reason
            if not line.reason:
                yield line.text.replace("\x00", "")

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        start = seen.number + 1
        seen.reason, seen.recoded = "", False
        try:
            cells = next(reader, None)
        except csv.Error as error:
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
    return header


def _lines(handle: Bytes) -> Iterator[_Line]:
    """Every line; over-long ones are skipped without being held, bytes that are not UTF-8 are read as cp1252."""
    number = 0
    if handle.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff"):
        handle = io.BufferedReader(_Utf8(handle))
    while data := handle.readline(MAX_LINE):
        number += 1
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

    def __init__(self, handle: Bytes) -> None:
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
    return row, "" if isinstance(row, dict) else "not a JSON object"


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in names if names.count(key) > 1)!r} twice")
    return row


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique)
