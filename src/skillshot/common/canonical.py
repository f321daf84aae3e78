"""Canonical forms of answers and rationales, in which they are compared and learned from.

What is stored and shown stays as written; different spellings of one meaning have one form here. Every rule is
idempotent and linear, and none raises.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from skillshot.common.numerals import canonical_number, is_number
from skillshot.common.text import normalised

_BLANKS = re.compile(r"[ \t\u00a0\u3000]+")
_LETTER = r"(?:\(\s*)?([A-Z])(?:\s*\))?"
# "Correct answer - A", "Answer: (B)", "Thus the answer is option C.", "ANS D", or the letter alone in brackets
_LETTER_TAIL = re.compile(
    r"(?:^|(?<=[\n.,;:!?)\s]))(?:(?:hence|so|thus|therefore|the|and|our|is)\W+)*"
    r"(?:(?:correct\s+|right\s+|final\s+)?(?:answer|ans|option|choice)\b(?:\s+(?:is|option|choice|will\s+be|would\s+be))*"
    r"[\s:=\-.–—]*" + _LETTER + r"|\(([A-Z])\))\Z",
    re.IGNORECASE,
)
_TAIL = 200  # characters in which a closing phrase is looked for, so that the search is linear
# up to the last letter that stands alone before another one: a closing phrase has one such letter, so it begins later
_OTHER_LETTER = re.compile(r".*(?<!\w)\w(?=\W.*\w)", re.DOTALL)
_QUOTED = re.compile(r"('[^']*'|\"[^\"]*\")")
_NAMED = re.compile(r"\(?([A-Za-z])\s*[).:]\s+(?=\S)")  # "(B) dog", "B. dog"
_YES = frozenset({"yes", "true", "y", "1"})
_NO = frozenset({"no", "false", "n", "0"})


def steps(text: str) -> str:
    """A rationale in NFC with one step per line, without blank lines or runs of spaces."""
    lines = (_BLANKS.sub(" ", line).strip() for line in normalised("NFC", text).split("\n"))
    return "\n".join(line for line in lines if line)


def strip_letter(rationale: str) -> str:
    """A multiple-choice rationale without the closing phrase that names the letter ("Answer: (B)")."""
    end = len(rationale)
    while True:
        last = _before(rationale, end, " \t\n\r\f\v.!")
        start = max(0, last - _TAIL)
        if other := _OTHER_LETTER.match(rationale, start, last):
            start = other.end()
        match = _LETTER_TAIL.search(rationale, start, last)
        if not match:
            return rationale[:end]
        end = _before(rationale, match.start(), " \t\n,;:-(")


def _before(text: str, end: int, characters: str) -> int:
    """`end`, moved before these characters."""
    while end and text[end - 1] in characters:
        end -= 1
    return end


def canonical_answer(answer: str, answer_type: str, options: Sequence[str] = ()) -> str:
    """Canonical spelling of an answer. An answer that does not look like its type is only cleaned.

    number: no thousands separators, currency signs, percent signs or trailing zeros. choice: the letter alone.
    choice_text: the option's own spelling. bool: yes or no. sql: spaces outside quotes collapsed, no final semicolon.
    lf: spaces collapsed.
    """
    text = normalised("NFC", answer).strip()
    match answer_type:
        case "number":
            number = canonical_number(text)
            return number if is_number(number) else text
        case "choice":
            place = option_named(text, options)
            return chr(ord("A") + place) if place is not None else text
        case "choice_text":
            same = (option for option in options if option.casefold() == text.casefold())
            return next(same, text)
        case "bool":
            word = text.rstrip(".").casefold()
            return "yes" if word in _YES else "no" if word in _NO else text
        case "sql":
            parts = _QUOTED.split(text)
            joined = "".join(part if i % 2 else re.sub(r"\s+", " ", part) for i, part in enumerate(parts))
            return joined.rstrip("; \n\t").strip()
        case "lf":
            return " ".join(text.split())
    return text


def option_named(answer: str, options: Sequence[str]) -> int | None:
    """Place of the option that a gold answer names: by its letter, its text, or both ("B. dog"); None for neither."""
    text = answer.strip()
    bare = text.strip(" ().:").upper()
    if len(bare) == 1 and "A" <= bare <= "Z":
        return ord(bare) - ord("A")
    same = [i for i, option in enumerate(options) if option.strip() == text]
    if len(same) == 1 and same[0] < 26:
        return same[0]
    if (named := _NAMED.match(text)) and text[named.end() :] in options:
        return ord(named[1].upper()) - ord("A")
    return None
