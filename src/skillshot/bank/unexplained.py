"""Rows without a rationale are accepted; how many they are is logged, and which column may hold their rationales."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from skillshot.bank.columns import OTHER_NAMES, confirming, plain_name
from skillshot.common.record import Record
from skillshot.common.tables import counted
from skillshot.common.text import visible

logger = logging.getLogger("skillshot")
_ROWS = 100  # without a rationale, whose other columns are looked at


class Unexplained:
    """Counts accepted records, and those without a rationale."""

    def __init__(self) -> None:
        self.rows = self.missing = 0
        self._texts: set[str] = set()  # columns that are no field and hold a text where the rationale is missing

    def add(self, record: Record) -> None:
        """Count one record."""
        self.rows += 1
        if record.rationale:
            return
        self.missing += 1
        if self.missing <= _ROWS:
            self._texts.update(name for name, value in record.metadata.items() if _text(value))

    def log(self, path: str, columns: Iterable[str], given: Mapping[str, str]) -> None:
        """Log what is missing, in one line; nothing where each record has a rationale.

        Args:
            columns: of the file; given: the column map in use.
        """
        if not self.missing:
            return
        if self.missing < self.rows:
            has = "has" if self.missing == 1 else "have"
            logger.warning(
                "%s: %s of %s %s no rationale", path, f"{self.missing:,}", counted(self.rows, "row"), has
            )  # fmt: skip
            return
        names = {plain_name(name): name for name in columns}
        likely = next((names[name] for name in OTHER_NAMES["rationale"] if names.get(name) in self._texts), None)
        if likely and likely not in given.values():
            logger.warning(
                "%s: no row has a rationale; column %s looks like one: %s",
                path, likely, confirming({**given, "rationale": likely}),
            )  # fmt: skip
        else:
            logger.info("%s: no row has a rationale", path)


def warn_of_unexplained(
    records: Iterable[Record], path: str, columns: Iterable[str] = (), given: Mapping[str, str] | None = None
) -> int:
    """Log how many of a bank's records have no rationale; returns that number."""
    seen = Unexplained()
    for record in records:
        seen.add(record)
    seen.log(path, columns, given or {})
    return seen.missing


def _text(value: Any) -> bool:
    """A text, or the steps of one."""
    parts = value if isinstance(value, list) else [value]
    return any(isinstance(part, str) and visible(part) for part in parts)
