"""From any row to a Record: published form or column map, normalisation, inferred types."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from skillshot.bank.columns import FIELDS, column_map, named
from skillshot.bank.formats import PRESETS, preset_of, split_solution
from skillshot.bank.limits import why_refused
from skillshot.bank.normalise import clean_text, infer_answer_type, operations, stored_rationale
from skillshot.common.params import ValidateParams
from skillshot.common.record import ANSWER_TYPES, Record, content_id
from skillshot.common.text import shown, visible

_LETTERED = re.compile(r"\(?([A-Za-z])\s*[).:]\s*")


class RowError(ValueError):
    """A row that is no record; its text is the quarantine reason."""


def to_record(
    row: Mapping[str, Any], columns: Mapping[str, str] | None = None, limits: ValidateParams | None = None
) -> Record:
    """Turn a raw row into a normalised record; other columns become metadata.

    Args:
        columns: field -> the source's column (`a.b` reaches into nested objects; "" drops the field).
        limits: of question and rationale as they are written, before anything is normalised; None: none.

    Raises:
        RowError: the question is missing, a field has a type that cannot be read, or a limit is exceeded.
    """
    if refused := why_refused(row):
        raise RowError(refused)
    try:
        row = named(row)
    except ValueError as error:
        raise RowError(str(error)) from None
    columns = column_map(columns)
    raw = _mapped(row, columns) if columns else row
    if not any(columns.values()) and (preset := preset_of(raw)):
        raw = PRESETS[preset](raw)
    if limits:
        _measured(raw, limits)
    options = _options(raw.get("options"))
    answer_type = _text(raw, "answer_type").strip().casefold()
    if answer_type and answer_type not in ANSWER_TYPES:
        raise RowError(f"answer_type {answer_type[:40]!r} is none of {', '.join(ANSWER_TYPES)}")
    question, context = clean_text(_text(raw, "question")), clean_text(_text(raw, "context"))
    if not visible(question):
        raise RowError("no question")
    rationale, answer = _text(raw, "rationale"), _text(raw, "answer")
    if columns.get("answer") and columns.get("answer") == columns.get("rationale"):  # one holds both
        rationale, answer = split_solution(answer)
    answer_type = answer_type or infer_answer_type(answer.removeprefix("####"), options)
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
        answer=answer,
        context=context,
        options=options,
        unit=clean_text(_text(raw, "unit")),
        answer_type=answer_type,
        group=clean_text(_text(raw, "group") or _text(raw, "db_id")),  # questions on one database are similar
        metadata=metadata,
    )


def _mapped(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    used = {column.split(".")[0] for column in columns.values()}
    raw = {key: value for key, value in row.items() if key not in used and key not in columns}
    for name, column in columns.items():
        if column:
            raw[name] = _reach(row, column)
    return raw


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


def _reach(row: Mapping[str, Any], column: str) -> Any:
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


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
            whole = name == "answer" and value.is_integer() and abs(value) < 1e15  # a table's 51.0 is 51
            return str(int(value)) if whole else repr(value) if math.isfinite(value) else _refuse(name, value)
        case list() if name in {"rationale", "context"} and all(isinstance(v, str) for v in value):
            return "\n".join(value)
    return _refuse(name, value)


def _refuse(name: str, value: Any) -> str:
    quoted = "a huge number" if isinstance(value, int) else shown(value, 40)
    raise RowError(f"{name} is {type(value).__name__}, not text: {quoted}")


def _options(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) and value.lstrip().startswith("["):  # a list in a csv cell
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise RowError(f"options is not a JSON list: {value[:40]!r}") from None
    if value is None or value == "":
        return ()
    if isinstance(value, Mapping):  # {"A": "12", "B": "13"}
        value = list(value.values())
    if not isinstance(value, list) or not all(isinstance(v, str | int | float) for v in value):
        raise RowError(f"options is {type(value).__name__}, not a list of texts: {shown(value, 40)}")
    options = [clean_text(str(v)) for v in value]
    named = [_LETTERED.match(option) for option in options]
    letters = [match[1].upper() for match in named if match]
    if letters == [chr(ord("A") + i) for i in range(len(options))]:  # "a) 12", "b) 13": the letter is its place
        options = [option[match.end() :] for option, match in zip(options, named, strict=True) if match]
    return tuple(options)


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
            return clean_text(value)
        case int():
            return value if abs(value) < 2**63 else str(value) if abs(value) < 10**100 else "huge"
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {clean_text(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return clean_text(str(value))
