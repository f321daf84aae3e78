"""Rows of cells under their columns' names: with or without a header, with an index column, or a trailing delimiter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from skillshot.bank.columns import FIELDS, OTHER_NAMES, column_name
from skillshot.bank.rows import FileForm, Raw, check_columns
from skillshot.common.errors import InputError

SAMPLE = 50  # rows by which header and index column are recognised

# one of these in the first row makes it a header
KNOWN = frozenset((
    *FIELDS, *(name for names in OTHER_NAMES.values() for name in names), "choices", "choice", "equation", "formula",
    "sql", "ans", "body", "passage", "correct", "answerkey", "answer_key", "type", "category", "skill", "topic",
    "level", "db_id", "facts", "table", "questions", "answers", "rationales", "system", "messages", "split", "idx",
    "index", "difficulty", "subject",
))  # fmt: skip
_NAME = re.compile(r"[\w .\-/()#%:&]{1,40}")
_NUMBER = re.compile(r"[-+]?[\d.,]+%?")
_UNNAMED = re.compile(r"(?:Unnamed: ?\d+)?", re.IGNORECASE)
_INTEGER = re.compile(r"\d{1,12}(?:\.0)?")
_OPTIONS = 10  # more columns between a text and a letter are no options
_WORDS = 6  # more are a sentence, not a name


@dataclass(frozen=True)
class Cells:
    """The cells of one row, or the reason why it has none."""

    line: int
    cells: list[Any]
    reason: str = ""
    recoded: bool = False
    text: str = ""  # as it is written


Repair = Callable[[Cells, int], list[Cells]]


@dataclass(frozen=True)
class Columns:
    """Names of a table's columns, None for one that is left out."""

    names: list[str | None]
    header: bool

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.names)

    def row(self, cells: list[Any]) -> dict[str, Any]:
        """The cells under their names; an empty one is missing."""
        return {
            name: cell
            for name, cell in zip(self.names, cells, strict=True)
            if name is not None and cell is not None and cell != ""
        }


def tabulated(
    name: str,
    place: str,
    table: Iterator[Cells],
    form: FileForm,
    repair: Repair | None = None,
    ahead: Sequence[Cells] | None = None,
) -> Iterator[Raw]:
    """Rows of a table whose header may be missing.

    Args:
        place: the file, as messages name it; repair: gives other rows for one that has not as many cells as columns, or
            none; ahead: the first rows, where the table can show them before they are read.

    Raises:
        InputError: the columns are not usable.
    """
    start = list(islice(table, SAMPLE)) if ahead is None else []
    sample = [row for row in (start if ahead is None else ahead) if row.cells and not row.reason]
    if not sample:
        yield from (Raw(name, row.line, row.text[:200] or None, row.reason) for row in chain(start, table))
        return
    columns = columns_of(f"{place}: line {sample[0].line}", [row.cells for row in sample], place, form)
    skipped = sample[0].line if columns.header else 0
    for row in chain(start, table):
        if row.line == skipped:
            continue
        for fitted in _fitted(row, columns, repair):
            if fitted.reason:
                yield Raw(name, fitted.line, fitted.cells or None, fitted.reason, fitted.recoded)
            elif found := columns.row(fitted.cells):
                yield Raw(name, fitted.line, found, "", fitted.recoded)


