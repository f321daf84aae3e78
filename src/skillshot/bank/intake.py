"""Rows become records or quarantine entries; every row is counted once."""

from __future__ import annotations

import json
import logging
import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from skillshot.bank.checks import CHECKS, Check, first_failure
from skillshot.bank.columns import column_map, column_name, suggest
from skillshot.bank.convert import FOREIGN_TYPE, RowError, convert
from skillshot.bank.formats import is_log
from skillshot.bank.guess import FIELDS_GUESSED, Guess
from skillshot.bank.rows import Raw
from skillshot.bank.sample import by_file
from skillshot.bank.understand import Understood
from skillshot.common.errors import ColumnsError, InputError
from skillshot.common.io import hash64
from skillshot.common.params import ValidateParams
from skillshot.common.record import ANSWER_TYPES, Record, content_id
from skillshot.common.text import reordered, shown

logger = logging.getLogger("skillshot")
_DETAIL = re.compile(r":| \d| '| line ")
_FIELD = {"no question": "question", "empty_answer": "answer"}  # that a refusal misses
GOLD = ("answer",)  # what a bank's rows have next to their question
_ROWS = 100  # whose columns are remembered: jsonl rows differ in theirs
_NOTES = 20  # different ones that are logged; a folder may have thousands of files
_INDEX = "index_or_number"


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


@dataclass(frozen=True, slots=True)
class Placed:
    """A record and where it came from."""

    record: Record
    file: str
    line: int


class Intake:
    """Turns raw rows into records; an id that returns with other content is an error, except in logs of chats.

    The first rows of each file decide how its columns are read (`bank.guess`). What is guessed is logged.

    Args:
        columns: field -> the source's column; limits: of question and rationale as they are written; needs: fields
            that a suggested column map names, of which an answer is one where rows must have it; asked: rows are
            questions alone.

    Attributes:
        forms: rows of each published form. sources: where the fields of the first rows come from, by form.
        notes: what was logged about the reading.

    Memory: about 190 bytes a row, and the first rows of a file.
    """

    def __init__(
        self,
        columns: Mapping[str, str] | None = None,
        limits: ValidateParams | None = None,
        needs: Collection[str] = (),
        asked: bool = False,
    ) -> None:
        self.asked = asked
        self.columns, self.limits, self.needs = column_map(columns), limits, needs
        self.file_columns: dict[str, None] = {}  # of the first rows, in order
        self.recoded = 0  # lines that were cp1252 instead of UTF-8
        self.forms: Counter[str] = Counter()
        self.sources: dict[str, str] = {}
        self.notes: dict[str, None] = {}
        self.guess = Guess()  # of the last file
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
        for raw, found in self.read(raws):
            if isinstance(found, str):
                yield Quarantined(found, raw.file, raw.line, shorten(raw.row))
            else:
                yield self._unique(found, raw)

    def read(self, raws: Iterable[Raw]) -> Iterator[tuple[Raw, Record | str]]:
        """Each row with its record, or with the reason why it is none; ids may repeat."""
        most = self.limits.max_question_chars if self.limits else ValidateParams().max_question_chars
        fields = ("question", "context") if self.asked else FIELDS_GUESSED
        for part in by_file(self.watch(raws), self.columns, "answer" in self.needs, most, fields):
            self.guess = part.guess
            for note in part.guess.notes:
                self._note(part.file, note)
            reading = replace(part.guess.reading, asked=self.asked)
            for raw in part.rows:
                if raw.reason:
                    yield raw, raw.reason
                    continue
                try:
                    record, found = convert(raw.row, self.columns, self.limits, reading)
                except RowError as error:
                    yield raw, str(error)
                    continue
                self._count(record, found, raw)
                yield raw, record

    def _count(self, record: Record, found: Understood, raw: Raw) -> None:
        if self.forms.total() < _ROWS:
            for field, source in found.sources.items():
                self.sources.setdefault(field, source)
        self.forms[found.form] += 1
        foreign = record.metadata.get(FOREIGN_TYPE)
        if foreign is not None and isinstance(raw.row, dict) and FOREIGN_TYPE not in raw.row:
            known = ", ".join(ANSWER_TYPES)
            self._note(raw.file, f"answer_type {shown(foreign, 40)} is none of {known}: types are inferred instead")

    def _note(self, file: str, note: str) -> None:
        """Log something about a reading once, however many files and rows it holds for."""
        if note not in self.notes and len(self.notes) < _NOTES:
            self.notes[note] = None
            logger.warning("%s: %s", file, note)

    def _unique(self, record: Record, raw: Raw) -> Placed | Quarantined:
        digest = _digest(record)
        index = self._seen.setdefault(hash64(record.id), len(self._contents))
        if index < len(self._contents) and self._contents[index] != digest and is_log(raw.row):
            # the id of a log is that of a session, a user or a line of another file
            self._note(raw.file, "ids repeat with other content: such rows get ids from their content")
            parts = (record.question, record.rationale, record.answer, "\x1e".join((record.context, *record.options)))
            record = replace(record, id=content_id(*parts), metadata={"source_id": record.id, **record.metadata})
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


def _digest(record: Record) -> int:
    return hash64("\x1f".join((record.text, record.rationale, record.answer, record.group)))


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
        if common and common[0][0] == _INDEX and intake:
            column = intake.guess.unsettled.partition(",")[0] or "answer"
            raise ColumnsError(
                f"{problem}\nif the first option is number 1, write answer_from_1 for answer_from_0",
                {**intake.columns, "answer_from_0": column},
            )
        if missing and intake and intake.file_columns:
            names = ", ".join(intake.file_columns)[:200]
            likely = "".join(f"; {f} may be {c}" for one in intake.guess.doubts for f, c in one.items())[:200]
            raise ColumnsError(
                f"{problem}\nthe file has the columns {names}{likely}",
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
