"""What may be asked: a text, or a mapping with `question` and optionally `context` and `options`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from skillshot.bank.record import question_text
from skillshot.errors import InputError

Question = str | Mapping[str, Any]


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
