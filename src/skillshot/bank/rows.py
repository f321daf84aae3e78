"""Raw rows, and the lines of one open text file in any of the usual encodings.

The readers are our own on purpose: each row keeps its line number, and a broken row is skipped in constant memory.
"""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from skillshot.bank.columns import collision
from skillshot.bank.limits import MAX_COLUMNS, MAX_DEPTH, MAX_LINE, MIB, why_refused
from skillshot.common.errors import InputError

_BLANK = b" \t\r\n\0"

logger = logging.getLogger("skillshot")


@dataclass(frozen=True)
class Raw:
    """One row of a file, or the reason why it could not be read."""

    file: str  # path relative to the folder that is read, or the file's name
    line: int  # 1-based line (JSON lines, csv, text) or row (arrays, tables, sheets, parquet)
    row: Any = None
    reason: str = ""
    recoded: bool = False  # the line was not UTF-8 and was read as cp1252


@dataclass
class FileForm:
    """What was understood of a file's form while it is read, e.g. "csv, delimiter ';', header"."""

    parts: list[str] = field(default_factory=list)
    ending: str = ""  # how the file is compressed
    silent: bool = False  # nothing is logged

    def warn(self, file: Any, text: str) -> None:
        """Log what a reader of the rows should know about the file."""
        if not self.silent:
            logger.warning("%s: %s", file, text)

    def add(self, *parts: str) -> None:
        """State something, once."""
        self.parts += [part for part in dict.fromkeys(parts) if part not in self.parts]

    def __str__(self) -> str:
        return ", ".join([*self.parts, self.ending] if self.ending else self.parts)


@dataclass
class Line:
    """A decoded line of a text, or the reason why it cannot be read."""

    number: int
    text: str = ""
    reason: str = ""
    recoded: bool = False


def read_plain(name: str, handle: io.BufferedReader[Any]) -> Iterator[Raw]:
    """One question a line, as it is or as a JSON object; blank lines are skipped."""
    for line in lines_of(handle):
        text = line.text.replace("\x00", "").strip()
        if line.reason:
            yield Raw(name, line.number, reason=line.reason)
        elif text.startswith("{"):
            yield Raw(name, line.number, *parse_row(text), line.recoded)
        elif text:
            yield Raw(name, line.number, {"question": text}, "", line.recoded)


def check_columns(place: str, names: list[str]) -> None:
    """Check the columns that a whole file has.

    Raises:
        InputError: too many, or two that are one, as `" options "` and `options`.
    """
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{place}: {len(names):,} columns, at most {MAX_COLUMNS:,}; leave out what is no field")
    if both := collision(names):
        raise InputError(f"{place}: {both}\nrename one of them")


def lines_of(
    handle: io.BufferedReader[Any], blank: Callable[[], bytes] = lambda: _BLANK, first: int = MAX_LINE
) -> Iterator[Line]:
    """Every line; over-long ones are skipped without being held, bytes that are not UTF-8 are read as cp1252.

    Args:
        blank: gives the characters of which a line may consist that is skipped now; b"": none is.
        first: bytes of which the first line may consist that is not skipped.
    """
    number, longest = 0, first
    while data := handle.readline(longest):
        number += 1
        if (skipped := blank()) and not data.lstrip(skipped) and data.endswith(b"\n"):
            while run := handle.peek():  # a file may hold millions of them: whole buffers at once
                length = len(run) - len(run.lstrip(skipped))
                number += handle.read(length).count(b"\n")
                if length < len(run):
                    break
            continue
        if len(data) == longest and not data.endswith(b"\n"):
            while (more := handle.readline(MAX_LINE)) and not more.endswith(b"\n"):
                pass
            yield Line(number, reason=f"line over {longest // MIB} MiB")
            longest = MAX_LINE
            continue
        longest = MAX_LINE
        if number == 1:
            data = data.removeprefix(b"\xef\xbb\xbf")
        text, recoded = decoded(data)
        if isinstance(text, UnicodeDecodeError):
            yield Line(number, reason=undecodable(text))
        else:
            yield Line(number, text, recoded=recoded)


def decoded(data: bytes) -> tuple[str | UnicodeDecodeError, bool]:
    """Bytes as text, and whether they were read as cp1252; the error where they are neither that nor UTF-8."""
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        try:
            return data.decode("cp1252"), True
        except UnicodeDecodeError as error:
            return error, False


def undecodable(error: UnicodeDecodeError) -> str:
    """The reason for bytes of no known encoding."""
    return f"neither UTF-8 nor cp1252: byte {error.object[error.start]:#04x}"


def parse_row(text: str) -> tuple[Any, str]:
    """A JSON object and, where it is none, the reason."""
    try:
        row = DECODER.decode(text)
    except RecursionError:
        return text[:200], "not JSON: nested too deeply"
    except ValueError as error:
        return text[:200], f"not JSON: {error}"[:200]
    if not isinstance(row, dict):
        return row, "not a JSON object"
    reason = why_deep(row, text.count("[") + text.count("{"))
    return (text[:200], reason) if reason else (row, "")


def why_deep(row: dict[str, Any], brackets: int) -> str:
    """Why a row cannot be written into the quarantine: it is nested too deeply. Other limits are for its reader."""
    return why_refused(row) if brackets > MAX_DEPTH else ""


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"key {counts.most_common(1)[0][0][:40]!r} twice")
    return row


DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique)
