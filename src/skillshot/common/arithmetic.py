r"""Arithmetic of a text, evaluated exactly and safely: no `eval`, and limits on length, digits and powers.

Read are + - * / // ^ ** %, brackets, Unicode's and LaTeX's operators, percentages, implied products (`2(3+4)`), one
unknown (`x + 3 = 8`), and prefix or postfix order (`- 8 2`). A value is a fraction; an irrational one is close to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from skillshot.common.numerals import ascii_digits, fraction

TERMS = 400  # tokens of one expression
BITS = 4096  # of a value; a bank's longest number has dozens
_DIGITS = 60  # of a number
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,]\d)|\d+(?:\.\d*)?(?:[eE][-+]?\d{1,2}(?!\w))?|\.\d+)"
    r"|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|//|[-+*/^%()]))"
)
_SIGNS = str.maketrans(
    {"×": "*", "·": "*", "∙": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/", "⁄": "/", "−": "-", "–": "-", "﹣": "-",
     "＋": "+", "＝": "=", "（": "(", "）": ")", "[": "(", "]": ")", "{": "(", "}": ")", "$": " ", "€": " ", "£": " ",
     "₩": " ", "¥": " ", "₹": " "}
)  # fmt: skip
_LATEX = [
    (re.compile(r"\\[dt]?frac\s?\{([^{}]{1,80})\}\s?\{([^{}]{1,80})\}"), r"((\1)/(\2))"),
    (re.compile(r"\\[dt]?frac\s?(\d)\s?(\d)"), r"(\1/\2)"),
    (re.compile(r"\\(?:times|cdot|ast)\b"), "*"),
    (re.compile(r"\\div\b"), "/"),
    (re.compile(r"\\(?:left|right|[,;:! ])"), ""),
    (re.compile(r"\\(?=[%$])"), ""),
]
_PAIR = re.compile(r"\s*(\d{1,15})\s*([-+*/])\s*(\d{1,15})\s*")
_TIMES = re.compile(r"(?<=[\d)])\s*[xX]\s*(?=[\d(.])")  # 3 x 4
_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "mod": 2, "neg": 3, "^": 4}


class Linear(NamedTuple):
    """`slope` times the unknown, plus `constant`."""

    slope: Fraction
    constant: Fraction


class UnreadableError(ValueError):
    """A text is no arithmetic, or over a limit."""


def plain_arithmetic(text: str) -> str:
    """A text with ASCII digits and operators in place of Unicode's and LaTeX's."""
    if "\\" in text:
        for pattern, plain in _LATEX:
            text = pattern.sub(plain, text)
    if not text.isascii():
        text = ascii_digits(text.translate(_SIGNS))
    return _TIMES.sub("*", text.translate(_SIGNS))


def evaluate(expression: str, known: Mapping[str, Fraction] | None = None) -> Fraction | None:
    """Value of an expression; None where it is none, has an unknown, or is over a limit.

    Args:
        known: values of names.
    """
    if pair := _PAIR.fullmatch(expression):  # most equations of a bank; a tenth of the time
        a, sign, b = int(pair[1]), pair[2], int(pair[3])
        if sign == "/":
            return Fraction(a, b) if b else None
        return Fraction(a + b if sign == "+" else a - b if sign == "-" else a * b)
    result = linear(expression, known or {})
    return result[0].constant if result and not result[0].slope else None


def linear(expression: str, known: Mapping[str, Fraction]) -> tuple[Linear, str] | None:
    """An expression in at most one unknown, and the unknown's name ("" without one); None where it is none."""
    try:
        tokens, unknown = _read(plain_arithmetic(expression), known)
        try:
            value = _infix(tokens)
        except UnreadableError:
            value = _prefix(tokens)
        return value, unknown
    except (UnreadableError, ArithmeticError, ValueError):
        return None


def solve(equation: str, known: Mapping[str, Fraction]) -> tuple[str, Fraction] | None:
    """The unknown of an equation and its value ("x + 3 = 8" gives x, 5); None where it has not exactly one solution."""
    left, sign, right = equation.partition("=")
    first, second = linear(left, known), linear(right, known)
    if not sign or first is None or second is None:
        return None
    (a, one), (b, other) = first, second
    slope = a.slope - b.slope
    if not slope or (one and other and one != other):
        return None
    return one or other, (b.constant - a.constant) / slope


