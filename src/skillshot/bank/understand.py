"""From the columns of a row to the fields of a record: the caller's map, published forms, guesses, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from skillshot.bank.choices import ANSWERS, Base, Choices, choices_of, chosen
from skillshot.bank.columns import INDEXES, filled, plain_name, reach
from skillshot.bank.formats import recognise
from skillshot.bank.option_columns import published
from skillshot.bank.sheet import OWN, Row, Sheet
from skillshot.bank.worked import asked_and_answered, split_solution
from skillshot.common.record import CHOICES

NONE = Choices()
LABELS = frozenset({"label", "category", "intent", "class", "type", "kind", "value"})  # answers that also sort rows
_WRITTEN = frozenset({"id", "question", "rationale", "answer", "answer_type"})  # of every record that we write


@dataclass(frozen=True)
class Reading:
    """How the rows of one file are understood, beyond what each row shows by itself (`bank.guess`).

    Attributes:
        columns: guessed column of each field. base: the number of the first option, where answers are places;
            texts: numbers are texts of options. worked: answers are worked solutions that end in the answer.
        both: column whose texts hold question and answer. repeated: columns with few different values.
        answered: rows must have an answer. asked: rows are questions alone, whose answers do not matter.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    base: Base = None
    texts: bool = False
    worked: bool = False
    both: str = ""
    repeated: frozenset[str] = frozenset()
    answered: bool = False
    asked: bool = False


@dataclass(frozen=True)
class Understood:
    """A row under the names of a record, the published form it has ("" for none), and the source of each field."""

    row: Row
    form: str
    sources: Mapping[str, str]
    choices: Choices = NONE


PLAIN = Reading()


def understood(row: Row, columns: Mapping[str, str], reading: Reading = PLAIN) -> Understood:
    """The fields of a row.

    Args:
        row: by its columns' names, see `columns.named`. columns: field -> column, as the caller mapped them.

    Raises:
        ChoiceError: options or an answer among them that cannot be read.
    """
    found = fields_of(row, columns, reading)
    raw, choices = found.row, found.choices
    base = next((INDEXES[name] for name in columns if name in INDEXES), reading.base)
    if reading.asked:
        raw.pop("answer", None)
    if choices.texts:
        raw["options"] = list(choices.texts)
        answer = chosen(raw.get("answer"), choices, base, reading.texts)
        if answer is not raw.get("answer"):
            raw["answer"] = answer
            if str(raw.get("answer_type") or "").strip().casefold() not in CHOICES:
                raw.pop("answer_type", None)
    return found


def fields_of(row: Row, columns: Mapping[str, str], reading: Reading = PLAIN) -> Understood:
    """As `understood`, with the answer as the row has it.

    Raises:
        ChoiceError: options that cannot be read.
    """
    mapped = {("answer" if name in INDEXES else name): column for name, column in columns.items()}
    raw = dict(row)
    values = {name: reach(row, column) for name, column in mapped.items() if column}
    tops = {column if column in row else column.split(".")[0] for column in mapped.values() if column}
    claimed = {column: name for name, column in mapped.items() if column in row}
    for name in tops & set(OWN) - mapped.keys():
        raw.pop(name, None)  # a field of ours that is mapped to another one
    raw |= values
    sheet = Sheet(raw, claimed, frozenset(mapped), reading.repeated, reading.answered)
    sheet.sources |= {name: column for name, column in mapped.items() if column}
    form = recognise(sheet)
    if reading.both and sheet.free("question"):
        _separate(sheet, reading.both)
    for name, column in reading.columns.items():
        guessed = column in raw and column not in claimed and sheet.put(name, raw[column], column)
        if guessed and plain_name(column) not in LABELS:
            raw.pop(column, None)
    choices = _choices(sheet)
    if reading.worked:
        _split(sheet)
    for name in tops - mapped.keys():
        raw.pop(name, None)
    for name, column in mapped.items():
        if not column:
            raw.pop(name, None)
    sheet.sources |= {name: name for name in OWN if name in raw and name not in sheet.sources}
    return Understood(raw, form, sheet.sources, choices)


def _separate(sheet: Sheet, column: str) -> None:
    question, answer = asked_and_answered(str(sheet.row.get(column) or ""))
    if question and sheet.put("question", question, f"{column}, before its answer"):
        sheet.put("answer", answer, f"{column}, its answer")
        if column not in sheet.closed:
            sheet.row.pop(column, None)


def _split(sheet: Sheet) -> None:
    answer = sheet.row.get("answer")
    if not isinstance(answer, str) or not sheet.free("rationale"):
        return
    rationale, final = split_solution(answer)
    if final and rationale.strip() != final:
        source = sheet.sources.get("answer", "answer")
        sheet.row["rationale"], sheet.row["answer"] = rationale, final
        sheet.sources |= {"rationale": source, "answer": f"{source}, at its end"}


def _choices(sheet: Sheet) -> Choices:
    """The options of a row, from wherever it has them; columns that held them are removed."""
    row = sheet.row
    choices = Choices()
    if filled(row.get("options")):
        choices = choices_of(row["options"])
    elif "options" not in sheet.closed:
        choices = published(sheet)
    if choices.texts and sheet.free("answer") and not (row.keys() >= _WRITTEN and row["answer_type"]):
        sheet.take("answer", *(name for name in ANSWERS if _names_one(sheet.get(name))))
    return choices


def _names_one(value: Any) -> bool:
    """Whether a cell may name one option: a text or number that is no truth value."""
    return isinstance(value, str | int | float) and str(value).strip().casefold() not in {"true", "false", ""}
