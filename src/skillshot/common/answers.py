r"""When a written answer equals the gold one: one comparison for each `answer_type`. SQL: see `evaluation.sql` as well.

LaTeX and Markdown around an answer do not count: `\boxed{C}`, `**C**` and C are one choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from skillshot.common.canonical import option_named
from skillshot.common.numerals import canonical_number, close, is_number, number
from skillshot.common.procedures import same_code, same_json
from skillshot.common.record import CHOICES, Record
from skillshot.common.text import normalised

Comparison = Callable[[str, Record, bool], bool]

_MARKUP = re.compile(r"[*_`$]|\\(?:text(?:bf|it|rm)?|math(?:bf|it|rm))\b|\\[()\[\]]|[\\{}]")
_YES = frozenset({"yes", "true", "correct", "y"})
_NO = frozenset({"no", "false", "incorrect", "n"})
UNKNOWN = frozenset({"unknown", "uncertain", "undetermined"})
_SHORT = 100  # characters of a number in a text
_SOLE = re.compile(r"\(?([A-Za-z])\)?[.:]?")
_LEADING = re.compile(
    r"\W{0,4}(?:(?:option|choice|answer|letter)\s{1,3})?\(?([A-Za-z])(?:\)|[.:](?!\w)|\s*$)", re.IGNORECASE
)


def same_answer(wrote: str, record: Record, cued: bool = True) -> bool:
    """Whether an answer equals the record's, by the comparison of its type; of an unknown type as text.

    Args:
        cued: whether a cue stood before it; without one the last number counts.
    """
    return COMPARISONS.get(record.answer_type, _text)(wrote, record, cued)


def chosen(record: Record) -> int | None:
    """Place of the option that the gold answer of a choice names; None where it is no choice or names none."""
    if record.answer_type not in CHOICES:
        return None
    if record.answer_type == "choice_text":
        texts = [option.casefold() for option in record.choices]
        gold = record.answer.strip().casefold()
        return texts.index(gold) if gold in texts else None
    place = option_named(record.answer, record.choices)
    return place if place is not None and place < len(record.choices) else None


def unboxed(text: str) -> str:
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


def letter(answer: str, options: Sequence[str]) -> str:
    """Letter of the option that a written answer names, by letter or by text; "" where it names none."""
    texts = [normal(option) for option in options]
    plain = unmarked(answer)
    for text in (answer, plain):
        if normal(text) in texts and len(text) > 1:
            return chr(65 + texts.index(normal(text)))
    found = re.match(r"(?:option\s+)?\(?([A-Za-z])(?:\)|[.:,]|\s*$)", plain, re.IGNORECASE)
    found = found or re.match(r"(?:option\s+)?\(?([A-Z])\b(?!['’])", plain)
    return found[1].upper() if found and (not options or ord(found[1].upper()) - 65 < len(options)) else ""


def truth(text: str) -> bool | None:
    """Yes or no of a text's first word (or only such word), None where there is none."""
    words = re.findall(r"[a-z]+", text.lower())
    named = [word in _YES for word in words if word in _YES | _NO]
    if words and words[0] in _YES | _NO:
        return named[0]
    return named[0] if len(set(named)) == 1 else None


def logical_form(text: str) -> str:
    """Spaces around every bracket, comma and equals sign made one: nothing else is normalised."""
    return " ".join(re.sub(r"([()\[\]{},=;])", r" \1 ", text).split())


def normal(text: str) -> str:
    """Case-folded, NFKC, without punctuation at the ends, articles and double spaces.

    An article that is all there is stays; of marks alone only the blanks go.
    """
    text = normalised("NFKC", text).casefold()
    if not any(character.isalnum() for character in text):
        return "".join(text.split())
    text = text.strip().strip("\"'“”‘’.!?,;:()[]")
    return " ".join(word for word in text.split() if word not in {"a", "an", "the"}) or text.strip()


def _number(answer: str, record: Record, cued: bool) -> bool:
    # "3 + 4 = 7": what follows the last equals sign is the result
    side = answer.rsplit("=", 1)[-1] if "=" in answer else answer
    wrote, gold = number(side, last=not cued), number(record.answer)
    if wrote is None or gold is None:
        return False
    same = close(wrote[0], gold[0])
    if wrote[1] == gold[1]:
        return same
    wrote_share, gold_share = (value / 100 if percent else value for value, percent in (wrote, gold))
    return same or close(wrote_share, gold_share)  # "50 %", "50" and "0.5" are one answer


def _choice(answer: str, record: Record, _: bool) -> bool:
    place = option_named(record.answer, record.choices)
    return place is not None and letter(answer, record.choices) == chr(65 + place)


def _choice_text(answer: str, record: Record, _: bool) -> bool:
    if normal(answer) == normal(record.answer):
        return bool(answer and record.answer)
    named = letter(answer, record.choices)
    return bool(named) and bool(record.choices) and _same_option(named, record)


def _same_option(named: str, record: Record) -> bool:
    texts = [normal(option) for option in record.choices]
    return ord(named) - 65 < len(texts) and texts[ord(named) - 65] == normal(record.answer)


def _bool(answer: str, record: Record, cued: bool) -> bool:
    gold = truth(record.answer)
    return _text(answer, record, cued) if gold is None else truth(answer) is gold  # a third label: Unknown


def _lf(answer: str, record: Record, _: bool) -> bool:
    return bool(answer) and logical_form(answer) == logical_form(record.answer.removesuffix("."))


def _sql(answer: str, record: Record, _: bool) -> bool:
    words, gold = sql_words(answer), sql_words(record.answer)
    return words == gold != []


def sql_words(text: str) -> list[str]:
    """Lower-case words and marks of a query, without its final semicolon."""
    return re.findall(r"\w+|[^\w\s]", text.lower().rstrip("; \n"))


def _json(answer: str, record: Record, _: bool) -> bool:
    return same_json(answer, record.answer)


def _code(answer: str, record: Record, _: bool) -> bool:
    return same_code(answer, record.answer)


def _text(answer: str, record: Record, _: bool) -> bool:
    gold = record.answer
    pairs = ((answer, gold), (unmarked(answer), unmarked(gold)))
    if any(normal(wrote) == normal(right) != "" for wrote, right in pairs):
        return True
    values = [canonical_number(text.strip()) for text in (answer, gold)]
    if all(is_number(value) and len(value) <= _SHORT and not value.endswith("/0") for value in values):
        return close(Fraction(values[0]), Fraction(values[1]))
    named = sole_letter(gold)
    return bool(named) and named == leading_letter(answer)  # "(B)" and "(B) 05/01/2021"


def sole_letter(text: str) -> str:
    """The letter that a text is, in brackets or bare: a choice whose options are in its question; "" for another."""
    found = _SOLE.fullmatch(unmarked(text))
    return found[1].upper() if found else ""


def leading_letter(text: str) -> str:
    """The letter that names an option at the start of a text: "(B) dog", "option b", "B."; "" where there is none."""
    found = _LEADING.match(unmarked(text))
    return found[1].upper() if found else ""


COMPARISONS: dict[str, Comparison] = {
    "number": _number,
    "choice": _choice,
    "choice_text": _choice_text,
    "bool": _bool,
    "lf": _lf,
    "sql": _sql,
    "json": _json,
    "code": _code,
    "text": _text,
}
