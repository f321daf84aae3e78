"""Text normalisation: pure functions from any text to clean text. Every rule is idempotent and none raises.

Different spellings of one meaning get one spelling. Whether a text is valid is decided in `bank.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from skillshot.common.text import normalised

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff]")
_BLANKS = re.compile(r"[ \t\u00a0\u3000]+")
_ANGLES = re.compile(r"([<>\n])")
_SIGNS = frozenset("<>\n")
_UNARY = re.compile(r"(?:(?<=[-+*/(])|\A)-+")
_LETTER = r"(?:\(\s*)?([A-Z])(?:\s*\))?"
# "Correct answer - A", "Answer: (B)", "Thus the answer is option C.", "ANS D", or the letter alone in brackets
_LETTER_TAIL = re.compile(
    r"(?:^|(?<=[\n.,;:!?)\s]))(?:(?:hence|so|thus|therefore|the|and|our|is)\W+)*"
    r"(?:(?:correct\s+|right\s+|final\s+)?(?:answer|ans|option|choice)\b(?:\s+(?:is|option|choice|will\s+be|would\s+be))*"
    r"[\s:=\-.–—]*" + _LETTER + r"|\(([A-Z])\))\Z",
    re.IGNORECASE,
)
_TAIL = 200  # characters in which a closing phrase is looked for, so that the search is linear
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_FRACTION = re.compile(r"([-+]?)([0-9]+)/([0-9]+)")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_QUOTED = re.compile(r"('[^']*'|\"[^\"]*\")")
_YES = frozenset({"yes", "true", "y", "1"})
_NO = frozenset({"no", "false", "n", "0"})


def clean_text(text: str) -> str:
    r"""NFC text with `\n` line ends, without control characters, byte order marks or lone surrogates.

    Surrogate pairs are joined and lone surrogates become U+FFFD. Spaces at line ends and around the text are dropped.
    """
    if text.isascii():
        if text.isprintable():
            return text.strip()
    else:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    text = normalised("NFC", _CONTROL.sub("", text))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def split_marks(text: str) -> tuple[str, list[str]]:
    """Text without GSM8K's calculator annotations (`<<48/2=24>>`), and their contents in order."""
    if ">>" not in text:
        return text, []
    equations: list[str] = []
    out: list[str] = []
    signs: list[int] = []  # places in `out` of the angles and line ends
    for token in filter(None, _ANGLES.split(text)):
        out.append(token)
        if token not in _SIGNS:
            continue
        signs.append(len(out) - 1)
        if token != ">" or len(signs) < 4:
            continue
        a, b, c, d = signs[-4:]
        if out[a] == out[b] == "<" and out[c] == ">" and b - a == d - c == 1:
            equations.append("".join(out[b + 1 : c]))
            del out[a:], signs[-4:]
    return "".join(out), equations


def operations(equation: str) -> str:
    """Distinct operators to the left of `=`, sorted (`*/`); `id` where there is none."""
    left = equation.partition("=")[0].replace(" ", "").replace("//", "/")
    return "".join(sorted(set(_UNARY.sub("", left)) & set("*+-/"))) or "id"


def split_hash_answer(text: str) -> tuple[str, str]:
    """Rationale and answer from GSM8K's `answer` field (`... #### 72`); the answer is empty without `####`."""
    whole = text.rstrip()
    before, _, last = whole.rpartition("\n")
    head, _, alone = before.rstrip().rpartition("\n")
    if alone.strip() == "####":  # the answer is on the line after it
        return head.rstrip(), last.strip()
    mark, answer = last.lstrip()[:4], last.lstrip()[4:]
    return (before.rstrip(), answer.strip()) if mark == "####" else (text, "")


def clean_steps(text: str) -> tuple[str, list[str]]:
    """A rationale with one step per line, without blank lines or runs of spaces, and its calculator annotations."""
    text, marks = split_marks(clean_text(text))
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line), marks


def strip_letter(rationale: str) -> str:
    """A multiple-choice rationale without the closing phrase that names the letter ("Answer: (B)")."""
    end = len(rationale)
    while True:
        last = _before(rationale, end, " \t\n\r\f\v.!")
        match = _LETTER_TAIL.search(rationale, max(0, last - _TAIL), last)
        if not match:
            return rationale[:end]
        end = _before(rationale, match.start(), " \t\n,;:-(")


def _before(text: str, end: int, characters: str) -> int:
    """`end`, moved before these characters."""
    while end and text[end - 1] in characters:
        end -= 1
    return end


def _number(text: str) -> str:
    text = text.replace("−", "-").replace(" ", "").strip("$€£%").rstrip(".")
    text = _THOUSANDS.sub("", text)
    if fraction := _FRACTION.fullmatch(text):
        sign, top, bottom = fraction.groups()
        return f"{'-' if sign == '-' else ''}{int(top)}/{int(bottom)}" if len(text) < 100 else text
    if not _NUMBER.fullmatch(text) or len(text) > 100:
        return text
    try:
        plain = format(Decimal(text), "f")
    except InvalidOperation:
        return text
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in {"-0", ""} else plain


def _letter(text: str, options: Sequence[str]) -> str:
    bare = text.strip(" ().:").upper()
    if len(bare) == 1 and bare.isalpha():
        return bare
    same = [i for i, option in enumerate(options) if option.strip() == text.strip()]
    return chr(ord("A") + same[0]) if len(same) == 1 and same[0] < 26 else text


def is_number(text: str) -> bool:
    """Whether a canonical answer is a number or a fraction."""
    return bool(_NUMBER.fullmatch(text) or _FRACTION.fullmatch(text))


def canonical_answer(answer: str, answer_type: str, options: Sequence[str] = ()) -> str:
    """Canonical spelling of an answer. An answer that does not look like its type is only cleaned.

    number: no thousands separators, currency signs, percent signs or trailing zeros. choice: the letter alone.
    choice_text: the option's own spelling. bool: yes or no. sql: spaces outside quotes collapsed, no final semicolon.
    lf: spaces collapsed.
    """
    text = clean_text(answer)
    match answer_type:
        case "number":
            number = _number(text)
            return number if is_number(number) else text
        case "choice":
            return _letter(text, options)
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


def infer_answer_type(answer: str, options: Sequence[str] = ()) -> str:
    """Type of an answer whose source declares none; `lf` is never inferred."""
    text = clean_text(answer)
    if options:
        letter = text.strip(" ().:").upper()
        if len(letter) == 1 and 0 <= ord(letter) - ord("A") < len(options):
            return "choice"
        if any(option.casefold() == text.casefold() for option in options):
            return "choice_text"
    if text.casefold() in {"yes", "no", "true", "false"}:
        return "bool"
    if is_number(_number(text)):
        return "number"
    return "sql" if re.match(r"(?i)(select|with)\s", text) else "text"
