r"""Is a written answer right? One checker for each `answer_type`.

The answer is what follows the first "The answer is" (a small model repeats itself; the first counts). Without that cue
the answer is searched in the last line, after "Answer:" or "The final answer is" where it has one of them, and the
format counts as invalid. SQL, JSON and code may have several lines; a fenced block is read without its fences.
LaTeX and Markdown around an answer do not count: `\boxed{C}`, `**C**` and C are one choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from skillshot.common.answers import COMPARISONS, UNKNOWN, Comparison, letter, normal, truth, unboxed, unmarked
from skillshot.common.errors import InputError
from skillshot.common.numerals import number
from skillshot.common.procedures import json_value, unfenced
from skillshot.common.record import Record
from skillshot.common.stated import LOOSE_CUE
from skillshot.evaluation.sql import is_query, same_sql
from skillshot.runtime.prompt import ANSWER_CUE

_CUE = re.compile(re.escape(ANSWER_CUE) + r"\s*:?", re.IGNORECASE)
_PROGRAMS = frozenset({"json", "code"})
_FENCE = re.compile(r"(?:\A|\n)[ \t]*(?:```|~~~)")
# what a small model writes after its answer: another example, another sentence
_NEXT = re.compile(r"\n[ \t]{0,9}(?:question|answer)[ \t]{0,9}:", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """What was found in the text, whether it is right, and whether the cue and an answer of the type are there.

    basis: what `correct` compares, where that is less than the meaning: "text of the programs" for code.
    """

    found: str
    correct: bool
    valid: bool
    basis: str = ""


def check(text: str, record: Record) -> Verdict:
    """Compare a written answer with `record.answer`.

    Raises:
        InputError: the record's answer type is unknown.
    """
    kind = record.answer_type
    if kind not in _CHECKERS:
        raise InputError(f"{record.id}: answer_type {kind!r} is unknown; use one of {', '.join(_CHECKERS)}")
    cue = _CUE.search(text)
    answer, cued = _program(text, cue) if kind in _PROGRAMS else _claim(text, cue, kind)
    correct = _CHECKERS[kind](answer, record, cued)
    parses = _PARSES.get(kind)
    valid = cue is not None and (parses(answer, record) if parses else bool(answer))
    return Verdict(answer, correct, valid, "text of the programs" if kind == "code" else "")


def _claim(text: str, cue: re.Match[str] | None, kind: str) -> tuple[str, bool]:
    """What the text gives as its answer, and whether a cue, strict or loose, stands before it."""
    if cue:
        rest = text[cue.end() :]
        line = rest.strip().split("\n")[0] if kind != "sql" else unfenced(rest).split("\n\n")[0]
    elif kind == "sql" and _FENCE.search(text):
        return unfenced(text).strip(), False
    else:
        line = next((line for line in reversed(text.split("\n")) if line.strip()), "")
    line = line.strip()
    loose = None if cue else LOOSE_CUE.search(line)
    if loose:
        line = line[loose.end() :]
    elif cue and (again := _CUE.search(line)):  # "The answer is 4. The answer is 4."
        line = line[: again.start()].strip()
    if kind not in ("lf", "sql"):
        line = unboxed(line)
    return line.removesuffix(".").strip(), bool(cue or loose)


def _program(text: str, cue: re.Match[str] | None) -> tuple[str, bool]:
    """The JSON or code of a text: what follows the cue, or else a fenced block, or else the whole of it."""
    rest = text[cue.end() :] if cue else text
    if following := _NEXT.search(rest):
        rest = rest[: following.start()]
    if again := _CUE.search(rest):
        rest = rest[: again.start()]
    found = unfenced(rest) if _FENCE.search(rest) else rest
    return found.strip("\n").rstrip().removesuffix(".").rstrip(), cue is not None


def _sql(answer: str, record: Record, _: bool) -> bool:
    return same_sql(answer, record.answer, record.context)


_CHECKERS: dict[str, Comparison] = {**COMPARISONS, "sql": _sql}

_PARSES: dict[str, Callable[[str, Record], bool]] = {
    "number": lambda answer, _: number(answer) is not None,
    "choice": lambda answer, record: bool(letter(answer, record.choices)),
    "bool": lambda answer, _: truth(answer) is not None or normal(unmarked(answer)) in UNKNOWN,
    "sql": lambda answer, _: is_query(answer),
    "json": lambda answer, _: json_value(answer) is not None,
}
