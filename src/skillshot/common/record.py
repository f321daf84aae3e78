"""Record: the one type in which an example is passed through the pipeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import Any

from skillshot.common.io import read_jsonl, sha256_text, write_jsonl
from skillshot.common.offered import offered
from skillshot.common.text import canonical

ANSWER_TYPES = ("number", "choice", "choice_text", "bool", "sql", "lf", "json", "code", "text")
CHOICES = ("choice", "choice_text")
ORIGIN = "_origin"  # "file:line" of a record between ingest and validate, which drops it


@dataclasses.dataclass(frozen=True, slots=True)  # a bank may hold a million
class Record:
    """A solved example, or a query (whose rationale and answer may be empty).

    `metadata` holds all other fields of the source, such as labels and database names.
    """

    id: str
    question: str
    rationale: str = ""
    answer: str = ""
    context: str = ""
    options: tuple[str, ...] = ()
    unit: str = ""
    answer_type: str = "text"
    group: str = ""
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def text(self) -> str:
        """Input of the encoder for the question: question, context and options."""
        return question_text(self.question, self.context, self.options)

    @property
    def choices(self) -> tuple[str, ...]:
        """Options to choose from: its own, or those with which the text of a choice ends."""
        return self.options or (offered(self.question) if self.answer_type in CHOICES else ())

    @property
    def correct(self) -> bool:
        """False where the source marks the example `correct: false`: it is kept, but not learned from."""
        return self.metadata.get("correct") is not False

    def to_dict(self) -> dict[str, Any]:
        """A flat dict of fields and metadata; empty optional fields are left out."""
        row: dict[str, Any] = dict(self.metadata)
        for name in _FIELDS:
            value = getattr(self, name)
            if value or name in _ALWAYS:
                row[name] = list(value) if isinstance(value, tuple) else value
        return {name: row[name] for name in sorted(row, key=_order)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Record:
        """Inverse of `to_dict`, for rows written by this package; use `bank.load` for other files."""
        known = {name: row[name] for name in _FIELDS if name in row}
        known["options"] = tuple(known.get("options", ()))
        rest = {key: value for key, value in row.items() if key not in _FIELDS}
        return cls(**known, metadata=rest)


_FIELDS = tuple(f.name for f in dataclasses.fields(Record) if f.name != "metadata")
_ALWAYS = frozenset({"id", "question", "rationale", "answer", "answer_type"})


def _order(name: str) -> tuple[int, str]:
    return (_FIELDS.index(name) if name in _FIELDS else len(_FIELDS), name)


def question_text(question: str, context: str = "", options: Iterable[str] = ()) -> str:
    """The question of a record as one text: question, then context, then options.

    The question comes first, so that the encoder's limited window cuts the context and not the question.
    """
    parts = [question]
    if context:
        parts.append(context)
    choices = list(options)
    if choices:
        parts.append("Options: " + ", ".join(choices))
    return "\n".join(parts)


def normalise_question(text: str) -> str:
    """Normal form for identity, see `skillshot.common.text.canonical`. Equal forms are identical questions."""
    return canonical(text)


def content_id(question: str, rationale: str, answer: str, context: str = "") -> str:
    """Id of a record that has none: the first 16 hex digits of the SHA-256 of its content."""
    return sha256_text("\x1f".join((question, rationale, answer, context)))[:16]


def write_records(path: str | PathLike[str], records: Iterable[Record]) -> int:
    """Write records as JSON lines, atomically; returns how many."""
    return write_jsonl(path, (record.to_dict() for record in records))


def read_records(path: str | PathLike[str]) -> Iterator[Record]:
    """Read records that `write_records` wrote."""
    return (Record.from_dict(row) for row in read_jsonl(path))
