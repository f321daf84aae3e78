"""Channels: the kinds of n-grams that the features of a text consist of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from skillshot.features.tokens import equation_grams, ngrams, numbered, skeleton, tokenise

FEWEST = 4  # words that a first line needs to count as a question on its own


@dataclass(frozen=True)
class Channel:
    """One kind of n-grams, whose weighted row is scaled to the length `weight`.

    longest: tokens of the longest n-gram.
    least: words in a smaller share of the bank's texts are masked to their shape (0: no word is masked). Words of a
        rationale that rarely come from its own question are never masked (`LexicalView.learn`, `questions`).
    part: all | head (the first line: the question) | rest (what follows: context, options) | equations.
    """

    name: str
    longest: int = 3
    least: float = 0.0
    weight: float = 1.0
    part: str = "all"

    def grams(self, text: str, shares: Mapping[str, float]) -> Iterator[str]:
        """The n-grams of one text; repeated ones are numbered."""
        if self.part == "equations":
            return numbered(equation_grams(text))
        tokens = tokenise(take(text, self.part))
        if self.least:
            tokens = skeleton(tokens, shares, self.least)
        return numbered(ngrams(tokens, self.longest) if len(tokens) > 2 else ())


def take(text: str, part: str) -> str:
    """The part of a text that a channel reads; a very short first line does not count as the head."""
    if part == "all":
        return text
    head, _, rest = text.partition("\n")
    if len(head.split()) < FEWEST:
        head, rest = text, ""
    return head if part == "head" else rest


QUESTION = (
    Channel("words", 3, part="head"),
    Channel("skeleton 3 %", 5, 0.03, part="head"),
    Channel("skeleton 10 %", 5, 0.1, part="head"),
    Channel("skeleton 30 %", 5, 0.3, part="head"),
    Channel("context", 2, weight=0.5, part="rest"),
)
RATIONALE = (
    Channel("skeleton 40 %", 4, 0.4),
    Channel("words", 3),
    Channel("equations", weight=2.0, part="equations"),
)
