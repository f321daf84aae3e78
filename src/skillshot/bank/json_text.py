"""Rows of JSON in any layout: one object a line, an array, one object with the rows inside, objects over many lines.

Lines and arrays are read in constant memory; one object is read whole, up to `MAX_DOCUMENT`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from skillshot.bank.documents import contained, unwrapped
from skillshot.bank.json_array import elements_of
from skillshot.bank.limits import MAX_DOCUMENT, MAX_LINE, MIB, why_refused
from skillshot.bank.rows import DECODER, FileForm, Line, Raw, lines_of, parse_row, why_deep
from skillshot.common.errors import InputError

_CUT = 60 << 10  # characters of a first part of a text whose first line may go on
_GAP = re.compile(r"[, \t\r\n]*+")
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?')


def read_json(
    name: str, file: Path, handle: io.BufferedReader[Any], head: bytes, form: FileForm, part: str = ""
) -> Iterator[Raw]:
    """All rows; a row that is no object, or broken, has the reason.

    Args:
        head: the first bytes of the text; part: dotted keys that lead to the rows of one object.

    Raises:
        InputError: an array is broken, several lists may be meant, or one object is too large.
    """
    text = head.decode("utf-8", "replace").replace("\0", "").lstrip("\ufeff \t\r\n")
    if text.startswith("[") and not _list_a_line(text):
        form.add("JSON array")
        if part:
            contained([], str(file), part)
        yield from _numbered(name, elements_of(file, handle))
        return
    lines = (line for line in lines_of(handle, first=MAX_DOCUMENT) if line.reason or _stripped(line))
    yield from _lines(name, str(file), lines, form, part)


def looks_like_json(text: str) -> bool:
    """Whether a text begins with a JSON object or array, as far as its first line shows."""
    line = text.partition("\n")[0].strip()
    return line[:1] in ("{", "[") and (_opens(line, complete=True) or len(line) >= len(text.rstrip()) > _CUT)


def _lines(name: str, place: str, lines: Iterator[Line], form: FileForm, part: str) -> Iterator[Raw]:
    """Rows of a text that begins with an object, or with anything else that is no array."""
    first = next(lines, None)
    if first is None:
        return
    second = next(lines, None)
    seen = [first] if second is None else [first, second]
    text = _stripped(first)
    if text.startswith("{"):
        if second is None and not first.reason:
            yield from _document(name, place, first.number, text, first.recoded, form, part)
            return
        if second is not None and _opens(text) and _opens(f"{text}\n{_stripped(second)}", complete=True):
            yield from _spread(name, place, chain(seen, lines), form, part)
            return
    form.add("JSON lines")
    if part:
        raise InputError(f"{place}: JSON lines have no part {part!r}\npass the file alone")
    for line in chain(seen, lines):
        text = _stripped(line)
        if line.reason or len(text) > MAX_LINE:
            yield Raw(name, line.number, reason=line.reason or f"line over {MAX_LINE // MIB} MiB")
        else:
            row, reason = parse_row(text)
            yield Raw(name, line.number, unwrapped(row), reason, line.recoded)


def _spread(name: str, place: str, lines: Iterable[Line], form: FileForm, part: str) -> Iterator[Raw]:
    """Rows of objects that span lines; one object alone may hold all rows."""
    held: tuple[int, str, bool, str] | None = None  # line, text, recoded, reason
    for count, item in enumerate(_objects(lines)):
        if count:
            if part:
                raise InputError(f"{place}: several objects have no part {part!r}\npass the file alone")
            form.add("JSON objects over several lines")
        if held and count:
            yield from _spread_rows(name, *held)
        held = item
    if not held:
        return
    number, text, recoded, reason = held
    if form.parts or reason or _several(text):
        form.add("JSON objects over several lines")
        yield from _spread_rows(name, *held)
    else:
        yield from _document(name, place, number, text, recoded, form, part)


def _several(text: str) -> bool:
    """Whether more follows the first value of a text."""
    try:
        return DECODER.raw_decode(text)[1] < len(text)
    except (ValueError, RecursionError):
        return False


def _spread_rows(name: str, number: int, text: str, recoded: bool, reason: str) -> Iterator[Raw]:
    """The object of some lines, or the objects, where one begins in the line where another ends."""
    if not reason and len(text) > MAX_LINE:
        reason = f"row over {MAX_LINE // MIB} MiB"
    if reason:
        yield Raw(name, number, text[:200], reason)
        return
    at = 0
    while at < len(text):
        try:
            _, end = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = len(text)
        row, reason = parse_row(text[at:end])
        yield Raw(name, number, unwrapped(row), reason, recoded)
        after = _GAP.match(text, end).end()  # type: ignore[union-attr]  # it matches nothing too
        number, at = number + text.count("\n", at, after), after


def _objects(lines: Iterable[Line]) -> Iterator[tuple[int, str, bool, str]]:
    """Line, text and state of each run of lines whose brackets are balanced at its end."""
    parts: list[str] = []
    number, depth, size, recoded, reason, most = 0, 0, 0, False, "", MAX_DOCUMENT
    for line in lines:
        text = line.text.replace("\0", "")
        if not number:
            text = text.lstrip(", \t\r\n")
            if not text and not line.reason:
                continue
            number = line.number
        bare = _STRING.sub("", text)
        depth += bare.count("{") + bare.count("[") - bare.count("}") - bare.count("]")
        size, recoded = size + len(text), recoded or line.recoded
        reason = reason or line.reason or (f"row over {most // MIB} MiB" if size > most else "")
        parts = ["".join(parts)[:200]] if reason else [*parts, text] if depth <= 0 else parts
        if depth <= 0:
            yield number, "".join(parts).rstrip(", \t\r\n"), recoded, reason
            parts, number, depth, size, recoded, reason, most = [], 0, 0, 0, False, "", MAX_LINE
        elif not reason:
            parts.append(text)
    if number:
        yield number, "".join(parts), recoded, reason or "not JSON: the file ends within this object"


def _document(name: str, place: str, number: int, text: str, recoded: bool, form: FileForm, part: str) -> Iterator[Raw]:
    """The rows inside one object, or the object itself."""
    row, reason = _whole(text)
    if reason:
        form.add("JSON lines")
        yield Raw(name, number, row, reason, recoded)
        return
    found = contained(row, place, part)
    if found.form:
        form.add(f"JSON {found.form}")
        yield from _numbered(name, ((row, _refused(row), recoded) for row in found.rows))
        return
    form.add("JSON lines" if "\n" not in text else "JSON object")
    (row,) = found.rows
    reason = why_deep(row, text.count("[") + text.count("{"))
    if len(text) > MAX_LINE:
        row, reason = None, f"line over {MAX_LINE // MIB} MiB"
    yield Raw(name, number, text[:200] if row and reason else unwrapped(row), reason, recoded)


def _whole(text: str) -> tuple[Any, str]:
    try:
        return DECODER.decode(text), ""
    except RecursionError:
        return text[:200], "not JSON: nested too deeply"
    except ValueError as error:
        return text[:200], f"not JSON: {error}"[:200]


def _refused(row: Any) -> str:
    if not isinstance(row, dict):
        return "not a JSON object"
    reason = why_refused(row)
    return reason if reason.startswith("nested") else ""


def _numbered(name: str, rows: Iterable[tuple[Any, str, bool]]) -> Iterator[Raw]:
    for number, (row, reason, recoded) in enumerate(rows, 1):
        yield Raw(name, number, unwrapped(row), reason, recoded)


def _stripped(line: Line) -> str:
    return line.text.replace("\x00", "").strip()


def _list_a_line(text: str) -> bool:
    """Whether a list ends in its line and more lines follow: then it is a line that is no row."""
    line, end, rest = text.partition("\n")
    try:
        return bool(end and rest.strip()) and isinstance(json.loads(line), list) and not rest.lstrip().startswith("[")
    except (ValueError, RecursionError):
        return False


def _opens(text: str, complete: bool = False) -> bool:
    """Whether a text is the beginning of a JSON value that goes on; or, where asked, the whole of one."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text.rstrip())
    except ValueError:
        return False
    except RecursionError:  # nested too deeply to be looked at: the rest of what opened before, or a bad line
        pass
    return complete
