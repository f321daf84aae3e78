"""Rows become records or quarantine entries; every row is counted once."""

from __future__ import annotations

import json
import logging
import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from skillshot.bank.checks import CHECKS, Check, first_failure
from skillshot.bank.columns import column_map, column_name, suggest
from skillshot.bank.convert import RowError, to_record
from skillshot.bank.rows import Raw
from skillshot.common.errors import ColumnsError, InputError
from skillshot.common.io import hash64
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record
from skillshot.common.text import reordered, shown

logger = logging.getLogger("skillshot")
_DETAIL = re.compile(r":| \d| '| line ")
_FIELD = {"no question": "question", "empty_answer": "answer"}  # that a refusal misses
GOLD = ("answer",)  # what a bank's rows have next to their question
_ROWS = 100  # whose columns are remembered: jsonl rows differ in theirs


@dataclass(frozen=True)
class Quarantined:
    """A refused row: the reason and its origin."""

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

    def to_dict(self) -> dict[str, Any]:
        """One line of a quarantine file."""
        return {"reason": self.reason, "file": self.file, "line": self.line, "row": self.row}


@dataclass(frozen=True)
class Placed:
    """A record and where it came from."""

    record: Record
    file: str
    line: int


class Intake:
    """Turns raw rows into records; an id that returns with other content is an error.

    Args:
        columns: field -> the source's column; limits: of question and rationale as they are written; needs: fields
            that a suggested column map names.

    Memory: about 190 bytes a row.
    """

    def __init__(
        self,
        columns: Mapping[str, str] | None = None,
        limits: ValidateParams | None = None,
        needs: Collection[str] = (),
    ) -> None:
        self.columns, self.limits, self.needs = column_map(columns), limits, needs
        self.file_columns: dict[str, None] = {}  # of the first rows, in order
        self.recoded = 0  # lines that were cp1252 instead of UTF-8
        self._rows = 0
        self._seen: dict[int, int] = {}  # digest of the id -> index into the arrays
        self._contents, self._lines, self._files = array("Q"), array("Q"), array("H")
        self._names: list[str] = []

    def watch(self, raws: Iterable[Raw]) -> Iterator[Raw]:
        """The rows as they are, while columns and recoded lines are counted."""
        for raw in raws:
            self.recoded += raw.recoded
            if self._rows < _ROWS and isinstance(raw.row, dict):
                self._rows += 1
                self.file_columns.update(dict.fromkeys(map(column_name, map(str, raw.row))))
            yield raw

    def take(self, raws: Iterable[Raw]) -> Iterator[Placed | Quarantined]:
        """Records and refused rows, in order.

        Raises:
            ColumnsError: one id stands for two different contents.
        """
        for raw in self.watch(raws):
            if raw.reason:
                yield Quarantined(raw.reason, raw.file, raw.line, shorten(raw.row))
                continue
            try:
                record = to_record(raw.row, self.columns, self.limits)
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
        raise ColumnsError(
            f"{raw.file}: line {raw.line}: id {record.id[:80]!r} was used by {earlier} with other content\n"
            "give each record its own id, or drop the ids so that they are made from the content",
            {**self.columns, "id": ""},
        )


def check_placed(
    item: Placed | Quarantined, limits: ValidateParams, checks: Mapping[str, Check] = CHECKS
) -> Placed | Quarantined:
    """The item itself, or a quarantine entry where the record fails a check."""
    if isinstance(item, Quarantined):
        return item
    failure = first_failure(item.record, limits, checks)
    return Quarantined(failure, item.file, item.line, shorten(item.record.to_dict())) if failure else item


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

    def refuse_if_bad(self, path: str, limits: ValidateParams, intake: Intake | None = None) -> None:
        """Refuse a bank with no good row, or with too many bad ones.

        Args:
            intake: what read the rows; it knows the file's columns.

        Raises:
            ColumnsError: most refusals miss a field that another column may hold.
            InputError: any other reasons; with the most frequent ones and their first rows.
        """
        rows = self.accepted + self.refused
        if self.accepted and self.refused <= limits.max_quarantined * rows:
            return
        common = self.reasons.most_common(3)
        same = len(self.reasons) == 1 and not self.accepted  # then the first row's details hold for all
        reasons = ", ".join(
            f"{self.first[reason].reason[:200] if same else reason} ({count}, first {self.first[reason].place})"
            for reason, count in common
        )
        problem = f"{path}: {self.refused} of {rows} rows are unusable: {reasons or 'it has no rows'}"
        missing = _FIELD.get(common[0][0]) if common else None
        if missing and intake and intake.file_columns:
            names = ", ".join(intake.file_columns)[:200]
            raise ColumnsError(
                f"{problem}\nthe file has the columns {names}",
                suggest(missing, intake.file_columns, intake.columns, intake.needs),
            )
        raise InputError(f"{problem}\nfix the rows, or raise validate.max_quarantined")


def warn_of_reordered(records: Iterable[Record], path: str) -> int:
    """Log how many records hold bidirectional controls, which are kept as they are; returns that number."""
    odd = [record.id for record in records if any(map(reordered, (record.text, record.rationale, record.answer)))]
    if odd:
        logger.warning(
            "%s: rows with bidirectional controls, which may not read as they are written: %d, first id %s",
            path, len(odd), shown(odd[0]),
        )  # fmt: skip
    return len(odd)


def shorten(row: Any, size: int = 2000) -> Any:
    """A row as kept in quarantine: itself where small, otherwise the head of its JSON."""
    try:
        text = json.dumps(row, ensure_ascii=True, default=shown)
    except (RecursionError, TypeError, ValueError):  # nested without end, circular, keys that JSON has not
        return shown(row, size)
    return json.loads(text) if len(text) <= size else text[:size]
