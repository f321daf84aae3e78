"""Options that are not in a field `options`: under another name, a column each, or right and wrong answers apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from skillshot.bank.choices import (
    ANSWERS,
    LISTS,
    PLACES,
    ChoiceError,
    Choices,
    by_label,
    by_text,
    choices_of,
    is_place,
)
from skillshot.bank.columns import filled, plain_name
from skillshot.bank.normalise import clean_text
from skillshot.bank.sheet import Sheet

_COLUMN = re.compile(
    r"(?:(?P<stem>option|opt|op|choice|alternative|alt|ending|sol|answer|ans|hypothesis|candidate|response|solution)_?)?"
    r"(?P<mark>[a-z]|[0-9]{1,2})"
)
_SURE = frozenset({"option", "opt", "op", "choice", "alternative", "alt", "ending", "sol"})  # never anything else
_WRONG = re.compile(r"(?:distractor|incorrect_answer|wrong_answer)s?_?[0-9]{0,2}")


def published(sheet: Sheet) -> Choices:
    """The options of a row that has no field `options`; the columns that held them are removed."""
    row = sheet.row
    answered = sheet.own("answer") or any(name in sheet.names for name in ANSWERS)
    for name in LISTS:
        column = sheet.names.get(name)
        if column is None or not filled(row[column]) or column in sheet.claimed:
            continue
        try:
            choices = choices_of(row[column])
        except ChoiceError:
            continue
        if len(choices.texts) > 1 and (answered or choices.right is not None):
            sheet.sources["options"] = column
            row.pop(column)
            return choices
    if (scores := sheet.get("mc1_targets")) is not None and isinstance(scores, Mapping):  # TruthfulQA
        texts, labels = scores.get("choices"), scores.get("labels")
        if isinstance(texts, list) and isinstance(labels, list) and len(texts) == len(labels) and labels.count(1) == 1:
            sheet.sources["options"] = "mc1_targets"
            return Choices(choices_of(texts).texts, (), labels.index(1))
    if found := spread(row):
        names, choices = found
        if not set(names) & sheet.claimed.keys():
            sheet.sources["options"] = ", ".join(names)
            for name in names:
                row.pop(name)
            return choices
    if wrong := distractors(row):
        right = row.get("answer") if sheet.own("answer") else sheet.get("correct_answer", "correct", "best_answer")
        if filled(right) and isinstance(right, str | int | float):
            sheet.sources["options"] = ", ".join(wrong)
            made = with_right(right, [row.pop(name) for name in wrong])
            sheet.take("answer", "correct_answer", "correct", "best_answer")
            return made
    return Choices()


def spread(row: Mapping[str, Any]) -> tuple[list[str], Choices] | None:
    """The columns that hold one option each, and these options; None where there are fewer than two."""
    for stem, columns in _stems(tuple(row)):
        marks = _run(columns)
        names = [columns[mark] for mark in marks]
        while names and not filled(row[names[-1]]):
            names.pop()  # fewer options than the file has columns
        values = [row[name] for name in names]
        if len(names) < 2 or not all(isinstance(value, str | int | float) for value in values):
            continue
        choices = Choices(
            tuple(clean_text(str(value)) for value in values), tuple(mark.upper() for mark in marks[: len(names)])
        )
        if stem.rstrip("#") in _SURE or _named(row, choices):
            return [columns[mark] for mark in marks], choices
    return None


def distractors(row: Mapping[str, Any]) -> list[str]:
    """Columns that hold wrong answers."""
    return [name for name in _wrong(tuple(row)) if filled(row[name])]


def with_right(right: Any, wrong: Iterable[Any]) -> Choices:
    """Options made of the right answer and wrong ones, sorted, so that the place says nothing."""
    parts = [part for value in wrong for part in (value if isinstance(value, list) else [value])]
    texts = sorted({clean_text(str(part)) for part in [right, *parts] if filled(part)})
    return Choices(tuple(texts), right=texts.index(clean_text(str(right))))


@lru_cache(maxsize=128)
def _stems(columns: tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    """Columns that differ in a letter or number at their end: what they share, and mark -> column."""
    found: dict[str, dict[str, str]] = {}
    for name in columns:
        if (match := _COLUMN.fullmatch(plain_name(name))) and (match["stem"] or match["mark"].isalpha()):
            stem = (match["stem"] or "") + ("#" if match["mark"].isdigit() else "")
            found.setdefault(stem, {})[match["mark"]] = name
    return [(stem, names) for stem, names in found.items() if len(names) > 1]


@lru_cache(maxsize=128)
def _wrong(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in columns if _WRONG.fullmatch(plain_name(name)))


def _run(columns: Mapping[str, str]) -> list[str]:
    """Marks that follow each other from a, 0 or 1."""
    marks = list(columns)
    if marks[0].isalpha():
        wanted = [chr(ord("a") + i) for i in range(len(marks))]
    else:
        start = 0 if "0" in columns else 1
        wanted = [str(start + i) for i in range(len(marks))]
    return wanted if sorted(marks) == sorted(wanted) else []


def _named(row: Mapping[str, Any], choices: Choices) -> bool:
    """Whether an answer in the row names one of the options."""
    names = {plain_name(name): name for name in row}
    value = next(
        (row[names[name]] for name in ("answer", *ANSWERS) if name in names and filled(row[names[name]])), None
    )
    if not isinstance(value, str | int | float):
        return False
    place = (
        any(PLACES.fullmatch(name) for name in names) and is_place(value) and int(float(value)) <= len(choices.texts)
    )
    return place or any(find(value, choices) is not None for find in (by_text, by_label))
