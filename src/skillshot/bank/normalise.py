"""Texts as they are stored: pure functions from any text to what is kept of it. Each is idempotent and none raises.

A text is kept as it was written. Only what a reader does not see is touched: line ends, lone surrogates, control
characters, and blanks at the ends. Canonical forms are in `common.canonical`, whether a text is valid in `bank.checks`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from skillshot.common.canonical import canonical_answer
from skillshot.common.numerals import is_number
from skillshot.common.procedures import looks_like_code, looks_like_sql

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff]")
_ANGLES = re.compile(r"([<>\n])")
_SIGNS = frozenset("<>\n")
# the inside of a calculator annotation: an equation in numbers, `48/2=24`; not `cout << x == 2 >> y`
_EQUATION = re.compile(r"(?! )(?=[^\d\n]*\d)[-+*/().,%$\d xX×÷−]{1,200}=[-+*/().,%$\d ×÷−]{1,100}(?<! )")
_QUERY = re.compile(r"(?i)[\s(]*(?:select|with)\b")
_UNARY = re.compile(r"(?:(?<=[-+*/(])|\A)-+")
_JSON = 100_000  # characters of an answer that is tried as JSON


def clean_text(text: str) -> str:
    r"""The text with `\n` line ends, without control characters, byte order marks, lone surrogates, blanks around it.

    Surrogate pairs are joined and lone surrogates become U+FFFD. Indentation stays: also that of the first line, where
    the next one has at least as much.
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
    text = _CONTROL.sub("", text)
    bare = text.strip()
    start = len(text) - len(text.lstrip())
    indent = text[text.rfind("\n", 0, start) + 1 : start]
    if indent and (rest := bare.partition("\n")[2].lstrip("\n")) and rest.startswith(indent):
        return indent + bare
    return bare


def split_marks(text: str) -> tuple[str, list[str]]:
    """Text without GSM8K's calculator annotations (`<<48/2=24>>`), and their contents in order.

    Anything else between such signs stays, such as shifts and streams in code.
    """
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
            equation = "".join(out[b + 1 : c])
            if _EQUATION.fullmatch(equation):
                equations.append(equation)
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


def stored_rationale(text: str) -> tuple[str, list[str]]:
    """A rationale as it is stored, and its calculator annotations, which were never meant to be read."""
    rationale, marks = split_marks(clean_text(text))
    return (clean_text(rationale), marks) if marks else (rationale, marks)


def infer_answer_type(answer: str, options: Sequence[str] = ()) -> str:
    """Type of an answer whose source declares none; `lf` is never inferred.

    `json` is an object or an array that parses, `sql` a query by its grammar ("Select the red one" is none), and `code`
    has at least two signs of a program.
    """
    text = clean_text(answer)
    if options:
        letter = text.strip(" ().:").upper()
        if len(letter) == 1 and 0 <= ord(letter) - ord("A") < len(options):
            return "choice"
        if any(option.casefold() == text.casefold() for option in options):
            return "choice_text"
    if text.casefold() in {"yes", "no", "true", "false"}:
        return "bool"
    if is_number(canonical_answer(text, "number")):
        return "number"
    if _is_json(text):
        return "json"
    if looks_like_sql(text):
        return "sql" if _QUERY.match(text) else "code"  # the checker of sql compares queries
    return "code" if looks_like_code(text) else "text"


def _is_json(text: str) -> bool:
    if text[:1] + text[-1:] not in {"{}", "[]"} or len(text) > _JSON:
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
