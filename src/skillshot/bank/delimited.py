"""Rows of csv and tsv: any delimiter, with or without header, quotes as csv has them or as text, backslash escapes.

What a file does is read from its content. A tsv is read line by line, because most of them do not quote; a cell that
can only be a quoted one is unquoted all the same.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skillshot.bank.headers import KNOWN, SAMPLE, Cells, tabulated
from skillshot.bank.limits import MAX_LINE
from skillshot.bank.rows import FileForm, Line, Raw, lines_of
from skillshot.common.errors import InputError

DELIMITERS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
_RECORD = 16 * MAX_LINE  # characters of a csv record, which an open quote makes long
_SNIFFED = 64 << 10  # bytes by which the delimiter is recognised
_SEP = re.compile(r"\s*sep=(.)\s*", re.IGNORECASE)
_ESCAPED = re.compile(r'\\([\\"])')
_LONE = re.compile(r'\\(?![\\"])')
_TOGETHER = 64  # lines that a quoted cell of a tsv may span


@dataclass
class _Record:
    """What is known of the lines of one csv record."""

    start: int = 0  # its first line; 0 before it is read
    size: int = 0  # characters
    reason: str = ""
    recoded: bool = False
    texts: list[str] = field(default_factory=list)


def read_delimited(
    name: str, file: Path, handle: io.BufferedReader[Any], head: bytes, form: FileForm, usual: str = ","
) -> Iterator[Raw]:
    """All rows of a csv or tsv; empty cells count as missing; cells may hold line ends.

    Args:
        head: the first bytes of the text; usual: the delimiter that the file's name stands for.

    Raises:
        InputError: the columns are not usable, or a quote is never closed.
    """
    csv.field_size_limit(MAX_LINE)
    text = head[:_SNIFFED].decode("utf-8", "replace").replace("\0", "").lstrip("\ufeff\r\n")
    stated = _SEP.fullmatch(text.partition("\n")[0].strip("\r\n"))
    delimiter = stated[1] if stated else delimiter_of(text, usual)
    form.add("tsv" if delimiter == "\t" else "csv", f"delimiter {DELIMITERS.get(delimiter, repr(delimiter))}")
    if delimiter != usual:
        form.warn(file, f"the delimiter is {DELIMITERS.get(delimiter, repr(delimiter))}")
    header = text.partition("\n")[2 if stated else 0].lstrip("\r\n").partition("\n")[0].strip()
    if delimiter == "\t" and not _all_quoted(header):
        tabbed = _Tabbed(handle, form, bool(stated))
        yield from tabulated(name, str(file), tabbed.rows(), form, tabbed.repaired, tabbed.ahead(SAMPLE))
        return
    records = _quoted(str(file), handle, delimiter, bool(stated))
    yield from tabulated(name, str(file), records, form, lambda row, width: _escaped(row, width, delimiter, form))


def delimiter_of(text: str, usual: str) -> str:
    """The delimiter that cuts the first lines into the same number of cells, two or more; else the usual one."""
    shares: dict[str, float] = {}
    for delimiter in dict.fromkeys([usual, *DELIMITERS]):
        counts = _counts(text, delimiter)
        if not counts:
            continue
        width, same = Counter(counts).most_common(1)[0]
        if counts[0] >= 2 and delimiter == usual and (same >= len(counts) / 2 or _known_names(text, delimiter)):
            return usual
        if width >= 2 and counts[0] >= 2:
            shares[delimiter] = same / len(counts) + (0.5 if _known_names(text, delimiter) else 0)
    best = max(shares, key=lambda delimiter: shares[delimiter], default=usual)
    return best if shares.get(best, 0) >= 0.8 else usual


def names_fields(text: str) -> bool:
    """Whether a text's first line is a header with names of ours, whatever the delimiter."""
    return any(_known_names(text, delimiter) for delimiter in DELIMITERS)


def _counts(text: str, delimiter: str) -> list[int]:
    """How many cells each of the first records has."""
    lines = text.split("\n")[: _TOGETHER + 1]
    lines = lines[:-1] if len(lines) > 1 and len(text) > _SNIFFED // 2 else lines
    if delimiter == "\t":
        return [line.count("\t") + 1 for line in lines if line.strip()]
    try:
        return [
            len(cells)
            for cells in csv.reader((line.rstrip("\r") + "\n" for line in lines), delimiter=delimiter)
            if cells
        ]
    except csv.Error:
        return []


def _known_names(text: str, delimiter: str) -> bool:
    cells = text.partition("\n")[0].split(delimiter)
    return len(cells) > 1 and sum(cell.strip(' \r"').casefold() in KNOWN for cell in cells) >= 2


def _all_quoted(line: str) -> bool:
    """Whether each cell of a tsv's header is quoted, so that all are."""
    return all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in line.split("\t"))