def _read(text: str, known: Mapping[str, Fraction]) -> tuple[list[Linear | str], str]:
    """Tokens: values, and signs with percentages resolved and products made explicit."""
    found: list[Linear | str] = []
    unknown, place, text = "", 0, text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match or len(found) >= TERMS:
            raise UnreadableError(text[:40])
        place = match.end()
        if sign := match["sign"]:
            if sign == "%":
                following = text[place:].lstrip()[:1]
                if not (following.isalnum() or (following in {"(", "."} and following)):
                    _percent(found)
                    continue
                sign = "mod"
            if sign == "(" and found and _ends(found[-1]):
                found.append("*")
            found.append("^" if sign == "**" else sign)
            continue
        if digits := match["number"]:
            if len(digits) > _DIGITS:
                raise UnreadableError(digits[:40])
            value = Linear(Fraction(0), fraction(digits.replace(",", "")))
        elif (name := match["name"]) in known:
            value = Linear(Fraction(0), known[name])
        elif unknown in ("", name):
            unknown, value = name, Linear(Fraction(1), Fraction(0))
        else:
            raise UnreadableError(name)
        if found and (found[-1] == ")" or (match["name"] and isinstance(found[-1], Linear))):
            found.append("*")  # "(3)4", "2x"
        found.append(value)
    return found, unknown


def _percent(found: list[Linear | str]) -> None:
    if not found or not _ends(found[-1]):
        raise UnreadableError("%")
    if isinstance(found[-1], Linear):
        found[-1] = Linear(found[-1].slope / 100, found[-1].constant / 100)
    else:
        found.extend(["/", Linear(Fraction(0), Fraction(100))])


def _ends(token: Linear | str) -> bool:
    return isinstance(token, Linear) or token == ")"


def _infix(tokens: list[Linear | str]) -> Linear:
    """Value by precedence, with two stacks and no recursion (Dijkstra 1961)."""
    values: list[Linear] = []
    signs: list[str] = []
    operand = True  # whether one comes next
    for token in tokens:
        if isinstance(token, Linear):
            if not operand:
                raise UnreadableError("two values")
            values.append(token)
            operand = False
        elif token == "(":
            signs.append(token)
            operand = True
        elif token == ")":
            if operand:
                raise UnreadableError("an empty bracket")
            while signs and signs[-1] != "(":
                _apply(signs.pop(), values)
            if not signs:
                raise UnreadableError(")")
            signs.pop()
        elif operand:
            if token not in "+-":
                raise UnreadableError(token)
            if token == "-":
                signs.append("neg")
        else:
            while signs and signs[-1] != "(" and _RANK[signs[-1]] >= _RANK[token] + (token == "^"):
                _apply(signs.pop(), values)
            signs.append(token)
            operand = True
    while signs:
        _apply(signs.pop(), values)
    if len(values) != 1 or operand:
        raise UnreadableError("no single value")
    return values[0]


def _prefix(tokens: list[Linear | str]) -> Linear:
    """Value of an expression with its operators before their operands, or after them; brackets say nothing then."""
    bare = [token for token in tokens if token not in ("(", ")")]
    if not bare or isinstance(bare[0], str) == isinstance(bare[-1], str):
        raise UnreadableError("no order")
    first = isinstance(bare[0], str)
    values: list[Linear] = []
    for token in reversed(bare) if first else bare:
        if isinstance(token, Linear):
            values.append(token)
            continue
        if first and len(values) > 1:
            values[-2:] = reversed(values[-2:])
        _apply(token, values)
    if len(values) != 1:
        raise UnreadableError("no single value")
    return values[0]


def _apply(sign: str, values: list[Linear]) -> None:
    """Replace the operands at the end of `values` by the result."""
    if len(values) < (1 if sign == "neg" else 2) or sign == "(":
        raise UnreadableError(sign)
    b = values.pop()
    if sign == "neg":
        values.append(Linear(-b.slope, -b.constant))
        return
    a = values.pop()
    match sign:
        case "+":
            result = Linear(a.slope + b.slope, a.constant + b.constant)
        case "-":
            result = Linear(a.slope - b.slope, a.constant - b.constant)
        case "*" if not a.slope or not b.slope:
            result = Linear(a.slope * b.constant + b.slope * a.constant, a.constant * b.constant)
        case "/" if not b.slope:
            result = Linear(a.slope / b.constant, a.constant / b.constant)
        case "//" if not a.slope and not b.slope:
            result = Linear(Fraction(0), Fraction(a.constant // b.constant))
        case "mod" if not a.slope and not b.slope:
            result = Linear(Fraction(0), a.constant % b.constant)
        case "^" if not a.slope and not b.slope:
            result = Linear(Fraction(0), power(a.constant, b.constant))
        case _:
            raise UnreadableError(sign)
    if any(_bits(part) > BITS for part in result):
        raise UnreadableError("a huge number")
    values.append(result)


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """`base` to the power of `exponent`.

    Raises:
        UnreadableError: over the limit, or not real.
        ArithmeticError: zero to a negative power.
    """
    if exponent.denominator == 1:
        if abs(exponent) * _bits(base) > BITS:
            raise UnreadableError("a huge power")
        return base ** int(exponent)
    if base < 0 or _bits(base) > 1000 or abs(exponent) > 100:
        raise UnreadableError("a root")
    return Fraction(float(base) ** float(exponent))


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()
