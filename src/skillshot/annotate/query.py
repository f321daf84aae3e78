"""Does a repeated SQL query run? On an empty SQLite database in memory, which the row's own schema or query describes.

Nothing is read from a disk: only SELECT is allowed, one statement, for a second, with values of at most a megabyte.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

from skillshot.common.record import Record
from skillshot.evaluation.sql import is_query

SECONDS = 1.0  # of one query
_LENGTH = 100_000  # characters of a query or of a schema that are read
_VALUE = 1_000_000  # bytes of a value
_STEPS = 1000  # instructions between two looks at the clock
_COLUMNS = 2000  # of all tables
_TABLE = re.compile(r"(?:^|\btable\s)[^\S\n]{0,9}[\"'`\[]?(\w{1,99})[\"'`\]]?\s{0,9}\(([^()]{1,20000})\)", re.M | re.I)
_QUALIFIED = re.compile(r"\b(\w{1,99})\s{0,3}\.\s{0,3}(\w{1,99})")
_SOURCE = re.compile(r"\b(?:from|join)\s{1,9}(\w{1,99})(?:\s{1,9}(?:as\s{1,9})?(\w{1,99}))?", re.IGNORECASE)
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_CONSTRAINTS = frozenset({"primary", "foreign", "unique", "constraint", "check", "key", "index"})


def runs(query: str, record: Record) -> bool | None:
    """Whether a query runs where the gold query of the record does; None where the gold one does not run either.

    That one does not run says nothing of the other: its schema is unknown, or it is of another dialect.
    """
    if _why_not(record.answer, record):
        return None
    return not _why_not(query, record)


def _why_not(query: str, record: Record) -> str:
    """What SQLite says against a query; "" where it runs."""
    if len(query) > _LENGTH or not is_query(query):
        return "not a query"
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            for table, columns in _tables(record).items():
                names = ", ".join(f'"{column}"' for column in columns)
                database.execute(f'CREATE TABLE "{table}" ({names})')
            _guard(database)
            database.execute(query).fetchmany(1)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            return str(error) or type(error).__name__
    return ""


def _guard(database: sqlite3.Connection) -> None:
    end = time.monotonic() + SECONDS
    database.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE)
    database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)


def _tables(record: Record) -> dict[str, dict[str, None]]:
    """Table -> its columns in order: of the schema in the record's context, else those that its query qualifies."""
    declared = dict(_declared(record.context[:_LENGTH]))
    return declared or _qualified(record.answer[:_LENGTH])


def _declared(context: str) -> Iterator[tuple[str, dict[str, None]]]:
    """Lines "table (column, column)", or CREATE TABLE statements."""
    left = _COLUMNS
    for table, body in _TABLE.findall(context):
        parts = (part.split() for part in body.split(",")[:left])
        columns = {words[0].strip("\"'`[]").lower(): None for words in parts if words}
        found = {name: None for name in columns if re.fullmatch(r"\w+", name) and name not in _CONSTRAINTS}
        if found and left > 0:
            left -= len(found)
            yield table.lower(), found


def _qualified(query: str) -> dict[str, dict[str, None]]:
    """Tables after FROM and JOIN, each with the columns that are written behind its name or alias."""
    sources = [(table.lower(), alias.lower()) for table, alias in _SOURCE.findall(query)]
    names = {alias: table for table, alias in sources if alias} | {table: table for table, _ in sources}
    tables: dict[str, dict[str, None]] = {table: {} for table, _ in sources}
    for owner, column in _QUALIFIED.findall(query)[:_COLUMNS]:
        if table := names.get(owner.lower()):
            tables[table][column.lower()] = None
    return {table: columns for table, columns in tables.items() if columns}
