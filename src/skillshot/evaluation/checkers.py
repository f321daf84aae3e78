r"""Is a written answer right? One checker for each `answer_type`.

The answer is what follows the first "The answer is" (a small model repeats itself; the first counts). Without that cue
the answer is searched in the last line, after "Answer:" or "The final answer is" where it has one of them, and the
format counts as invalid. LaTeX and Markdown around an answer do not count: `\boxed{C}`, `**C**` and C are one choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from skillshot.common.errors import InputError
from skillshot.common.record import Record
from skillshot.common.text import normalised
from skillshot.evaluation.sql import is_query, same_sql
from skillshot.runtime.prompt import ANSWER_CUE

_CUE = re.compile(re.escape(ANSWER_CUE) + r"\s*:?", re.IGNORECASE)
_LOOSE_CUE = re.compile(
    r"(?:^|[.!?]\s)\W{0,6}(?:(?:so|thus|hence|therefore)\W{1,3})?(?:the\s{1,3})?(?:final\s|correct\s)?"
    r"answer(?:\W{0,4}:|\s{1,3}is\b)[\s:]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?:(?P<sign>[-−–])\s*+)?(?:[$€£₩¥]\s*+)?(?P<minus>[-−])?"
    r"(?:(?P<whole>\d+)\s+(?P<over>\d+)\s*/\s*(?P<under>\d+)"
    r"|(?P<a>\d+)\s*/\s*(?P<b>\d+)(?![\d/])"
    r"|(?P<plain>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3}(?!\w))?|\.\d+))"
    r"(?P<percent>\s*(?:%|percent\b))?"
)
_LATEX = [
    # a fraction becomes a/b after a space: 2\frac{1}{2} is the mixed number 2 1/2
    (re.compile(r"\\[dt]?frac\s?(?:\{([^{}]{1,40})\}|(\d))\s?(?:\{([^{}]{1,40})\}|(\d))"), r" \1\2/\3\4"),
    (re.compile(r"\s?(?:\\times|\\cdot|×|\*)\s?10\s?\^\s?(?:\{([-+]?\d+)\}|([-+]?\d+))"), r"e\1\2"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;:! ]|\\(?:left|right)\b|\\(?=[$%€£])"), ""),
]
_MARKUP = re.compile(r"[*_`$]|\\(?:text(?:bf|it|rm)?|math(?:bf|it|rm))\b|[\\{}]")
DIGITS = 1000  # a longer number is no answer (Python refuses to read integers of over 4,300 digits)
_YES = frozenset({"yes", "true", "correct", "y"})
_NO = frozenset({"no", "false", "incorrect", "n"})
_UNKNOWN = frozenset({"unknown", "uncertain", "undetermined"})


@dataclass(frozen=True)
class Verdict:
    """What was found in the text, whether it is right, and whether the cue and an answer of the type are there."""

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
    answer, cued = _claim(text, cue, record.answer_type)
    correct = _CHECKERS[record.answer_type](answer, record, cued)
    parses = _PARSES.get(record.answer_type)
    return Verdict(answer, correct, cue is not None and (parses(answer, record) if parses else bool(answer)))


def _claim(text: str, cue: re.Match[str] | None, kind: str) -> tuple[str, bool]:
    """What the text gives as its answer, and whether a cue, strict or loose, stands before it."""
    if cue:
        rest = text[cue.end() :]
        line = rest.strip().split("\n")[0] if kind != "sql" else rest.split("\n\n")[0]
    else:
        line = next((line for line in reversed(text.split("\n")) if line.strip()), "")
    line = line.strip()
    loose = None if cue else _LOOSE_CUE.search(line)
    if loose:
        line = line[loose.end() :]
    elif cue and (again := _CUE.search(line)):  # "The answer is 4. The answer is 4."
        line = line[: again.start()].strip()
    if kind not in ("lf", "sql"):
        line = _unboxed(line)
    return line.removesuffix(".").strip(), bool(cue or loose)


def _unboxed(text: str) -> str:
    r"""Content of the last \boxed{...} of a text; the text where it has none."""
    _, box, rest = text.rpartition("\\boxed{")
    depth = 1
    for i, character in enumerate(rest):
        depth += (character == "{") - (character == "}")
        if not depth:
            return rest[:i]
    return rest if box else text


def unmarked(text: str) -> str:
    """Text without marks of Markdown and LaTeX."""
    return _MARKUP.sub("", text).strip()


def number(text: str, last: bool = False) -> tuple[Fraction, bool] | None:
    """First (or last) number of a text as an exact fraction, and whether a percent sign follows it.

    Read are grouped digits, decimals, powers of ten (6e8), fractions and mixed numbers, in LaTeX too.
    """
    for pattern, plain in _LATEX:
        text = pattern.sub(plain, text)
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    match = found[-1] if last else found[0]
    if len(match[0]) > DIGITS:
        return None
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
    # "3 + 4 = 7": what follows the last equals sign is the result
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
    texts = [normal(option) for option in options]
    plain = unmarked(answer)
    for text in (answer, plain):
        if normal(text) in texts and len(text) > 1:
            return chr(65 + texts.index(normal(text)))
    found = re.match(r"(?:option\s+)?\(?([A-Za-z])(?:\)|[.:,]|\s*$)", plain, re.IGNORECASE)
    found = found or re.match(r"(?:option\s+)?\(?([A-Z])\b(?!['’])", plain)
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
    named = [word in _YES for word in words if word in _YES | _NO]
    if words and words[0] in _YES | _NO:
        return named[0]
    return named[0] if len(set(named)) == 1 else None


def _bool(answer: str, record: Record, cued: bool) -> bool:
    gold = truth(record.answer)
    return _text(answer, record, cued) if gold is None else truth(answer) is gold  # a third label: Unknown


def logical_form(text: str) -> str:
    """Spaces around every bracket, comma and equals sign made one: nothing else is normalised."""
    return " ".join(re.sub(r"([()\[\]{},=;])", r" \1 ", text).split())


def _lf(answer: str, record: Record, _: bool) -> bool:
    return bool(answer) and logical_form(answer) == logical_form(record.answer.removesuffix("."))


def _sql(answer: str, record: Record, _: bool) -> bool:
    return same_sql(answer, record.answer, record.context)


def normal(text: str) -> str:
    """Case-folded, NFKC, without punctuation at the ends, articles and double spaces."""
    text = normalised("NFKC", text).casefold().strip().strip("\"'“”‘’.!?,;:()[]")
    return " ".join(word for word in text.split() if word not in {"a", "an", "the"})


def _text(answer: str, record: Record, _: bool) -> bool:
    pairs = ((answer, record.answer), (unmarked(answer), unmarked(record.answer)))
    return any(normal(wrote) == normal(gold) != "" for wrote, gold in pairs)


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
    "bool": lambda answer, _: truth(answer) is not None or normal(unmarked(answer)) in _UNKNOWN,
    "sql": lambda answer, _: is_query(answer),
}
