"""What may be asked, and what a selection returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, TypedDict

from skillshot.common.errors import InputError
from skillshot.common.record import Record, normalise_question, question_text
from skillshot.common.text import shown

# characters of a question with context and options: encoders read some hundred words of it, and a text of megabytes
# would take minutes
MAX_QUESTION = 100_000

Question = str | Mapping[str, Any]


class Filters(TypedDict, total=False):
    """Keyword arguments that every selection takes; `Selector.select` describes them."""

    exclude: Collection[str]
    where: Mapping[str, Any] | None
    min_score: float | None
    min_confidence: float | None


@dataclasses.dataclass(frozen=True)
class Demonstration:
    """A solved example chosen for a question.

    score: expected similarity of what it shows to what the question needs, at most 1. It ranks within a question.
    confidence: calibrated probability that it needs the same procedure, in [0, 1]. It compares questions and banks.
    """

    id: str
    question: str
    rationale: str
    answer: str
    score: float
    confidence: float = 0.5
    context: str = ""
    options: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, record: Record, score: float, confidence: float) -> Demonstration:
        """A record of the bank as it was chosen."""
        return cls(
            record.id, record.question, record.rationale, record.answer, score, confidence, record.context,
            record.options, record.metadata,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary, ready for JSON."""
        row = dataclasses.asdict(self)
        row["options"] = list(self.options)
        return row


def parts(question: Question) -> tuple[str, str, tuple[str, ...]]:
    """Question, context and options.

    Raises:
        InputError: neither a text nor a mapping with one under `question`; context or options of a wrong type; a
            blank question, or one of over `MAX_QUESTION` characters.
    """
    if isinstance(question, str):
        return _measured(question, "", ())
    if not isinstance(question, Mapping) or not isinstance(question.get("question"), str):
        raise InputError(f"question {shown(question)}: expected a text, or a mapping with a text under 'question'")
    context, options = question.get("context"), question.get("options")
    if context is not None and not isinstance(context, str):
        raise InputError(f"context {shown(context)} of a question: expected a text, or none")
    if isinstance(options, Mapping):  # {"A": "12", "B": "13"}
        options = list(options.values())
    if options is not None and not isinstance(options, list | tuple):
        raise InputError(f"options {shown(options)} of a question: expected a list of texts, or none")
    for option in options or ():
        if not isinstance(option, str | int | float):
            raise InputError(f"option {shown(option)} of a question: expected a text or a number")
    return _measured(question["question"], context or "", tuple(map(_spelled, options or ())))


def _spelled(option: str | float) -> str:
    if isinstance(option, int) and abs(option) >= 10**100:
        raise InputError("an option of a question is a number of over 100 digits: give it as a text")
    return str(option)


def _measured(question: str, context: str, options: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]]:
    length = len(question) + len(context) + sum(map(len, options))
    if length > MAX_QUESTION:
        raise InputError(
            f"question {shown(question, 40)}: {length:,} characters with context and options, at most "
            f"{MAX_QUESTION:,}; cut it, as only its beginning is read"
        )
    if not normalise_question(question):
        raise InputError(f"question {shown(question)} is blank: expected a text")
    return question, context, options


def parse(question: Question) -> tuple[str, str]:
    """The question alone, and the whole text that encoders read."""
    asked, context, options = parts(question)
    return asked, question_text(asked, context, options)
