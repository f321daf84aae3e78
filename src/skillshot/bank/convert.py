"""From any row to a Record: published form or column map, normalisation, inferred types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from skillshot.bank.choices import ChoiceError, choices_of
from skillshot.bank.columns import FIELDS, column_map, named
from skillshot.bank.limits import why_refused
from skillshot.bank.normalise import clean_text, infer_answer_type, operations, stored_rationale
from skillshot.bank.understand import PLAIN, Reading, Understood, understood
from skillshot.bank.worked import split_solution
from skillshot.common.offered import offered
from skillshot.common.params import ValidateParams
from skillshot.common.record import ANSWER_TYPES, Record, content_id
from skillshot.common.text import shown, visible

_SHORT = 40  # characters of a text that may repeat
FOREIGN_TYPE = "source_answer_type"  # metadata: an answer type that is none of ours


class RowError(ValueError):
    """A row that is no record; its text is the quarantine reason."""


def to_record(
    row: Mapping[str, Any],
    columns: Mapping[str, str] | None = None,
    limits: ValidateParams | None = None,
    reading: Reading = PLAIN,
) -> Record:
    """Turn a raw row into a normalised record; other columns become metadata.

    Args:
        columns: field -> the source's column (`a.b` and `a.0.b` reach into objects and lists; "" drops the field). It
            overrides single fields of a published form.
        limits: of question and rationale as they are written, before anything is normalised; None: none.
        reading: what is known of the row's file.

    Raises:
        RowError: the question is missing, a field has a type that cannot be read, or a limit is exceeded.
    """
    return convert(row, columns, limits, reading)[0]


def convert(
    row: Mapping[str, Any],
    columns: Mapping[str, str] | None = None,
    limits: ValidateParams | None = None,
    reading: Reading = PLAIN,
) -> tuple[Record, Understood]:
    """As `to_record`, with the row as it was understood.

    Raises:
        RowError: as `to_record`.
    """
    if refused := why_refused(row):
        raise RowError(refused)
    columns = column_map(columns)
    if not row:
        raise RowError("no question")
    try:
        found = understood(named(row), columns, reading)
    except ValueError as error:
        raise RowError(str(error)) from None
    return _record(found.row, columns, limits), found


def _record(raw: dict[str, Any], columns: Mapping[str, str], limits: ValidateParams | None) -> Record:
    if limits:
        _measured(raw, limits)
    options = _options(raw.get("options"))
    answer_type = _text(raw, "answer_type").strip().casefold()
    if answer_type and answer_type not in ANSWER_TYPES:
        raw.setdefault(FOREIGN_TYPE, raw.get("answer_type"))  # of another system: inferred instead
        answer_type = ""
    question, context = clean_text(_text(raw, "question")), clean_text(_text(raw, "context"))
    if not visible(question):
        raise RowError("no question")
    rationale, answer = _text(raw, "rationale"), _text(raw, "answer")
    if columns.get("answer") and columns.get("answer") == columns.get("rationale"):  # one holds both
        rationale, answer = split_solution(answer)
    answer_type = answer_type or infer_answer_type(answer.removeprefix("####"), options or offered(question))
    answer = clean_text(clean_text(answer).removeprefix("####"))
    rationale, marks = stored_rationale(rationale if visible(rationale) else "")
    metadata = {key: _plain(value) for key, value in raw.items() if key not in FIELDS}
    if marks:
        metadata.setdefault("equations", marks)
        metadata.setdefault("op_sequence", [operations(mark) for mark in marks])
    if "correct" in metadata:
        metadata["correct"] = _correct(metadata["correct"])
    identity = clean_text(_text(raw, "id"))
    return Record(
        id=identity or content_id(question, rationale, answer, "\x1e".join((context, *options))),
        question=question,
        rationale=rationale,
        answer=_shared(answer),
        context=context,
        options=options,
        unit=_shared(clean_text(_text(raw, "unit"))),
        answer_type=_shared(answer_type),
        group=clean_text(_text(raw, "group") or _text(raw, "db_id")),  # questions on one database are similar
        metadata=metadata,
    )


def _shared(text: str) -> str:
    """One object for equal short texts: labels, units and answers repeat in a bank of a million rows."""
    return _one(text) if len(text) <= _SHORT else text


@lru_cache(maxsize=2**12)
def _one(text: str) -> str:
    return text


def _measured(raw: Mapping[str, Any], limits: ValidateParams) -> None:
    """Refuse over-long fields before anything is normalised; `checks.over_long` measures what came of the others."""
    question = sum(_length(raw.get(name)) for name in ("question", "context", "options"))
    for name, length, most in (
        ("question", question, limits.max_question_chars),
        ("rationale", _length(raw.get("rationale")), limits.max_rationale_chars),
    ):
        if length > most:
            raise RowError(f"over_long: {name} of {length:,} characters, at most {most:,} (validate.max_{name}_chars)")


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | Mapping):
        return sum(map(_length, value.values() if isinstance(value, Mapping) else value))
    return 0


def _text(raw: Mapping[str, Any], name: str) -> str:
    """A field as text: numbers and booleans are spelled out, missing and null are empty, lists of steps are joined."""
    value = raw.get(name)
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value) if abs(value) < 10**100 else _refuse(name, value)
        case float():
            if not math.isfinite(value):
                _refuse(name, value)
            return str(int(value)) if name == "answer" and value.is_integer() and abs(value) < 2**53 else repr(value)
        case list() if name in {"rationale", "context"} and all(isinstance(v, str) for v in value):
            return "\n".join(value)
    return _refuse(name, value)


def _refuse(name: str, value: Any) -> str:
    quoted = "a huge number" if isinstance(value, int) else shown(value, 40)
    raise RowError(f"{name} is {type(value).__name__}, not text: {quoted}")


def _options(value: Any) -> tuple[str, ...]:
    try:
        return choices_of(value).texts
    except ChoiceError as error:
        raise RowError(str(error)) from None


def _correct(value: Any) -> bool | None:
    known = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}
    answer = known.get(str(value).strip().casefold())
    if answer is None and value not in (None, ""):
        raise RowError(f"correct is neither true nor false: {shown(value, 40)}")
    return answer


def _plain(value: Any) -> Any:
    """Metadata as JSON carries it: finite numbers, clean texts, dates and bytes as text."""
    match value:
        case None | bool():
            return value
        case str():
            return _shared(clean_text(value))
        case int():
            return value if abs(value) < 2**63 else str(value) if abs(value) < 10**100 else "huge"
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {clean_text(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return clean_text(str(value))
