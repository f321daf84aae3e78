r"""What a rationale itself gives as its answer, and whether that is another answer than the gold one.

Looked for, the strongest first: `#### 72`, `\boxed{72}`, "the answer is (A)" and its relatives ("Final answer: 5",
"**Answer**: B", "so the correct option is C"), in the last such place; else the result of the equation that ends it.
"""

from __future__ import annotations

import json
import re

from skillshot.common.answers import (
    UNKNOWN,
    chosen,
    leading_letter,
    letter,
    normal,
    same_answer,
    sole_letter,
    truth,
    unboxed,
    unmarked,
)
from skillshot.common.equations import values
from skillshot.common.numerals import number
from skillshot.common.procedures import json_value, looks_like_code, looks_like_sql
from skillshot.common.record import Record
from skillshot.common.text import visible

TAIL = 4000  # characters at the end of a rationale that are read: what it concludes stands there
LOOSE_CUE = re.compile(
    r"(?:^|[.!?]\s)\W{0,6}(?:(?:so|thus|hence|therefore)\W{1,3})?(?:the\s{1,3})?(?:final\s|correct\s)?"
    r"answer(?:\W{0,4}:|\s{1,3}is\b)[\s:]*",
    re.IGNORECASE,
)
_ADJECTIVE = r"(?:(?:final|correct|right|best|overall)\s{1,3})"
_LINK = (
    r"\W{0,4}(?::|=|→|\b(?:is|would\s+be|will\s+be|must\s+be|should\s+be)\b"
    r"(?!\s+(?:not|to|found|given|obtained|based|determined|calculated)\b))\s*:?"
)
# "result" and "solution" may be those of a step: they count in the last sentence
_CUE = re.compile(
    rf"(?:\b{_ADJECTIVE}{{0,2}}(?:answer|ans)(?:\s{{1,3}}(?:option|choice|letter))?|\b{_ADJECTIVE}(?:option|choice)"
    rf"|\b(?:final\s{{1,3}})?(?:result|solution)(?=(?:[^\n.!?]|\.\d)*[.!?]?\s*\Z))"
    rf"(?:\s{{1,3}}(?:to|for)\s(?:the|this|that)\s[a-z ]{{1,40}})?{_LINK}",
    re.IGNORECASE,
)
_HASHES = re.compile(r"^[ \t]*####[ \t]*(?P<answer>\S.*)$", re.MULTILINE)
_OPTION = re.compile(r"\W*(?:(?:option|choice|letter|answer)\s{1,3})?", re.IGNORECASE)
_NUMERIC = re.compile(r"[^\w\s]{0,3}\s?\d")
_SENTENCE = re.compile(r"(?<![A-Z\d])[.!?;](?=\s+[^\sa-z]|\s*$)|(?<=\d)\.(?=\s|$)|(?<=[A-Z])\.(?=\s|$)")
_RESULT = re.compile(r"=\s*(?P<answer>[-−+]?\s?[$€£₩¥₹]?\s?\d[\d.,/ ]*(?:%|[eE][-+]?\d+)?)\s*[^\W\d_]{0,20}[\s.!]*$")
_SEPARATORS = ("", ".", "\n", ";")  # after a JSON value
_LONG = 4  # words of a free text that may be worded in another way


def stated_answer(rationale: str) -> str | None:
    """What a rationale gives as its answer, as it is written; None where it gives none. Linear in its length."""
    found = _explicit(rationale)
    if found is None and (result := _RESULT.search(rationale.rstrip()[-200:])):
        return result["answer"].strip(" .,")
    return found


def contradicts(record: Record) -> bool:
    """Whether the rationale states another answer than the record's.

    Compared as the record's type is. What does not read as an answer of that type is no contradiction, nor is a text
    that holds the gold one or is part of it. The result of an equation alone states nothing.
    """
    if not visible(record.rationale) or not visible(record.answer):
        return False
    stated = _explicit(record.rationale)
    if not stated or same_answer(stated, record):
        return False
    return _readable(stated, record)


def _explicit(rationale: str) -> str | None:
    text = rationale[-TAIL:].rstrip()
    if hashes := list(_HASHES.finditer(text)):
        return hashes[-1]["answer"].strip()
    if "\\boxed{" in text:
        return unboxed(text).strip() or None
    cues = list(_CUE.finditer(text))
    for cue in reversed(cues):
        if answer := _after(text[cue.end() :]):
            return answer
    return None


def _after(rest: str) -> str:
    """The answer that follows a cue: up to the end of its sentence, or all of it where it is a procedure."""
    rest = rest.lstrip()
    line = rest.split("\n", 1)[0].strip()
    if rest[:1] in ("{", "["):
        try:
            value = rest[: json.JSONDecoder().raw_decode(rest)[1]]
        except (ValueError, RecursionError):
            value = ""
        if value and rest[len(value) :].lstrip(" ")[:1] in _SEPARATORS:  # not "[ ] ( )"
            return value.strip()
    if rest.startswith("```") or looks_like_sql(rest) or looks_like_code(rest):
        return rest.strip()
    end = _SENTENCE.search(line)
    return (line[: end.start()] if end else line).strip().strip("*").strip()


def _readable(stated: str, record: Record) -> bool:
    """Whether what is stated is an answer of the record's type, so that another one contradicts it."""
    bare = unmarked(stated)
    match record.answer_type:
        case "number":
            return _another_number(stated.rsplit("=", 1)[-1].strip(), record.answer)
        case "choice" | "choice_text":
            named = letter(_OPTION.sub("", bare, count=1), record.choices) if record.choices else ""
            place = chosen(record)
            return bool(named) and place is not None and named != chr(65 + place)
        case "bool":
            return truth(bare) is not None or normal(bare) in UNKNOWN
        case "json":
            return json_value(stated) is not None and json_value(record.answer) is not None
        case "code":
            return looks_like_code(stated)
        case "sql":
            return looks_like_sql(stated)
    if gold := sole_letter(record.answer):
        return leading_letter(stated) not in ("", gold)
    return not _overlap(bare, unmarked(record.answer))


def _another_number(stated: str, gold: str) -> bool:
    """Whether a text gives a number, and nothing of it is or evaluates to the gold one, or to it before rounding."""
    found = [value for word in re.split(r"\s+|(?<=\d)[-–:](?=\d)", stated) if (value := number(word))]
    wanted = number(gold)
    if wanted is None or not found or not (len(found) == 1 or _NUMERIC.match(stated)):
        return False  # "the sum of 3 and 4" gives none
    given = {value for value, _ in found} | values(stated)
    return not any(abs(value - wanted[0]) <= (abs(wanted[0]) / 200 if value.denominator > 1 else 0) for value in given)


def _overlap(stated: str, gold: str) -> bool:
    """Whether one text holds the other, or two long ones share half of their words; words in another order do not."""
    a, b = (normal(text) for text in (stated, gold))
    short, long = sorted((a, b), key=len)
    if not any(character.isalnum() for character in a + b):
        return a == b  # brackets to be closed
    if not short or re.search(rf"(?<!\w){re.escape(short)}(?!\w)", long):
        return True
    words, wanted = a.split(), b.split()
    if len(wanted) < _LONG or sorted(words) == sorted(wanted):
        return False
    return 2 * len(set(words) & set(wanted)) >= len(set(wanted))
