"""What may be asked, and what a selection returns."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypedDict

from skillshot.common.errors import InputError
from skillshot.common.record import Record, question_text

Question = str | Mapping[str, Any]


class Filters(TypedDict, total=False):
    """Keyword arguments that every selection takes; `Selector.select` describes them."""

    exclude: Collection[str]
    where: Mapping[str, Any] | None
    min_score: float | None


@dataclasses.dataclass(frozen=True)
class Demonstration:
    """A solved example chosen for a question; `score` is the cosine of skills, in [-1, 1]."""

    id: str
    question: str
    rationale: str
    answer: str
    score: float
    context: str = ""
    options: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, record: Record, score: float) -> Demonstration:
        """A record of the bank as it was chosen."""
        return cls(
            record.id, record.question, record.rationale, record.answer, score, record.context, record.options,
            record.metadata,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary, ready for JSON."""
        row = dataclasses.asdict(self)
        row["options"] = list(self.options)
        return row


def parts(question: Question) -> tuple[str, str, tuple[str, ...]]:
    """Question, context and options.

    Raises:
        InputError: neither a text nor a mapping with one under `question`.
    """
    if isinstance(question, str):
        return question, "", ()
    if not isinstance(question, Mapping) or not isinstance(question.get("question"), str):
        shown = json.dumps(question, default=str)[:80]
        raise InputError(f"question {shown}: expected a text, or a mapping with a text under 'question'")
    options: Iterable[Any] = question.get("options") or ()
    return question["question"], str(question.get("context") or ""), tuple(str(option) for option in options)


def parse(question: Question) -> tuple[str, str]:
    """The question alone, and the whole text that encoders read."""
    asked, context, options = parts(question)
    return asked, question_text(asked, context, options)
