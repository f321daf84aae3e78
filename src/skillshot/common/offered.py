"""Options that a text lists by letter: "(A) dog (B) cat", or a line each."""

from __future__ import annotations

import re

# a letter in brackets after a blank, or one with a stop that begins a line
_LETTER = re.compile(r"(?:^|(?<=[\s,;|]))\(?([A-Za-z])\s?\)\s?|(?:^|(?<=[\n;|]))\s?([A-Za-z])[.:]\s")
_CUE = re.compile(r"\n\s*answer\s?:?\s*$", re.IGNORECASE)  # what a prompt ends with is no part of its last option
_READ = 50_000  # characters of a text that are read


def listed(text: str) -> tuple[int, list[str]]:
    """Where the last list of two options or more begins, and their texts; (0, []) where there is none.

    The letters of a list begin with A and follow each other; its last option ends with the text.
    """
    marks = list(_LETTER.finditer(text, max(0, len(text) - _READ)))
    letters = [(mark[1] or mark[2]).upper() for mark in marks]
    first = max((i for i, letter in enumerate(letters) if letter == "A"), default=len(letters))
    wanted = [chr(ord("A") + i) for i in range(len(letters) - first)]
    if len(wanted) < 2 or letters[first:] != wanted:
        return 0, []
    ends = [*(mark.start() for mark in marks[first + 1 :]), len(text)]
    texts = [text[mark.end() : end].strip(" \n\t,;|") for mark, end in zip(marks[first:], ends, strict=True)]
    return marks[first].start(), [*texts[:-1], _CUE.sub("", texts[-1]).rstrip()]


def offered(question: str) -> tuple[str, ...]:
    """Texts of the options with which a question ends; () where it lists none, or one of them is empty."""
    texts = listed(question)[1]
    return tuple(texts) if all(texts) else ()
