"""Equations of a rationale whose claimed result is wrong.

An equation counts only where all of it is understood: units may stand behind numbers, but where words, other units or
a cut expression may change its meaning it is left alone. A claim may be rounded, and may open the next link of a chain
("3 + 4 = 7 + 2 = 9").
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from skillshot.common.arithmetic import evaluate, plain_arithmetic
from skillshot.common.numerals import fraction, number

LINES, EQUATIONS = 400, 20  # lines that are read, and equations of one
LINE, SIDE = 4000, 300  # characters of a line, and of one side of an equation
_EQUALS = re.compile(r"(?<![<>=!:≤≥≈])=(?!=)")
_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,]\d)|\d+(?:\.\d+)?(?:[eE][-+]?\d{1,2}(?!\w))?|\.\d+)"
    r"|(?P<word>[^\W\d_]+(?:['’.-][^\W\d_]+)*(?:/[^\W\d_]+)?)|(?P<sign>\*\*|//|[-+*/^%])|(?P<bracket>[()])|(?P<other>\S)"
)
_HEAD = re.compile(
    r"\s*([-+]?\s*(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,]\d)|\d+(?:\.\d+)?|\.\d+))(?![\d:/^]|\.\d|e\d)\s*(%?)\s*([^\W\d_]*)"
)
_ENDS = frozenset(".,;:!?")  # of a clause
# words that do something to the number after them
_OPERATORS = frozenset([
    "of", "times", "plus", "minus", "by", "over", "half", "twice", "double", "triple", "thrice", "quarter", "third",
    "square", "squared", "cubed", "sqrt", "root", "log", "ln", "sin", "cos", "tan", "mod", "modulo", "exp", "per",
    "less", "more", "than", "to", "x",
])  # fmt: skip
_HUNDREDS = re.compile(r"[%$€£¢₩¥₹]|\bcents?\b|\bpercent", re.IGNORECASE)
_SCALES = (Fraction(1000), Fraction(10**6), Fraction(10**9))
_UNIT_WORDS = 3
_TIGHT = frozenset({"^", "**", "("})  # nothing stands between them and what they belong to
_AMBIGUOUS = re.compile(r"/[^-+()]*[*/]|/\s*\([^()]*\)\s*[*/]|(?<![\d.,])0\d")  # 2 / 1/5, 36 / 6 x 6; 0900 is a time
_QUOTIENT = re.compile(r"\s*(\d+)\s*/\s*(\d+)\s*")
_CONTINUED = re.compile(r"(?:\s*[^\W\d_]+){0,3}\s*(?:[-+*/^]|\()")  # "= 30 + M trees"
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3})((?: \d{3})+)(?!\d|[.,]\d)")


class Miscount(NamedTuple):
    """An equation, what it claims, and what its left side gives."""

    equation: str
    claimed: str
    value: Fraction


class _Side(NamedTuple):
    """The expression before an equals sign, without units; the units of its numbers, and how many numbers it has."""

    text: str
    units: tuple[str, ...]
    numbers: int


def recomputes(rationale: str) -> list[Miscount]:
    """Equations of a text that claim a wrong result; linear in its length."""
    wrong: list[Miscount] = []
    for line in rationale.split("\n", LINES)[:LINES]:
        if "=" not in line:
            continue
        hundreds = bool(_HUNDREDS.search(line))
        sides = _EQUALS.split(_GROUPED.sub(_joined, plain_arithmetic(line[:LINE])), EQUATIONS)
        for left, right in pairwise(sides):
            side = _expression(left[-SIDE:])
            if side and (miscount := _miscount(side, right[:SIDE], hundreds)):
                wrong.append(miscount)
    return wrong


def corrected(rationale: str) -> str:
    """The text with each wrong result replaced by the right one, there and wherever the text uses it later.

    As a calculator at decoding (GSM8K, arXiv 2110.14168, section 3), but after it: steps are not written anew.
    """
    done: list[str] = []
    rest = rationale
    while rest:
        line, end, rest = rest.partition("\n")
        for _ in range(EQUATIONS):
            wrong = next(iter(recomputes(line)), None)
            if wrong is None:
                break
            written = re.compile(rf"(?<![\d.,]){re.escape(wrong.claimed.rstrip('%'))}(?!\d|[.,]\d)")
            claim = re.search(rf"=\D{{0,3}}(?={written.pattern})", line)
            if claim is None:
                break
            right = _shown(wrong.value)
            line = line[: claim.end()] + written.sub(right, line[claim.end() :])
            rest = written.sub(right, rest)
        done.append(line + end)
    return "".join(done)


def _shown(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else f"{float(value):.2f}".rstrip("0").rstrip(".")


def _miscount(side: _Side, right: str, hundreds: bool) -> Miscount | None:
    value = evaluate(side.text)
    head = _HEAD.match(right)
    if value is None or not head:
        return None
    claimed, unit = head[1].replace(" ", "").replace(",", ""), _stem(head[3])
    first = fraction(claimed)
    if value == first:
        return None
    letters = {name for name in (*side.units, unit) if len(name) == 1 and name.isascii()}
    if letters and (len({*side.units, unit}) > 1 or len(side.units) < side.numbers):
        return None  # "2x + 3 = 7" is no claim about 2 + 3
    opening = _opening(right)
    if _AMBIGUOUS.search(side.text) or _CONTINUED.match(right, len(opening)):
        return None
    if "%" in side.text and re.search(r"[-+]", side.text):
        return None  # "100 - 20 % = 80"
    candidates = [first, *filter(None, [evaluate(opening)])]
    if found := number(right[:60]):
        candidates.append(found[0])
    if head[2] or hundreds:
        candidates += [first / 100, first * 100]
    candidates += [first * scale for scale in _SCALES] + [first / 1000]
    exact = not re.search(r"[/^.%]", side.text)
    if any(_agree(value, candidate, claimed, exact) for candidate in candidates):
        return None
    if (quotient := _QUOTIENT.fullmatch(side.text)) and first == int(quotient[1]) % int(quotient[2]):
        return None  # the remainder
    if value < 0 < first and "-" in side.text:
        return None  # pages 3-5
    if unit and side.units and unit not in side.units and _converted(value, first):
        return None  # 3 * 12 inches = 3 feet
    return Miscount(f"{' '.join(side.text.split())} = {claimed}{head[2]}", claimed + head[2], value)


def _agree(value: Fraction, claimed: Fraction, written: str, exact: bool) -> bool:
    """Whether a claim is the value, or the value rounded or cut where it was written with fewer places."""
    difference = abs(value - claimed)
    if not difference:
        return True
    if exact:
        return False
    places = len(written.partition(".")[2])
    return difference < Fraction(1, 10**places) or difference <= abs(value) / 200


def _converted(value: Fraction, claimed: Fraction) -> bool:
    """Whether one is a whole multiple of the other, as a change of units gives."""
    if not claimed or not value:
        return False
    ratio = abs(value / claimed)
    return max(ratio.numerator, ratio.denominator) > 1 and 1 in (ratio.numerator, ratio.denominator)


def _opening(text: str) -> str:
    """The longest expression that a text begins with."""
    end, depth = 0, 0
    for token in _TOKEN.finditer(text):
        if token["word"] or token["other"]:
            break
        depth += (token[0] == "(") - (token[0] == ")")
        if depth < 0:
            break
        if (token["number"] or token[0] in ")%") and not depth:
            end = token.end()
    return text[:end]


def _expression(text: str) -> _Side | None:
    """The expression at the end of a text; None where there is none with an operator, or words may change it."""
    tokens = list(_TOKEN.finditer(text))
    kept: list[re.Match[str]] = []
    units: list[str] = []
    place = len(tokens) - 1
    while place >= 0:
        token = tokens[place]
        after = kept[-1] if kept else None
        if token["word"]:
            start = None if after and (after["number"] or after[0] in _TIGHT) else _unit(tokens, place)
            if start is None:
                break
            units.append(_stem(tokens[start + 1][0]))
            place = start
            continue
        if token["other"] or (_closes(token) and after and (after["number"] or after[0] == "(")):
            break
        kept.append(token)
        place -= 1
    if place >= 0 and not _clear(tokens, place, kept):
        return None
    kept.reverse()
    kept = _balanced(kept)
    if not kept or not any(token["sign"] for token in kept[1:]) or kept[0][0] in {"*", "/", "^", "+", "**", "//", "%"}:
        return None
    additive = any(token[0] in "+-" for token in kept[1:])
    if additive and len(set(units)) > 1:
        return None  # hours and minutes
    joined = "".join(f" {token[0]}" if token["sign"] else token[0] for token in kept)
    return _Side(joined, tuple(units), sum(bool(token["number"]) for token in kept))


def _closes(token: re.Match[str]) -> bool:
    return bool(token["number"]) or token[0] in (")", "%")


def _unit(tokens: list[re.Match[str]], place: int) -> int | None:
    """Place of the number or bracket before the words that end at `place`; None where they are no unit."""
    start = place
    while start >= 0 and tokens[start]["word"]:
        start -= 1
    if start < 0 or place - start >= _UNIT_WORDS or not _closes(tokens[start]):
        return None
    if tokens[start][0] == ")" and tokens[start].end() == tokens[start + 1].start():
        return None  # "(1/2)x"
    return None if any(tokens[i][0].casefold() in _OPERATORS for i in range(start + 1, place + 1)) else start


def _clear(tokens: list[re.Match[str]], place: int, kept: list[re.Match[str]]) -> bool:
    """Whether what stands before an expression leaves its meaning alone."""
    stop = tokens[place]
    if not kept:
        return False
    if stop["other"]:
        glued = stop.end() == kept[-1].start()
        return stop[0] in _ENDS and not (glued and place and tokens[place - 1]["number"])
    if not stop["word"]:
        return False
    if stop.end() == kept[-1].start() or stop[0].casefold() in _OPERATORS:
        return False
    before = tokens[max(0, place - _UNIT_WORDS) : place]
    cut = max((i for i, token in enumerate(before) if token[0] in _ENDS), default=-1)
    return not any(token["number"] or token["bracket"] or token["sign"] for token in before[cut + 1 :])


def _balanced(kept: list[re.Match[str]]) -> list[re.Match[str]]:
    """Tokens after the last bracket that is not closed; none where one closes that was not opened."""
    opened: list[int] = []
    for i, token in enumerate(kept):
        if token[0] == "(":
            opened.append(i)
        elif token[0] == ")":
            if not opened:
                return []
            opened.pop()
    return kept[opened[-1] + 1 :] if opened else kept


def _joined(grouped: re.Match[str]) -> str:
    return grouped[0].replace(" ", "")


def _stem(unit: str) -> str:
    unit = unit.casefold()
    return unit[:-1] if len(unit) > 2 and unit.endswith("s") else unit
