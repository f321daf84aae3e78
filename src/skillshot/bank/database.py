"""Rows of a table of an sqlite file, which is opened to be read only and never created."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from skillshot.bank.limits import MAX_LINE, MIB, ROW_BYTES, check_ratio
from skillshot.bank.rows import FileForm, Raw, check_columns, decoded
from skillshot.common.errors import InputError
from skillshot.common.text import shown

MAGIC = b"SQLite format 3\0"
_STEPS = 20_000  # of sqlite's machine between two looks at the work done
_WORK = 50_000_000  # steps without a row, a second or so: a view may compute without end
_MEANS = {
    "interrupted": "it is a view that computes for long without giving a row",
    "too big": f"a value of over {MAX_LINE // MIB} MiB",
}
_WAL = b"\x02\x02"  # in the header of a file with a write-ahead log


def read_sqlite(name: str, file: Path, form: FileForm, table: str = "") -> Iterator[Raw]:
    """All rows of a table or view, in its own order, one at a time.

    Args:
        table: its name; "" for the only one.

    Raises:
        InputError: not an sqlite file, several tables to choose from, no such table, or a view without end.
    """
    line = 0
    try:
        with closing(sqlite3.connect(_address(file), uri=True)) as base:
            base.text_factory = _text
            base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LINE)  # a view can make values of any length
            base.execute("PRAGMA trusted_schema=OFF")
            base.execute("PRAGMA query_only=ON")
            work = _Work(base)
            table = _chosen(file, base, table)
            form.add(f"table {table!r} of an sqlite file")
            query = f'SELECT * FROM "{table.replace(chr(34), chr(34) * 2)}"'
            names = [str(column[0]) for column in base.execute(f"{query} LIMIT 0").description]
            check_columns(f"{file}: table {table}", names)
            rows = base.execute(query)
            size, held = file.stat().st_size, 0
            for line, cells in enumerate(rows, 1):
                work.done = 0
                length = ROW_BYTES + sum(len(cell) for cell in cells if isinstance(cell, str | bytes))
                held += length
                check_ratio(file, size, held)
                if length > MAX_LINE:
                    yield Raw(name, line, None, f"row over {MAX_LINE // MIB} MiB")
                else:
                    yield Raw(name, line, dict(zip(names, cells, strict=True)))
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
        why = " ".join(str(error).split())[:200]
        for sign, meaning in _MEANS.items():
            why = meaning if sign in why else why
        raise InputError(f"{file}: not a readable sqlite table (after row {line}): {why}") from error


class _Work:
    """Ends a query that goes on without giving a row."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self.done = 0
        base.set_progress_handler(self._step, _STEPS)

    def _step(self) -> bool:
        self.done += _STEPS
        return self.done > _WORK


def _address(file: Path) -> str:
    """The file as a read-only address; without its log it cannot change, and needs no files next to it."""
    with open(file, "rb") as handle:
        head = handle.read(20)
    log = file.with_name(file.name + "-wal")
    still = head[18:20] == _WAL and not (log.exists() and log.stat().st_size)
    return f"{file.resolve().as_uri()}?mode=ro{'&immutable=1' if still else ''}"


def _chosen(file: Path, base: sqlite3.Connection, table: str) -> str:
    """The name of the table to read."""
    query = "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid LIMIT 1000"
    found = [(str(name), kind) for name, kind in base.execute(query) if not str(name).startswith("sqlite_")]
    names = [name for name, _ in found]
    if table:
        same = [name for name in names if name.casefold() == table.casefold()]
        if table not in names and len(same) != 1:
            raise InputError(f"{file}: no table {shown(table, 60)}; there are: {', '.join(names)[:200] or 'none'}")
        return table if table in names else same[0]
    tables = [name for name, kind in found if kind == "table"] or names
    if not tables:
        raise InputError(f"{file}: no table in this sqlite file")
    if len(tables) > 1:
        raise InputError(f"{file}: several tables: {', '.join(tables)[:200]}\nname one: {file}::{tables[0]}")
    return tables[0]


def _text(data: bytes) -> Any:
    text, _ = decoded(data)
    return data.decode("utf-8", "replace") if isinstance(text, UnicodeDecodeError) else text
