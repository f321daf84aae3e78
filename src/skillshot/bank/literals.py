"""Lists and objects that stand as text in a cell: JSON, or what `str` and pandas write of Python's and numpy's.

Nothing is evaluated: `ast.literal_eval` reads constants alone, of a text whose length and nesting are limited.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
from typing import Any

MAX_TEXT = 50_000  # characters; `ast` takes about a hundred times as many bytes
MAX_NESTING = 8  # brackets in brackets; a list of options has two
_OPEN, _CLOSE = frozenset("[{("), frozenset("]})")


def literal(text: str) -> Any:
    """The value that a text spells, or the text itself where it spells no list or object.

    `['a', 'b']`, `["a", "b"]`, numpy's `['a' 'b']` and `{'text': array(['a'], dtype=object)}` are read.
    """
    text = text.strip()
    if (
        not text
        or text[0] not in _OPEN
        or text[-1] not in _CLOSE
        or len(text) > MAX_TEXT
        or _nesting(text) > MAX_NESTING
    ):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    plain = text.replace(", dtype=object)", ")").replace("array(", "(")
    try:
        return ast.literal_eval(_separated(plain))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError, tokenize.TokenError):
        return text


def _nesting(text: str) -> int:
    depth = most = 0
    for character in text:
        if character in _OPEN:
            depth += 1
            most = max(most, depth)
        elif character in _CLOSE:
            depth -= 1
    return most


def _separated(text: str) -> str:
    """The text with the commas between texts that numpy leaves out; Python would join such texts to one."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    parts: list[str] = []
    done, before = 0, None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            continue
        if token.type == tokenize.STRING and before == tokenize.STRING:
            place = starts[token.start[0] - 1] + token.start[1]
            parts += [text[done:place], ", "]
            done = place
        before = token.type
    return "".join(parts) + text[done:]
