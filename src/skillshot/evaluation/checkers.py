"""Is a written answer right? One checker for each `answer_type`.

The answer is what follows the first "The answer is" (a small model repeats itself; the first counts). Without
that cue the answer is searched in the last line, and the format counts as invalid.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from skillshot.common.errors import InputError
from skillshot.common.record import Record
from skillshot.evaluation.sql import same_sql
from skillshot.runtime.prompt import ANSWER_CUE

_CUE = re.compile(re.escape(ANSWER_CUE) + r"\s*:?", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?P<sign>[-−–])?\s*[$€£₩¥]?\s*(?P<minus>[-−])?"
    r"(?:(?P<whole>\d+)\s+(?P<over>\d+)\s*/\s*(?P<under>\d+)"
    r"|(?P<a>\d+)\s*/\s*(?P<b>\d+)(?![\d/])"
    r"|(?P<plain>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+))"
    r"(?P<percent>\s*(?:%|percent\b))?"
)
_YES = frozenset({"yes", "true", "correct", "y"})
_NO = frozenset({"no", "false", "incorrect", "n"})


@dataclass(frozen=True)
class Verdict:
    """What was found in the text, whether it is right, and whether the cue and an answer of the type were there."""

    found: str
    correct: bool
    valid: bool


def check(text: str, record: Record) -> Verdict:
    """Compare a written answer with `record.answer`.

    Raises:
        InputError: the record's answer type is unknown.
    """
    if record.answer_type not in _CHECKERS:
        raise InputError(
            f"{record.id}: answer_type {record.answer_type!r} is unknown; use one of {', '.join(_CHECKERS)}"
        )
    cue = _CUE.search(text)
    answer = _claim(text, cue, record.answer_type)
    correct = _CHECKERS[record.answer_type](answer, record, cue is not None)
    parses = _PARSES.get(record.answer_type)
    return Verdict(answer, correct, cue is not None and (parses(answer, record) if parses else bool(answer)))


def _claim(text: str, cue: re.Match[str] | None, kind: str) -> str:
    if cue:
        line = text[cue.end() :].strip().split("\n")[0] if kind != "sql" else text[cue.end() :].split("\n\n")[0]
    else:
        lines = [line for line in text.strip().split("\n") if line.strip()]
        line = lines[-1] if lines else ""
    line = line.strip()
    # a second cue on the same line: "The answer is 4. The answer is 4."
    again = _CUE.search(line)
    line = line[: again.start()].strip() if cue and again else line
    return line.removesuffix(".").strip()


def number(text: str, last: bool = False) -> tuple[Fraction, bool] | None:
    """First (or last) number of a text as an exact fraction, and whether a percent sign follows it."""
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    match = found[-1] if last else found[0]
    if match["whole"]:
        if int(match["under"]) == 0:
            return None
        value = int(match["whole"]) + Fraction(int(match["over"]), int(match["under"]))
    elif match["a"]:
        if int(match["b"]) == 0:
            return None
        value = Fraction(int(match["a"]), int(match["b"]))
    else:
        value = Fraction(match["plain"].replace(",", ""))
    before = text[: match.start()]
    glued = bool(match["sign"]) and bool(before) and (before[-1].isalnum() or before[-1] == ")")  # "7-4", "COVID-19"
    negative = bool(match["minus"]) or (bool(match["sign"]) and not glued)
    return (-value if negative else value), bool(match["percent"])


def _number(answer: str, record: Record, cued: bool) -> bool:
    # "3 + 4 = 7": what stands behind the last equals sign is the result
    side = answer.rsplit("=", 1)[-1] if "=" in answer else answer
    wrote, gold = number(side, last=not cued), number(record.answer)
    if wrote is None or gold is None:
        return False
    close = _close(wrote[0], gold[0])
    if wrote[1] == gold[1]:
        return close
    wrote_share, gold_share = (value / 100 if percent else value for value, percent in (wrote, gold))
    return close or _close(wrote_share, gold_share)  # "50 %", "50" and "0.5" are one answer


def _close(a: Fraction, b: Fraction) -> bool:
    return abs(a - b) <= max(abs(b), Fraction(1)) / 10**6


def _letter(answer: str, options: Sequence[str]) -> str:
    """Letter of the option that the answer names, by letter or by text; "" where it names none."""
    match = re.match(r"(?:option\s+)?\(?([A-Za-z])(?:\)|[.:,]|\s*$)", answer, re.IGNORECASE)
    bare = re.match(r"(?:option\s+)?\(?([A-Z])\b(?!['’])", answer)
    texts = [normal(option) for option in options]
    if normal(answer) in texts and len(answer) > 1:
        return chr(65 + texts.index(normal(answer)))
    found = match or bare
    return found[1].upper() if found and (not options or ord(found[1].upper()) - 65 < len(options)) else ""


def _choice(answer: str, record: Record, _: bool) -> bool:
    return _letter(answer, record.options) == record.answer.strip().strip("()").upper() != ""


def _choice_text(answer: str, record: Record, _: bool) -> bool:
    if normal(answer) == normal(record.answer):
        return bool(answer and record.answer)
    letter = _letter(answer, record.options)
    return bool(letter) and bool(record.options) and _same_option(letter, record)


def _same_option(letter: str, record: Record) -> bool:
    texts = [normal(option) for option in record.options]
    return ord(letter) - 65 < len(texts) and texts[ord(letter) - 65] == normal(record.answer)


def truth(text: str) -> bool | None:
    """Yes or no of a text's first word (or only such word), None where there is none."""
    words = re.findall(r"[a-z]+", text.lower())
    said = [word in _YES for word in words if word in _YES | _NO]
    if words and words[0] in _YES | _NO:
        return said[0]
    return said[0] if len(set(said)) == 1 else None


def _bool(answer: str, record: Record, _: bool) -> bool:
    said = truth(answer)
    return said is not None and said == truth(record.answer)


def logical_form(text: str) -> str:
    """Spaces around every bracket, comma and equals sign made one: nothing else is forgiven."""
    return " ".join(re.sub(r"([()\[\]{},=;])", r" \1 ", text).split())


def _lf(answer: str, record: Record, _: bool) -> bool:
    return bool(answer) and logical_form(answer) == logical_form(record.answer.removesuffix("."))


def _sql(answer: str, record: Record, _: bool) -> bool:
    return same_sql(answer, record.answer, record.context)


def normal(text: str) -> str:
    """Case-folded, NFKC, without punctuation at the ends, articles and double spaces."""
    text = unicodedata.normalize("NFKC", text).casefold().strip().strip("\"'“”‘’.!?,;:()[]")
    return " ".join(word for word in text.split() if word not in {"a", "an", "the"})


def _text(answer: str, record: Record, _: bool) -> bool:
    return bool(normal(answer)) and normal(answer) == normal(record.answer)


_CHECKERS: dict[str, Callable[[str, Record, bool], bool]] = {
    "number": _number,
    "choice": _choice,
    "choice_text": _choice_text,
    "bool": _bool,
    "lf": _lf,
    "sql": _sql,
    "text": _text,
}

_PARSES: dict[str, Callable[[str, Record], bool]] = {
    "number": lambda answer, _: number(answer) is not None,
    "choice": lambda answer, record: bool(_letter(answer, record.options)),
    "bool": lambda answer, _: truth(answer) is not None,
    "sql": lambda answer, _: answer.lstrip("( ").lower().startswith("select"),
}