def _quoted(place: str, handle: io.BufferedReader[Any], delimiter: str, stated: bool) -> Iterator[Cells]:
    """Records of a csv with quotes, one that is none with the reason."""
    seen = _Record()
    # blank lines between records are skipped; inside a quoted cell they are text
    lines = lines_of(handle, lambda: b"" if seen.start else b"\r\n")
    if stated:
        next(lines, None)

    def feed() -> Iterator[str]:
        for line in lines:
            seen.start = seen.start or line.number
            seen.recoded = seen.recoded or line.recoded
            seen.reason = seen.reason or line.reason
            seen.size += len(line.text)
            if seen.size > _RECORD:
                raise InputError(
                    f"{place}: line {seen.start}: a row of over {_RECORD >> 20} MiB\nclose the quote that it opens"
                )
            if not line.reason:
                seen.texts.append(line.text.replace("\x00", ""))
                yield seen.texts[-1]

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    while True:
        seen = _Record()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Cells(seen.start, [], f"not csv: {error}", seen.recoded, "".join(seen.texts))
            continue
        if seen.reason:
            yield Cells(seen.start, [], seen.reason)
        if cells is None:
            return
        if cells:
            yield Cells(seen.start, cells, "", seen.recoded, "".join(seen.texts) if "\\" in "".join(cells) else "")


def _escaped(row: Cells, width: int, delimiter: str, form: FileForm) -> list[Cells]:
    """The records of a text whose quotes are escaped by backslashes; none where that does not fit either."""
    if '\\"' not in row.text:
        return []
    lone = _LONE.search(row.text)  # LaTeX: then a backslash stands for itself
    text = _ESCAPED.sub(lambda found: '""' if found[1] == '"' else ("\\\\" if lone else "\\"), row.text)
    found: list[Cells] = []
    line = row.line
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells and len(cells) != width:
                return []
            if cells:
                found.append(Cells(line, cells, "", row.recoded))
            line = row.line + reader.line_num
    except csv.Error:
        return []
    form.add("backslash escapes")
    return found


class _Tabbed:
    """Rows of a tsv whose quotes are text, apart from cells that can only be quoted ones."""

    def __init__(self, handle: io.BufferedReader[Any], form: FileForm, stated: bool) -> None:
        self._lines = lines_of(handle, lambda: b"\r\n")
        self._ahead: deque[Line] = deque()
        self._form = form
        if stated:
            next(self._lines, None)

    def ahead(self, count: int) -> list[Cells]:
        """The first rows, which stay to be read."""
        self._look(count)
        return [row for line in self._ahead if (row := self._cells(line)) is not None]

    def rows(self) -> Iterator[Cells]:
        """The cells of each line."""
        while self._look(1):
            if (row := self._cells(self._ahead.popleft())) is not None:
                yield row

    def repaired(self, row: Cells, width: int) -> list[Cells]:
        """A row of the wrong width, read as csv: quoted cells may hold tabs and line ends."""
        if '"' not in row.text:
            return []
        taken = 0

        def feed() -> Iterator[str]:
            nonlocal taken
            yield row.text + "\n"
            size = len(row.text)
            while taken < _TOGETHER and self._look(taken + 1) and not self._ahead[taken].reason:
                text = _bare(self._ahead[taken])
                taken, size = taken + 1, size + len(text)
                if size > MAX_LINE:
                    return
                yield text + "\n"

        try:
            cells = next(csv.reader(feed(), delimiter="\t", strict=True), [])
        except csv.Error:
            return []
        if len(cells) != width:
            return []
        for _ in range(taken):
            self._ahead.popleft()
        self._form.add("quoted cells")
        return [Cells(row.line, cells, "", row.recoded)]

    def _cells(self, line: Line) -> Cells | None:
        text = _bare(line)
        if line.reason or not text.strip():
            return Cells(line.number, [], line.reason) if line.reason else None
        cells = text.split("\t")
        return Cells(line.number, [self._unquoted(cell) for cell in cells] if '"' in text else cells, "",
                     line.recoded, text)  # fmt: skip

    def _unquoted(self, cell: str) -> str:
        inner = cell[1:-1]
        if len(cell) > 1 and cell[0] == cell[-1] == '"' and '""' in inner and '"' not in inner.replace('""', ""):
            return inner.replace('""', '"')
        if '"' in cell:
            self._form.add("quotes are text")
        return cell

    def _look(self, count: int) -> bool:
        """Whether so many lines follow."""
        while len(self._ahead) < count and (line := next(self._lines, None)) is not None:
            self._ahead.append(line)
        return len(self._ahead) >= count


def _bare(line: Line) -> str:
    return line.text.replace("\x00", "").rstrip("\r\n")
