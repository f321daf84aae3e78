"""Rows become records here, or quarantine entries; every row is counted once."""

from __future__ import annotations

import json
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from skillshot.bank.checks import CHECKS, Check, first_failure
from skillshot.bank.convert import RowError, to_record
from skillshot.bank.rows import Raw
from skillshot.common.errors import InputError
from skillshot.common.io import hash64
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record

_DETAIL = re.compile(r":| \d| '| line ")


@dataclass(frozen=True)
class Quarantined:
    """A row that was refused: why, and where it came from."""

    reason: str  # a check's name, or what made the row unreadable
    file: str
    line: int
    row: Any = None  # as it was read, cut to 2,000 characters of JSON

    @property
    def kind(self) -> str:
        """The reason without its details, for counting."""
        return _DETAIL.split(self.reason, maxsplit=1)[0].strip()

    @property
    def place(self) -> str:
        """File and line, as messages give them."""
        return f"{self.file}: line {self.line}"

    def to_json(self) -> dict[str, Any]:
        """One line of a quarantine file."""
        return {"reason": self.reason, "file": self.file, "line": self.line, "row": self.row}


@dataclass(frozen=True)
class Placed:
    """A record and where it came from."""

    record: Record
    file: str
    line: int


class Intake:
    """Turns raw rows into records and remembers ids, so that one id never means two things.

    Memory: about 190 bytes a row.
    """

    def __init__(self, columns: Mapping[str, str] | None = None) -> None:
        self.columns = dict(columns or {})
        self.recoded = 0  # lines that were cp1252 instead of UTF-8
        self._seen: dict[int, int] = {}  # digest of the id -> index into the arrays
        self._contents, self._lines, self._files = array("Q"), array("Q"), array("H")
        self._names: list[str] = []

    def take(self, raws: Iterable[Raw]) -> Iterator[Placed | Quarantined]:
        """Records and refused rows, in order.

        Raises:
            InputError: one id stands for two different contents.
        """
        for raw in raws:
            self.recoded += raw.recoded
            if raw.reason:
                yield Quarantined(raw.reason, raw.file, raw.line, shorten(raw.row))
                continue
            try:
                record = to_record(raw.row, self.columns)
            except RowError as error:
                yield Quarantined(str(error), raw.file, raw.line, shorten(raw.row))
                continue
            yield self._unique(record, raw)

    def _unique(self, record: Record, raw: Raw) -> Placed | Quarantined:
        content = "\x1f".join((record.text, record.rationale, record.answer, record.group))
        digest = hash64(content)
        index = self._seen.setdefault(hash64(record.id), len(self._contents))
        if index == len(self._contents):
            if raw.file not in self._names[-1:]:
                self._names.append(raw.file)
            self._contents.append(digest)
            self._lines.append(raw.line)
            self._files.append(len(self._names) - 1)
            return Placed(record, raw.file, raw.line)
        earlier = f"{self._names[self._files[index]]} line {self._lines[index]}"
        if self._contents[index] == digest:
            return Quarantined(f"repeated: same as {earlier}", raw.file, raw.line, shorten(raw.row))
        raise InputError(
            f"{raw.file}: line {raw.line}: id {record.id[:80]!r} was used by {earlier} with other content\n"
            "give each record its own id, or set ingest.columns to {id: ''} to make ids from the content"
        )


def check_placed(
    item: Placed | Quarantined, limits: ValidateParams, checks: Mapping[str, Check] = CHECKS
) -> Placed | Quarantined:
    """The item itself, or its quarantine entry where the record fails a check."""
    if isinstance(item, Quarantined):
        return item
    failure = first_failure(item.record, limits, checks)
    return Quarantined(failure, item.file, item.line, shorten(item.record.to_json())) if failure else item


class Tally:
    """Counts accepted and refused rows, keeping only the first refusal of each reason."""

    def __init__(self) -> None:
        self.accepted = 0
        self.reasons: Counter[str] = Counter()
        self.first: dict[str, Quarantined] = {}

    def add(self, item: Placed | Quarantined) -> None:
        """Count one row."""
        if isinstance(item, Placed):
            self.accepted += 1
        else:
            key = item.kind
            self.reasons[key] += 1
            self.first.setdefault(key, item)

    @property
    def refused(self) -> int:
        """Rows in quarantine."""
        return self.reasons.total()

    def refuse_if_bad(self, path: str, limits: ValidateParams) -> None:
        """Refuse a bank with no good row, or with too many bad ones.

        Raises:
            InputError: with the most frequent reasons, their first rows, and the mend.
        """
        rows = self.accepted + self.refused
        if self.accepted and self.refused <= limits.max_quarantined * rows:
            return
        common = self.reasons.most_common(3)
        told = ", ".join(f"{reason} ({count}, first {self.first[reason].place})" for reason, count in common)
        mend = "mend the rows, or raise validate.max_quarantined"
        row = self.first[common[0][0]].row if common else None
        if common and common[0][0] in {"no question", "empty_rationale", "empty_answer"} and isinstance(row, dict):
            names = ", ".join(map(str, row))[:150]
            mend = f"columns are {names}; map them, e.g. ingest.columns: {{rationale: solution}}"
        raise InputError(f"{path}: {self.refused} of {rows} rows are unusable: {told or 'it has no rows'}\n{mend}")


def shorten(row: Any, size: int = 2000) -> Any:
    """A row as kept in quarantine: itself where small, otherwise the head of its JSON."""
    text = json.dumps(row, ensure_ascii=True, default=str)
    return json.loads(text) if len(text) <= size else text[:size]
