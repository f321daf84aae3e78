"""Words, numbers and signs of a text, and the n-grams that keep their order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

NUMBER = "0"  # every number reads as this one token: 12, 3.5 and 1,000 are the same skill
BEGIN, END, BREAK = "<s>", "</s>", "<br>"

_TOKEN = re.compile(r"\n|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]|_")


def tokenise(text: str) -> list[str]:
    """Lower-case tokens with numbers masked, framed by begin and end marks; a line end is a mark too."""
    tokens = [BEGIN]
    for token in _TOKEN.findall(text.lower()):
        tokens.append(BREAK if token == "\n" else NUMBER if token[0].isdigit() else token)
    tokens.append(END)
    return tokens


def ngrams(tokens: Sequence[str], longest: int) -> Iterator[str]:
    """Every run of 1 to `longest` tokens, joined by a space."""
    for n in range(1, longest + 1):
        if n == 1:
            yield from tokens
        else:
            yield from map(" ".join, zip(*(tokens[i:] for i in range(n)), strict=False))
