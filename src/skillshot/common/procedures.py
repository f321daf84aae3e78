"""Answers that are procedures: what is SQL, what is code, and when two JSON texts or two programs are equal."""

from __future__ import annotations

import ast
import json
import re
import textwrap
import unicodedata
import warnings
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

HEAD = 2000  # characters in which the kind of a text is looked for
MOST = 100_000  # characters of a text that is parsed as JSON; longer ones are compared by their words
PROGRAM = 20_000  # the same for a program
_NESTED = 90  # brackets in brackets of a program that is parsed

_SELECT = re.compile(r"(?i)[\s(]*(select)\s+(?:(distinct|all)\s+)?(?:top\s+\d+\s+)?")
_WITH = re.compile(
    r"(?i)\s*with\s+(?:recursive\s+)?[\w\"`\[\]]+\s*(?:\([^()]*\)\s*)?as\s+(?:(?:not\s+)?materialized\s+)?\(\s*(?:select|with|values)\b"
)
_STATEMENT = re.compile(
    r"(?i)\s*(?:insert\s+(?:or\s+\w+\s+)?into\s+\S++.*?\b(?:values|select)\b|update\s+\S++\s+set\s+[\w.]++\s*="
    r"|delete\s+from\s+\w++\s*(?:;|where\b.*[=<>])|create\s+(?:\w+\s+){0,2}(?:table|view|index)\s+[^(]{1,200}(?:\(|\bas\s)"
    r"|(?:drop|alter)\s+(?:table|view|index)\s+\S+)",
    re.DOTALL,
)
_CONSTANT = re.compile(r"(?i)[\s(]*select\s+(?:[\d\s+*/().,'%-]+|\w+\s?\([^()]*\)(?:\s+as\s+\w+)?)\s*;?\s*")
_FROM = re.compile(r"(?i)\bfrom\b")
_FROM_SIGN = re.compile(  # after the first table: what prose has not
    r"(?i)^\s*\(|[*=<>_;`]|\b\w{2,}\.\w{2,}\b|\b(?:inner|left|outer|cross)\s+join\b|\b(?:group|order)\s+by\b|\blimit\s+\d"
    r"|\bwhere\b.*(?:\bin\b|\blike\b|\bis\b|\bbetween\b)"
)
_WORD = re.compile(r"\w+")

_FENCE = re.compile(r"(?:\A|\n)[ \t]*(```+|~~~+)[^\n`]*\n(.*?)(?:\n[ \t]*\1|\Z)", re.DOTALL)
_CODE_SIGNS = [
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^[ \t]*(?:async\s+)?def\s+\w+\s*\(.*\).*:",
        r"^[ \t]*class\s+\w+\s*(?:\([^()\n]*\))?\s*[:{]",
        r"^[ \t]*(?:import\s+[\w.]+\s*(?:as\s+\w+)?;?|from\s+[\w.]+\s+import\s+\S.*|#include\s*[<\"].*)$",
        r"^[ \t]*return\b.*",
        r"^[ \t]*(?:for\s*\(?.+\sin\s.+|while\s.+|if\s.+|elif\s.+|else|try|except.*|with\s.+)\s*:$",
        r"^[ \t]*(?:for|while|if|else if|switch)\s*\(.*\)\s*\{?$",
        r"^[ \t]*[\w.\[\]'\"]+(?:\s*,\s*\w+)*\s*[-+*/%|&]?=(?!=)\s*\S",
        r"^[ \t]*(?:const|let|var|int|float|double|string|char|bool|auto|val)\s+\w+.*[=;]",
        r"\b(?:function|fn|func)\s+\w*\s*\(",
        r"\b(?:print|console\.log|println!?|printf|puts|fmt\.\w+)\s*\(",
        r"[\w\])'\"]\.\w+\(",
        r"\)\.\w+\(",
        r";$",
        r"^[ \t]*[})\]]+;?$",
        r"=>|->|\+\+|\+=|&&|\|\||==|!=|::",
        r"\blambda\s+\w+(?:\s*,\s*\w+)*\s*:",
        r"[\[({]\s*\w.*\bfor\s+\w+(?:\s*,\s*\w+)*\s+in\s+\w",
        r"^```",
    )
]
_MARKS = re.compile(r"\w+|[^\w\s]")


def looks_like_sql(text: str) -> bool:
    """Whether a text is SQL by its grammar: a list of columns, FROM and a table. A sentence that begins so is not.

    A select list of bare words, or a sentence's "Select ... from", needs a sign that prose has not.
    """
    text = text[:HEAD]
    if _WITH.match(text) or _STATEMENT.match(text) or _CONSTANT.fullmatch(text):
        return True
    start = _SELECT.match(text)
    if not start:
        return False
    end = _outer_from(text, start.end())
    if end < 0:
        return False
    columns, rest = text[start.end() : end], text[end + 4 :]
    kinds = [_column(item) for item in _items(columns)]
    table = _WORD.findall(rest)
    if not kinds or not table or 0 in kinds:
        return False
    signed = 3 in kinds or bool(_FROM_SIGN.search(rest)) or bool(start[2] and start[2].isupper())
    if signed:
        return True
    cased = start[1].isupper() == text[end : end + 4].isupper() and start[1] != "Select"
    return cased and 2 not in kinds and (len(table) == 1 or start[1].isupper()) and not rest.rstrip().endswith(".")