def columns_of(place: str, sample: list[list[Any]], file: str, form: FileForm) -> Columns:
    """The columns of a table by its first rows; what is unusual is logged.

    Raises:
        InputError: two columns have one name, or there are too many.
    """
    first, rest = [str(cell if cell is not None else "").strip() for cell in sample[0]], sample[1:]
    header = is_header(first, rest)
    one_more = len(rest) > 1 and all(len(row) == len(first) + 1 and row[-1] not in ("", None) for row in rest)
    if header and one_more and len({row[0] for row in rest}) == len(rest):
        first = ["", *first]  # R names the columns, not the names of the rows
    width = len(first)
    lettered = [] if header else _lettered([first, *rest])
    while header and width > 1 and not first[width - 1] and all(_blank(row[width - 1 :]) for row in rest):
        width -= 1  # a delimiter at the end of each line
    names: list[str | None] = [
        (cell if header and cell else f"column{number}") for number, cell in enumerate(first[:width], 1)
    ]
    names = lettered or names
    if header and _UNNAMED.fullmatch(first[0]) and rest and _counts([row[0] for row in rest if row]) and width > 1:
        names[0] = None
        form.add("index column left out")
    given = [name for name in names if name is not None]
    if len(set(given)) < len(given):
        raise InputError(f"{place}: column names must be there and differ, got {', '.join(given)[:200]!r}")
    check_columns(place, given)
    if header:
        form.add("header")
        unnamed = [str(name) for name, cell in zip(names, first, strict=False) if name is not None and not cell]
        if unnamed:
            form.warn(file, f"columns without a name are called {', '.join(unnamed)[:200]}")
    else:
        called = ", ".join(map(str, names)) if lettered else names[0] if width == 1 else f"{names[0]} to {names[-1]}"
        form.add(f"no header: {called}")
        form.warn(file, f"the first line is no header, so the columns are called {called}")
    return Columns(names, header)


def is_header(first: list[str], rest: list[list[Any]]) -> bool:
    """Whether a table's first row names its columns, by its words and by how it differs from the other rows."""
    names = [column_name(cell).casefold().replace(" ", "_").replace("-", "_") for cell in first]
    known = sum(1 + (name in FIELDS) for name in names if name in KNOWN)
    values = sum(_is_value(cell) for cell in first)
    if known or not rest:
        return known > values or not values
    repeated = any(
        cell and cell == str(row[place]).strip() for place, cell in enumerate(first) for row in rest if place < len(row)
    )
    return not values and not repeated


def _lettered(rows: list[list[Any]]) -> list[str | None]:
    """Names of the columns of multiple choice without a header, as MMLU has it: question, options, letter of one.

    [] where the rows are not so: an option is empty or missing, or all letters are the same.
    """
    width = len(rows[0])
    letters = [chr(ord("A") + place) for place in range(width - 2)]
    given = [[str(cell if cell is not None else "").strip() for cell in row] for row in rows]
    answers = {row[-1] for row in given if row}
    if not 2 <= len(letters) <= _OPTIONS or len(answers) < 2 or not answers <= set(letters):
        return []
    whole = all(len(row) == width and all(row) for row in given)
    return ["question", *letters, "answer"] if whole else []


def _is_value(cell: str) -> bool:
    """Whether a cell is a value rather than a name: a number, a sentence, a formula."""
    if not cell:
        return False
    bare = column_name(cell)
    return (
        bool(_NUMBER.fullmatch(bare))
        or not _NAME.fullmatch(bare)
        or bare.endswith((".", ":", "。"))
        or len(bare.split()) > _WORDS
    )


def _counts(cells: list[Any]) -> bool:
    """Whether cells are the numbers of the rows, from any start."""
    texts = [str(cell).strip() for cell in cells]
    if not all(_INTEGER.fullmatch(text) for text in texts):
        return False
    numbers = [int(text.partition(".")[0]) for text in texts]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) and (len(numbers) > 1 or numbers[0] < 2)


def _blank(cells: list[Any]) -> bool:
    return all(cell is None or not str(cell).strip() for cell in cells)


def _fitted(row: Cells, columns: Columns, repair: Repair | None) -> list[Cells]:
    """A row with as many cells as there are columns, or with the reason why not."""
    if not row.reason and len(row.cells) == columns.width:
        return [row]
    if not row.reason and len(row.cells) > columns.width and _blank(row.cells[columns.width :]):
        return [Cells(row.line, row.cells[: columns.width], "", row.recoded)]
    if repair is not None and (repaired := repair(row, columns.width)):
        return repaired
    if row.reason:
        return [row]
    return [Cells(row.line, row.cells, f"{len(row.cells)} cells for {columns.width} columns", row.recoded)]
