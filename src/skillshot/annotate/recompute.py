"""Equations in a rationale whose stated result is wrong: "3 + 4 = 8"."""

from __future__ import annotations

import re
from fractions import Fraction

_ONE = r"[$€£¥₩]?(?:\d{1,3}(?:,\d{3}){1,9}|\d{1,30})(?:\.\d{1,30})?%?"
_SIGN = r"\s{0,3}[-+*/×÷−]\s{0,3}"
_EQUATION = re.compile(rf"(?<![\w.,$€£¥₩%])({_ONE}(?:{_SIGN}{_ONE}){{1,20}})\s{{0,3}}=\s{{0,3}}(-?{_ONE})")
_PART = re.compile(rf"{_ONE}|[-+*/×÷−]")
_CONTINUES = re.compile(r"[\w^(]|[.,]\d|\s{0,3}[-+*/×÷−=^(]|\s{1,3}(?:r\b|remainder|mod)", re.IGNORECASE)
_AMBIGUOUS = re.compile(r"(?<![\d.])\d{1,3}\.\d{3}(?!\d)")  # 1.200 is 1,200 in half of Europe


def wrong_equation(text: str) -> str:
    """The first equation of numbers that does not hold, as it is written; "" where all hold.

    Results may be rounded, or cut, to the digits that they show. What is not plain arithmetic is not judged.
    """
    for match in _EQUATION.finditer(text.replace(r"\times", "×").replace(r"\div", "÷")):
        before = match.string[max(0, match.start() - 9) : match.start()].rstrip()[-1:]
        if before in tuple("-+*/×÷−^(=") or _CONTINUES.match(match.string, match.end()) or _AMBIGUOUS.search(match[0]):
            continue
        value, claimed = _value(match[1]), _number(match[2])
        digits = len(match[2].rstrip("%").partition(".")[2])
        within = Fraction(1, 10**digits)
        if "%" in match[2]:
            within, digits = within / 100, digits + 2
        exact = value is not None and (value * 10**digits).denominator == 1
        percent = value is not None and "%" in match[2] and abs(value - claimed * 100) < within * 100
        if value is not None and not percent and (value != claimed if exact else abs(value - claimed) >= within):
            return match[0]
    return ""


def _value(expression: str) -> Fraction | None:
    """Value of numbers with signs between them, products first; None for a division by 0."""
    first, *rest = _PART.findall(expression)
    terms = [_number(first)]
    for sign, text in zip(rest[::2], rest[1::2], strict=True):
        number = _number(text)
        if sign in "+-−":
            terms.append(number if sign == "+" else -number)
        elif sign in "*×":
            terms[-1] *= number
        elif not number:
            return None
        else:
            terms[-1] /= number
    return sum(terms, Fraction())


def _number(text: str) -> Fraction:
    value = Fraction(text.strip("$€£¥₩%").replace(",", "").replace("$", ""))
    return value / 100 if text.endswith("%") else value
