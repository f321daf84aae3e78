"""Rows of a sheet of an Excel file, one at a time.

The file is a zip of XML, so its parts are measured before openpyxl makes anything of them.
"""

from __future__ import annotations

import datetime
import re
import warnings
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from skillshot.bank.headers import Cells, tabulated
from skillshot.bank.limits import MAX_LINE, MIB, ROW_BYTES, check_ratio
from skillshot.bank.rows import FileForm, Raw
from skillshot.common.errors import InputError
from skillshot.common.extras import extras_named
from skillshot.common.text import shown

MAX_ROWS = 1 << 20  # of a sheet, as Excel has it
MAX_TEXTS = 64 * MIB  # bytes of the texts of all cells, which openpyxl holds in memory
MAX_SHEET = 1024 * MIB  # bytes of a sheet's XML
_ROW = re.compile(rb"<(?:\w{1,20}:)?(?:row|si)\b")
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_TOGETHER = 64  # rows read at once
_CELL = 8  # bytes of an empty cell
_TABLES = ("xl/worksheets/", "xl/sharedStrings")


def read_excel(name: str, file: Path, form: FileForm, sheet: str = "") -> Iterator[Raw]:
    """All rows of a sheet; formulas give the value that was stored with them.

    Args:
        sheet: its name; "" for the first one.

    Raises:
        InputError: not an Excel file, no such sheet, or parts that are far larger than the file.
        MissingPackageError: openpyxl is not installed.
    """
    with extras_named():
        import openpyxl
    line = 0
    try:
        _measure(file)
        with open(file, "rb") as handle:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(handle, read_only=True, data_only=True, keep_links=False)
            chosen = _chosen(file, {page.title: page for page in book.worksheets}, sheet, form)
            form.add(f"sheet {chosen.title!r} of an Excel file")
            for raw in tabulated(name, f"{file}: sheet {chosen.title}", _cells(file, chosen), form):
                line = raw.line
                yield raw
            book.close()
    except InputError:
        raise
    except Exception as error:  # whatever a damaged file makes of a parser
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"{file}: not a readable Excel file (after row {line}): {why}\nsave the sheet as csv"
        ) from error


def _measure(file: Path) -> None:
    """Refuse a zip that holds far more than its size, a part that is huge, one row that never ends, and entities."""
    size = file.stat().st_size
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        check_ratio(file, size, sum(part.file_size for part in parts))
        for part in parts:
            path = part.filename
            if not path.lower().endswith((".xml", ".rels")):
                continue
            most = MAX_SHEET if path.startswith(_TABLES[0]) else MAX_TEXTS if path.startswith(_TABLES[1]) else MAX_LINE
            if part.file_size > most:
                raise InputError(f"{file}: {path[:80]} has over {most // MIB} MiB\nsave the sheet as csv")
            with archive.open(part) as handle:
                _scan(file, path, handle)


def _scan(file: Path, path: str, handle: Any) -> None:
    tail, since = b"", 0
    while block := handle.read(MIB):
        text = tail + block
        if _DOCTYPE.search(text):
            raise InputError(f"{file}: {path[:80]} declares entities, as no Excel file does\nsave the sheet as csv")
        starts = [found.start() for found in _ROW.finditer(text)]
        since = len(text) - starts[-1] if starts else since + len(block)
        if path.startswith(_TABLES) and since > MAX_LINE:
            raise InputError(f"{file}: {path[:80]} has a row of over {MAX_LINE // MIB} MiB\nsave the sheet as csv")
        tail = text[-32:]


def _chosen(file: Path, sheets: dict[str, Any], sheet: str, form: FileForm) -> Any:
    names = ", ".join(sheets)[:200]
    if sheet and sheet not in sheets:
        raise InputError(f"{file}: no sheet {shown(sheet, 60)}; there are: {names or 'none'}")
    if not sheets:
        raise InputError(f"{file}: no sheet with cells in this Excel file")
    if not sheet and len(sheets) > 1:
        form.warn(file, f"the first of the sheets {names} is read; name another one by {file}::SHEET")
    return sheets[sheet] if sheet else next(iter(sheets.values()))


def _cells(file: Path, sheet: Any) -> Iterator[Cells]:
    """The cells of each row that has any, at least as many as the first of them has."""
    sheet.reset_dimensions()  # a file can state any; without them no row is filled up
    size, held, width = file.stat().st_size, 0, 0
    for line, values in enumerate(_quiet(sheet.iter_rows(values_only=True)), 1):
        if line > MAX_ROWS:
            raise InputError(f"{file}: over {MAX_ROWS:,} rows, more than a sheet has\nsave the sheet as csv")
        held += len(values) * _CELL
        check_ratio(file, size, held)
        cells = [_plain(value) for value in values]
        while cells and cells[-1] in (None, ""):
            cells.pop()
        if not cells:
            continue
        held += ROW_BYTES + sum(len(cell) for cell in cells if isinstance(cell, str))
        check_ratio(file, size, held)
        width = width or len(cells)
        yield Cells(line, cells + [None] * (width - len(cells)))


def _quiet(rows: Iterator[Any]) -> Iterator[Any]:
    """The rows, without warnings about styles and dates that are none."""
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            some = list(islice(rows, _TOGETHER))
        if not some:
            return
        yield from some


def _plain(value: Any) -> Any:
    """A cell as JSON has it: dates and times are ISO texts, whole numbers are integers."""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return str(value)
    return value
