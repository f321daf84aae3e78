"""Channels: the kinds of n-grams that the features of a text consist of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from skillshot.features.scripts import special
from skillshot.features.tokens import equation_grams, letters, ngrams, numbered, skeleton, tokenise

FEWEST = 4  # words that a first line needs to count as a question on its own
SYLLABLES = 2  # letters of such a word in a script without blanks
LETTERS = ("letters", "head letters")  # parts that are read letter by letter


@dataclass(frozen=True)
class Channel:
    """One kind of n-grams, whose weighted row is scaled to the length `weight`.

    longest: tokens of the longest n-gram.
    least: words in a smaller share of the bank's texts are masked to their shape (0: no word is masked). Words of a
        rationale that rarely come from its own question are never masked (`LexicalView.learn`, `questions`).
    part: all | head (the first line: the question) | rest (what follows: context, options) | equations | letters (all,
        letter by letter) | head letters.
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
        tokens = read(text, self.part)
        if self.least:
            tokens = skeleton(tokens, shares, self.least)
        return numbered(ngrams(tokens, self.longest) if len(tokens) > 2 else ())


def span(text: str, part: str) -> slice:
    """Where the part of a text is that a channel reads; a very short first line does not count as the head."""
    if part in ("all", "letters"):
        return slice(0, len(text))
    head = text.partition("\n")[0]
    if len(head.split()) < FEWEST and not (special(head) and len(tokenise(head)) > FEWEST * SYLLABLES):
        head = text
    return slice(len(head) + 1, len(text)) if part == "rest" else slice(0, len(head))


def take(text: str, part: str) -> str:
    """The part of a text that a channel reads."""
    return text[span(text, part)]


def read(text: str, part: str) -> list[str]:
    """Tokens of the part of a text that a channel reads."""
    return _tokens(take(text, part), part)


def owners(text: str, pieces: Sequence[str], part: str) -> list[int] | None:
    """The piece that each token of `read(text, part)` comes from, -1 for the marks of begin and end.

    Args:
        pieces: texts that concatenate to `text`.

    Returns:
        None where a piece on its own has other tokens than in the text.
    """
    where, at, of, seen = span(text, part), 0, [-1], []
    for place, piece in enumerate(pieces):
        inside = text[max(at, where.start) : max(where.start, min(at + len(piece), where.stop))]
        found = _tokens(inside, part)[1:-1] if inside else []
        seen += found
        of += [place] * len(found)
        at += len(piece)
    return [*of, -1] if seen == read(text, part)[1:-1] else None


def _tokens(text: str, part: str) -> list[str]:
    return (letters if part in LETTERS else tokenise)(text)


def spelled(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Channels for texts of another writing than English: with one more that reads single letters and their pairs.

    Words of an agglutinating language share stems and endings, and words without blanks share letters. Pairs alone find
    more than longer runs, because the other channels have those.
    """
    head = any(channel.part == "head" for channel in channels)
    return *channels, Channel("letters", 2, weight=4.0 if head else 3.0, part="head letters" if head else "letters")


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
