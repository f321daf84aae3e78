"""Which column of a file holds which field, where its names are not ours."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from skillshot.bank.normalise import clean_text
from skillshot.common.errors import InputError
from skillshot.common.text import bare, shown

FIELDS = ("id", "question", "rationale", "answer", "context", "options", "unit", "answer_type", "group")
INDEXES = {"answer_from_0": 0, "answer_from_1": 1}  # an answer that is the place of its option, counted from there
OTHER_NAMES = {  # how published data sets call our fields, most specific first; each as `plain_name` gives it
    "question": (
        "problem", "prompt", "input", "inputs", "query", "instruction", "utterance", "sentence", "source",
        "question_text", "question_stem", "stem", "problem_statement", "problem_text", "original_text", "user_input",
        "natural_language", "nl", "nl_query", "goal", "task", "request", "statement", "claim", "text", "src", "ctx",
        "user", "title",
    ),
    "rationale": (
        "solution", "explanation", "reasoning", "chain_of_thought", "cot", "thought", "thoughts", "thinking", "steps",
        "worked_solution", "justification", "derivation", "analysis", "proof", "reasoning_content", "cot_content",
        "why", "equation", "equations", "formula", "exp", "completion", "response", "generation",
    ),
    "answer": (
        "final_answer", "final", "target", "targets", "result", "label", "output", "gold", "expected_answer",
        "completion", "ans", "answers", "gold_answer", "correct_answer", "expected_output", "expected",
        "ground_truth", "reference", "reference_answer", "ideal", "sql", "query", "logical_form",
        "canonical_solution", "code", "program", "response", "reply", "outputs", "value", "tgt", "intent", "category",
        "solution",
    ),
    "context": (
        "passage", "paragraph", "article", "story", "document", "background", "support", "schema", "sql_context",
        "create_table",
    ),
}  # fmt: skip
PLACEHOLDER = "COLUMN"
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\W_]+")
_WRAPPERS = frozenset({"row", "data"})
_PLACE = re.compile(r"-?[0-9]{1,6}")
_GUESSED = ("question", "answer", "rationale")  # in this order: a row needs no rationale


@lru_cache(maxsize=4096)
def column_name(name: str) -> str:
    """A column's name as it is meant: NFKC, without blanks around it, byte order marks or other invisible characters.

    Two spellings of one name are one column: `" options "` is `options`.
    """
    return clean_text(bare(clean_text(name)))


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A column's name without case and separators: `answerKey`, `Answer Key` and `answer-key` are `answer_key`."""
    return _SEPARATORS.sub("_", _HUMP.sub("_", name)).strip("_").casefold()


def reach(row: Mapping[str, Any], column: str) -> Any:
    """The value of a column, or at a path into objects and lists (`turns.0.content`); None where there is none."""
    if column in row:
        return row[column]
    first, _, rest = column.partition(".")
    if first in _WRAPPERS and first not in row and rest:
        return reach(row, rest)  # the readers unwrap such rows
    value: Any = row
    for part in column.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list | tuple) and _PLACE.fullmatch(part) and -len(value) <= int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def filled(value: Any) -> bool:
    """Whether a cell holds anything: no null, no blank text, no empty list or object."""
    return bool(value.strip()) if isinstance(value, str) else value is not None and value != [] and value != {}


def confirming(columns: Mapping[str, str]) -> str:
    """The option that passes a map, ready to paste into a shell."""
    pairs = ",".join(f"{field}={columns[field]}" for field in _sorted(columns))
    return f"--columns {shlex.quote(pairs)}"


def named(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row under its columns' names.

    Raises:
        ValueError: two columns have one name; the text has both.
    """
    found = {column_name(name if isinstance(name, str) else str(name)): value for name, value in row.items()}
    if len(found) < len(row):
        raise ValueError(collision(row))
    return found


def collision(names: Iterable[Any]) -> str:
    """Which two columns have one name; "" where all differ."""
    first: dict[str, Any] = {}
    for name in names:
        other = first.setdefault(column_name(str(name)), name)
        if other is not name:
            return f"two columns are one: {shown(other, 40)} and {shown(name, 40)}"
    return ""


def column_map(columns: Any) -> dict[str, str]:
    """A map of fields to columns, as a caller gave it.

    Raises:
        InputError: it is no mapping of texts to texts, or a field is misspelt.
    """
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        raise InputError(f"columns={shown(columns)}: expected a mapping, e.g. {{'question': 'problem'}}")
    for field, column in columns.items():
        if not isinstance(field, str) or not isinstance(column, str):
            raise InputError(
                f"columns: {shown(field)}: {shown(column)}: expected the name of a field and that of a column"
            )
        if meant := _meant(field):
            raise InputError(f"columns: unknown field {field}; did you mean {meant}?")
    return {field: column_name(column) for field, column in columns.items()}


@lru_cache(maxsize=256)
def _meant(field: str) -> str:
    """The field that an unknown one is close to; "" for a known field, and for one that may name metadata."""
    return "" if field in FIELDS or field in INDEXES else next(iter(get_close_matches(field, FIELDS, 1, 0.8)), "")


def suggest(
    missing: str, columns: Iterable[str], given: Mapping[str, str], needs: Collection[str] = ()
) -> dict[str, str]:
    """A map to try: field -> column of the file, `PLACEHOLDER` where a needed field's column cannot be guessed.

    Args:
        missing: the field that rows lack; columns: of the file; given: the map in use, whose sound part is kept;
            needs: other fields that rows must have.
    """
    names = list(columns)
    found = {field: column for field, column in given.items() if not column or column.split(".")[0] in names}
    if found.get(missing):
        del found[missing]  # it is mapped and still empty
    for field in _GUESSED:
        others = OTHER_NAMES[field]
        if field in found or (field in names and field != missing):
            continue
        free = {plain_name(name): name for name in names if name not in found.values() and name not in OTHER_NAMES}
        guess = next((free[other] for other in others if other in free), None)
        if guess or field == missing or field in needs:
            found[field] = guess or PLACEHOLDER
    return {field: found[field] for field in _sorted(found)}


def _sorted(columns: Mapping[str, str]) -> list[str]:
    """Fields in the order in which a map names them: question, rationale, answer, others."""
    return sorted(columns, key=lambda field: ["question", "rationale", "answer", field].index(field))
