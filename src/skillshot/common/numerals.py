r"""Numbers as people write them: grouped digits, decimals, powers of ten, fractions, mixed numbers, LaTeX, any script.

Values are exact fractions. Digits of any script and full-width forms are read as ASCII ones.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction

from skillshot.common.text import normalised

DIGITS = 1000  # a longer number is no answer (Python refuses to read integers of over 4,300 digits)
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
_WRAPPED = re.compile(r"\\(?:text(?:bf|it|rm)?|math(?:bf|it|rm)|boxed|fbox)\s?\{([^{}]{0,200})\}")
_SPACED = re.compile(r"(?<![\d.,])(\d{1,3}(?:[ \u00a0\u202f]\d{3})+)(?![\d])")
_CURRENCY = "$€£₩¥₹"
_GROUPED = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_MIXED = re.compile(r"([-+]?)([0-9]+)\s+([0-9]+)\s*/\s*([0-9]+)")
_FRACTION = re.compile(r"([-+]?)\s*([0-9]+)\s*/\s*([0-9]+)")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")
_CANONICAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+|[0-9]+/[0-9]+)")
_VULGAR = re.compile("[\u00bc-\u00be\u2150-\u215e]")  # 2½ is 2 1/2
_RAISED = re.compile("[\u00b2\u00b3\u00b9\u2070\u2074-\u2079]+")  # 10² is 10^2
_LONGEST = 100  # characters of a number that has a canonical form


def number(text: str, last: bool = False) -> tuple[Fraction, bool] | None:
    """First (or last) number of a text as an exact fraction, and whether a percent sign follows it.

    Read are grouped digits, decimals, powers of ten (6e8), fractions and mixed numbers, in LaTeX too.
    """
    text = _plain(text)
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
        value = fraction(match["plain"].replace(",", ""))
    before = text[: match.start()]
    glued = bool(match["sign"]) and bool(before) and (before[-1].isalnum() or before[-1] == ")")  # "7-4", "COVID-19"
    negative = bool(match["minus"]) or (bool(match["sign"]) and not glued)
    return (-value if negative else value), bool(match["percent"])


def fraction(digits: str) -> Fraction:
    """The value of a number without separators; whole numbers, which are most, without `Fraction`'s parser."""
    return Fraction(int(digits) if digits.isdecimal() else digits)


def close(a: Fraction, b: Fraction) -> bool:
    """Whether two values are equal within 1e-6, relative above 1."""
    return abs(a - b) <= max(abs(b), Fraction(1)) / 10**6


def is_number(text: str) -> bool:
    """Whether a canonical answer is a number or a fraction."""
    return bool(_CANONICAL.fullmatch(text))


def canonical_number(text: str) -> str:
    r"""A number without separators, currency, percent signs, LaTeX and trailing zeros; any other text as it is.

    `\frac{3}{4}` is 3/4, "2 1/2" is 5/2 and 6e8 is 600000000.
    """
    if len(text) > 3 * _LONGEST:
        return text
    bare = _plain(_unwrapped(text)).replace("−", "-").strip()
    bare = bare.strip("$ ").rstrip("%").strip().strip(_CURRENCY).strip().removesuffix(".")
    sign, bare = ("-", bare[1:].lstrip(_CURRENCY + " ")) if bare.startswith("-") else ("", bare)  # "-$5"
    bare = sign + _GROUPED.sub("", _SPACED.sub(lambda match: re.sub(r"\s", "", match[1]), bare))
    if len(bare) > _LONGEST:
        return text
    if mixed := _MIXED.fullmatch(bare):
        under = int(mixed[4])
        return text if not under else f"{mixed[1].strip('+')}{int(mixed[2]) * under + int(mixed[3])}/{under}"
    if fraction := _FRACTION.fullmatch(bare):
        return f"{fraction[1].strip('+')}{int(fraction[2])}/{int(fraction[3])}"
    if not _DECIMAL.fullmatch(bare):
        return text
    plain = format(Decimal(bare), "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in {"-0", ""} else plain.removeprefix("+")


def ascii_digits(text: str) -> str:
    """A text with full-width forms and the digits of other scripts as ASCII; ½ is 1/2 and ² is ^2."""
    if text.isascii():
        return text
    text = normalised("NFKC", _RAISED.sub(_power, _VULGAR.sub(_fraction, text)))
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() and not character.isascii() else character
        for character in text
    )


def _fraction(vulgar: re.Match[str]) -> str:
    return " " + unicodedata.normalize("NFKC", vulgar[0]).replace("\u2044", "/")


def _power(raised: re.Match[str]) -> str:
    return "^" + unicodedata.normalize("NFKC", raised[0])


def _plain(text: str) -> str:
    text = ascii_digits(text)
    for pattern, plain in _LATEX:
        text = pattern.sub(plain, text)
    return text


def _unwrapped(text: str) -> str:
    return _WRAPPED.sub(r"\1", text)
