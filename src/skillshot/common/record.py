"""One record of a bank: the only shape in which examples travel through the pipeline."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import Any

from skillshot.common.io import read_jsonl, sha256_text, write_jsonl

ANSWER_TYPES = ("number", "choice", "choice_text", "bool", "sql", "lf", "text")
ORIGIN = "_origin"  # "file:line" of a record between ingest and validate, which drops it

_SPACE = re.compile(r"\s+")


@dataclasses.dataclass(frozen=True)
class Record:
    """A solved example, or a query (whose rationale and answer may be empty).

    `metadata` holds everything else the source told: labels, databases, units of no use here.
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
        """What an encoder reads of the question's side: context, question and options."""
        return question_text(self.question, self.context, self.options)

    @property
    def correct(self) -> bool:
        """False where the source marks the example `correct: false`: kept, but no policy learns from it."""
        return self.metadata.get("correct") is not False

    def to_json(self) -> dict[str, Any]:
        """A flat object; empty optional fields are left out, metadata lies beside the rest."""
        row: dict[str, Any] = dict(self.metadata)
        for name in _FIELDS:
            value = getattr(self, name)
            if value or name in _ALWAYS:
                row[name] = list(value) if isinstance(value, tuple) else value
        return {name: row[name] for name in sorted(row, key=_order)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Record:
        """Inverse of `to_json`, for rows this package wrote (use `bank.read` for anybody else's)."""
        known = {name: row[name] for name in _FIELDS if name in row}
        known["options"] = tuple(known.get("options", ()))
        rest = {key: value for key, value in row.items() if key not in _FIELDS}
        return cls(**known, metadata=rest)


_FIELDS = tuple(f.name for f in dataclasses.fields(Record) if f.name != "metadata")
_ALWAYS = frozenset({"id", "question", "rationale", "answer", "answer_type"})


def _order(name: str) -> tuple[int, str]:
    return (_FIELDS.index(name) if name in _FIELDS else len(_FIELDS), name)


def question_text(question: str, context: str = "", options: Iterable[str] = ()) -> str:
    """Question side of a record as one text: question, then context, then options.

    The question comes first so that an encoder's limited window cuts the context, never it.
    """
    parts = [question]
    if context:
        parts.append(context)
    choices = list(options)
    if choices:
        parts.append("Options: " + ", ".join(choices))
    return "\n".join(parts)


def normalise_question(text: str) -> str:
    """Form under which two questions count as identical: NFKC, case-folded, spaces collapsed."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def content_id(question: str, rationale: str, answer: str, context: str = "") -> str:
    """Identity of a record that has none: 16 hex digits of its content's digest."""
    return sha256_text("\x1f".join((question, rationale, answer, context)))[:16]


def write_records(path: str | PathLike[str], records: Iterable[Record]) -> int:
    """Write records as JSON lines, atomically; returns how many."""
    return write_jsonl(path, (record.to_json() for record in records))


def read_records(path: str | PathLike[str]) -> Iterator[Record]:
    """Read records that `write_records` wrote."""
    return (Record.from_json(row) for row in read_jsonl(path))
