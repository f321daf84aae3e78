"""Row checks: plain functions that say whether one thing is wrong with a record.

`load_bank` and the validate stage quarantine rows by these checks. The Great Expectations suites assert that no
accepted row fails one of them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from skillshot.common.answers import UNKNOWN, chosen
from skillshot.common.canonical import canonical_answer
from skillshot.common.equations import program_values, values
from skillshot.common.errors import InputError
from skillshot.common.numerals import fraction, is_number
from skillshot.common.params import ValidateParams
from skillshot.common.procedures import json_value, looks_like_code, looks_like_sql, parsed
from skillshot.common.record import ANSWER_TYPES, Record
from skillshot.common.tables import counted
from skillshot.common.text import visible

logger = logging.getLogger("skillshot")
Check = Callable[[Record, ValidateParams], bool]

_ONE = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]+|(?<=[0-9]))(?:/[0-9]+)?"
_NUMBER = re.compile(rf"(?P<dollar>\$)?(?<![0-9.])(?P<number>{_ONE})")
_SPACED = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?: [0-9]{3})+(?![0-9]|\.[0-9])")
_QUANTITY = re.compile(rf"-?(?:[A-Za-z$€£]++[.\s]*+)?-?{_ONE}\.?\s*+[A-Za-z%°²³./ ]*+")
_LATEX_FRACTION = re.compile(r"([0-9]{0,50})\\[dt]?frac\{([0-9]{1,50})\}\{([0-9]{1,50})\}")
MOST_READ = 100_000  # characters of a text in which numbers are looked for
_LONGEST = 100  # digits of one number
_JOINED = frozenset("0123456789.,/")  # next to a number they make it another one
_SPACES_AND_MARKS = re.compile(r"[\W_]+")
_QUERY = re.compile(r"(?i)[\s(]*(?:--[^\n]*\n\s*)?(?:select|with)\b")
_WIDE = re.compile(r"[^\x00-\x7f]{2,}")


def empty_question(record: Record, _: ValidateParams) -> bool:
    """The question is empty, or nothing of it is visible."""
    return not visible(record.question)


def empty_answer(record: Record, _: ValidateParams) -> bool:
    """The answer is empty, or nothing of it is visible."""
    return not visible(record.answer)


def over_long(record: Record, limits: ValidateParams) -> bool:
    """The question (with context and options) or the rationale exceeds its limit in characters."""
    return len(record.text) > limits.max_question_chars or len(record.rationale) > limits.max_rationale_chars


def answer_not_of_type(record: Record, _: ValidateParams) -> bool:
    """The answer does not look like its declared type, whatever its spelling."""
    answer = canonical_answer(record.answer, record.answer_type, record.choices)
    if not answer:
        return False  # reported by empty_answer
    match record.answer_type:
        case "number":
            return not is_number(answer)
        case "choice":
            options = len(record.choices) or 26
            return not (len(answer) == 1 and 0 <= ord(answer) - ord("A") < options)
        case "choice_text":
            return bool(record.options) and answer not in record.options
        case "bool":
            return answer not in {"yes", "no"} and answer.casefold().rstrip(".") not in UNKNOWN
        case "sql":
            return not _QUERY.match(answer)
        case "json":
            return json_value(answer) is None
    return record.answer_type not in ANSWER_TYPES


def answer_not_in_rationale(record: Record, _: ValidateParams) -> bool:
    """The rationale neither mentions the answer nor evaluates to it; the answer is a number or a chosen option.

    Only numbers and options are looked for. The rationale need not repeat a bool, an sql query, a formula, yes or no,
    or free text. A record marked `correct: false` passes, because its rationale is expected to disagree. So does a
    rationale that is a query or a program which cannot be evaluated here: nothing is run.
    """
    wanted = canonical_answer(record.answer, record.answer_type, record.choices)
    if record.metadata.get("correct") is False or not record.rationale:
        return False
    if record.answer_type == "choice" and (place := chosen(record)) is not None:
        wanted = record.choices[place]
    elif record.answer_type not in {"number", "choice_text"}:
        return False
    if _QUANTITY.fullmatch(wanted):
        return not _reaches(record.rationale, wanted, "%" in record.answer)
    words = record.answer_type == "choice_text" and wanted.casefold() not in {"yes", "no", ""}
    return words and _letters_and_digits(wanted) not in _letters_and_digits(record.rationale)


def _stands_in(number: str, text: str) -> bool:
    """Whether a whole number stands in a text as it is written: what `numbers_in` finds too, in a tenth of the time."""
    if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST):
        return False
    start, text = -1, text[:MOST_READ]
    while (start := text.find(number, start + 1)) >= 0:
        before, after = text[start - 1 : start], text[start + len(number) : start + len(number) + 2]
        if before not in _JOINED and (after[:1] not in _JOINED or (after[:1] == "." and not after[1:].isdigit())):
            return True
    return False


def _reaches(rationale: str, wanted: str, percent: bool) -> bool:
    """Whether a rationale mentions a number, evaluates to it, or is a procedure that cannot be evaluated."""
    if _stands_in(wanted, rationale):
        return True
    numbers = numbers_in(wanted)
    if percent:
        numbers |= {number / 100 for number in numbers}
    if numbers & numbers_in(rationale):
        return True
    places = len(wanted.partition(".")[2])  # 48^0.5 reaches 6.93
    rounded = Fraction(6, 10 ** (min(places, 20) + 1)) if places else Fraction(1, 10**6)
    reached = [abs(value) for value in values(rationale)]
    if any(abs(value - number) <= rounded for value in reached for number in numbers):
        return True
    if looks_like_sql(rationale):
        return True
    if not looks_like_code(rationale):
        return False
    tree = parsed(rationale)
    return tree is None or not program_values(tree)[1]


def mojibake(record: Record, _: ValidateParams) -> bool:
    """The text was UTF-8 and was decoded as Latin-1 or cp1252 ("cafÃ©"), or it has a replacement character."""
    return any(_garbled(text) for text in (record.text, record.rationale, record.answer))


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        empty_question,
        empty_answer,
        over_long,
        mojibake,
        answer_not_of_type,
        answer_not_in_rationale,
    )
}
DOUBTFUL = "answer_not_in_rationale"  # a rule about how a bank is written: it may not fit a whole bank
TENTH = 0.1  # share of a bank above which the rule is at fault, not the rows
# a bank's row needs no rationale; a query needs no answer either, but what it has must be valid
QUERY_CHECKS = {name: CHECKS[name] for name in ("empty_question", "over_long", "mojibake", "answer_not_of_type")}


def first_failure(record: Record, limits: ValidateParams, checks: Mapping[str, Check] = CHECKS) -> str | None:
    """Name of the first check that the record fails, or None where it passes all."""
    return next((name for name, check in checks.items() if check(record, limits)), None)


def rule_fits(failing: int, rows: int, limits: ValidateParams) -> bool:
    """Whether the rows that fail `DOUBTFUL` are bad, and not the rule: it hits at most a tenth of the bank.

    Args:
        rows: that pass every other check.
    """
    if limits.answer_in_rationale == "auto":
        return failing <= TENTH * rows
    return limits.answer_in_rationale == "always"


def numbers_in(text: str) -> set[Fraction]:
    r"""Absolute values of the numbers in a text, in every common interpretation.

    `1,200` and `1 200` are one number. `3/4` and `\frac{3}{4}` give the quotient and its parts. `Rs.50` is 50, and
    `$0.50` is also 50 cents. Only the first `MOST_READ` characters are read.
    """
    values: set[Fraction] = set()
    text = text[:MOST_READ]
    for whole, top, bottom in _LATEX_FRACTION.findall(text):
        if int(bottom):
            values.add(Fraction(int(top), int(bottom)) + int(whole or 0))
    for match in _NUMBER.finditer(text):
        values.update(_readings(match["number"].replace(",", ""), bool(match["dollar"])))
    for match in _SPACED.finditer(text):
        values.update(_readings(match[0].replace(" ", ""), False))
    return values


def _readings(number: str, dollars: bool) -> Iterator[Fraction]:
    top, _, bottom = number.partition("/")
    if len(number) > _LONGEST:
        return
    yield fraction(top)
    if top.startswith("."):
        yield fraction(top[1:])
    if dollars:
        yield fraction(top) * 100
    if bottom:
        yield Fraction(bottom)
        if int(bottom):
            yield Fraction(top) / int(bottom)


def warn_of_size(examples: int, limits: ValidateParams, bank: str) -> None:
    """Log that a bank is too small to learn much from; it is accepted.

    Raises:
        InputError: it has no example.
    """
    if not examples:
        raise InputError(f"{bank}: no examples, at least one is needed")
    if examples < limits.min_bank:
        logger.warning(
            "%s: %s, below validate.min_bank %s: little can be learned; similarity of wording decides",
            bank, counted(examples, "example"), f"{limits.min_bank:,}",
        )  # fmt: skip


def _letters_and_digits(text: str) -> str:
    return _SPACES_AND_MARKS.sub("", text).casefold()


def _garbled(text: str) -> bool:
    if text.isascii():
        return False
    if "\ufffd" in text:
        return True
    for run in _WIDE.findall(text):
        for encoding in ("cp1252", "latin-1"):
            try:
                run.encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
            return True
    return False