def _outer_from(text: str, start: int) -> int:
    """Place of the FROM that belongs to the SELECT before `start`; -1 where there is none."""
    depth, place = 0, start
    for match in _FROM.finditer(text, start):
        between = text[place : match.start()]
        depth += between.count("(") - between.count(")")
        place = match.start()
        if depth <= 0:
            return place
    return -1


def _items(columns: str) -> list[str]:
    """Parts of a select list at its commas, those in brackets aside."""
    items, depth = [""], 0
    for piece in re.split(r"([(),])", columns):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and depth <= 0:
            items.append("")
        else:
            items[-1] += piece
    return [item.strip() for item in items]


def _column(item: str) -> int:
    """What an item of a select list is: 3 what only SQL writes, 2 two words, 1 one word, 0 nothing of SQL."""
    words = item.split()
    if not words:
        return 0
    if (
        item == "*"
        or re.search(r"[*=<>_`\"\[+/|']|\w\.\w|\w\s?\(.*\)", item)
        or re.search(r"(?i)\bcase\s+when\b", item)
    ):
        return 3
    if re.fullmatch(r"(?i)\S+\s+as\s+\S+", item):
        return 3 if re.search(r"\bAS\b", item) else 2
    return len(words) if len(words) <= 2 else 0


def looks_like_code(text: str) -> bool:
    """Whether a text has at least two different signs of a program. Conservative: a formula or one call is not code."""
    text = text[:HEAD]
    if not re.search(r"[=(:;{]", text):
        return False
    return sum(bool(sign.search(text)) for sign in _CODE_SIGNS) >= 2


def unfenced(text: str) -> str:
    """Content of the first fenced block of a text (Markdown); the text itself where it has none."""
    found = _FENCE.search(text)
    return found[2] if found else text


def same_json(first: str, second: str) -> bool:
    """Whether two texts are one JSON value: keys in any order, numbers by value, texts that are JSON themselves too.

    Python's spelling of a value ({'a': True}) is read as well. Where one is neither, the words and marks decide.
    """
    a, b = json_value(first), json_value(second)
    if a is None or b is None:
        return same_words(first, second)
    return a == b


def json_value(text: str) -> Hashable:
    """Comparable form of the JSON value that a text is; None where it is none."""
    text = unfenced(text).strip()
    if not text or len(text) > MOST:
        return None
    try:
        return _form(json.loads(text, parse_float=_decimal, parse_constant=_refused))
    except (ValueError, RecursionError, ArithmeticError):
        pass
    tree = parsed(text, "eval")
    try:
        return None if tree is None else _form(ast.literal_eval(tree))
    except (ValueError, TypeError, RecursionError, MemoryError, ArithmeticError):
        return None


def _decimal(text: str) -> Decimal:
    """A number within the range of floats: 1e999999999 would take hours to compare."""
    value = Decimal(text)
    if abs(value.adjusted()) > 400:
        raise ValueError(text[:40])
    return value


def _refused(name: str) -> Any:
    raise ValueError(name)


def _form(value: Any) -> Hashable:
    match value:
        case bool() | None:
            return "constant", value
        case int() | Decimal():
            return "number", value
        case float():
            return "number", Decimal(repr(value))
        case str():
            inner = value.strip()
            if inner[:1] + inner[-1:] in {"{}", "[]"}:  # arguments of a tool call are a text that is JSON
                try:
                    return _form(json.loads(inner, parse_float=_decimal, parse_constant=_refused))
                except (ValueError, ArithmeticError):
                    pass
            return "text", unicodedata.normalize("NFC", value) if len(value) < 10_000 else value
        case dict():
            return "object", frozenset((str(key), _form(item)) for key, item in value.items())
        case list() | tuple():
            return "array", tuple(map(_form, value))
    raise ValueError(type(value).__name__)


def same_code(first: str, second: str) -> bool:
    """Whether two programs are equal: the same tree where both are Python, or else the same words and marks.

    Layout and comments do not count; names do. Two programs that do the same in different ways are not equal.
    """
    a, b = (unfenced(text).strip("\n") for text in (first, second))
    trees = [parsed(text) for text in (a, b)]
    if trees[0] is not None and trees[1] is not None:
        try:
            return ast.unparse(trees[0]) == ast.unparse(trees[1]) != ""
        except (RecursionError, ValueError):
            pass
    return same_words(a, b)


def same_words(first: str, second: str) -> bool:
    """Whether two texts are the same sequence of words and marks; two empty ones are not."""
    words = _MARKS.findall(unfenced(first))
    return words == _MARKS.findall(unfenced(second)) != []


def parsed(text: str, mode: str = "exec") -> ast.AST | None:
    """A text as Python's tree; None where it is no Python, too long or nested too deeply. Nothing is run."""
    text = textwrap.dedent(text).strip()
    if not text or len(text) > PROGRAM or "\0" in text or _depth(text) > _NESTED:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in its texts
            return ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in re.findall(r"[()\[\]{}]", text):
        depth += 1 if character in "([{" else -1
        deepest = max(deepest, depth)
    return deepest
