"""Tokens of a text (words, numbers, signs), its skeleton, its n-grams and the operators of its equations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from skillshot.features.scripts import pieces, plain, special, spelling, wide

NUMBER = "0"  # the token of every number, because 12, 3.5 and 1,000 do not change the skill
BEGIN, END, BREAK = "<s>", "</s>", "<br>"
JOINT = "~"  # a blank between letters; follows a letter that is a token, so that it differs from a word
FOREIGN = 0.1  # share of words with a letter beyond ASCII, above which a bank is read letter by letter too
MOST = 6  # occurrences of a gram in one text that are counted

_TOKEN = re.compile(r"\n|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]|_")
_NAMES = {"n": BREAK, "d": NUMBER, "s": JOINT}
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_TIMES = re.compile(r"(?<![a-z])x(?![a-z])")
_UNITS = re.compile(r"[^\W\d_]+(?:[/-][^\W\d_]+)*")  # 14 pieces/house * 60 houses = 840
_NOISE = re.compile(r"(?<!\d)\.|\.(?!\d)|[^\d.()\s+\-*/=]")
_OPERATION = re.compile(r"\d[\s()]*[+\-*/]")
_OPERATOR = re.compile(r"(?<=[\d)\s])[+\-*/](?=\s*[\d(.])")
_ENDINGS = ("ing", "ed", "ly", "es", "er", "s")
_STEM, _WIDE_STEM = 4, 2  # first letters, or syllables, that identify a word in another form: rolled, roll
OWN = 0.5  # a word that comes from its own question in a smaller share of texts is procedural


def tokenise(text: str) -> list[str]:
    """Lower-case tokens with numbers masked, framed by begin and end marks; a line end is a mark too."""
    text = text.lower()
    tokens = [BEGIN]
    if special(text):
        tokens += (_NAMES.get(kind, token) for kind, token in pieces(text))
    else:
        found = _TOKEN.findall(text)
        tokens += [NUMBER if token[0].isdigit() else BREAK if token == "\n" else token for token in found]
    tokens.append(END)
    return tokens


def letters(text: str) -> list[str]:
    """The same with words letter by letter, `a~` and `b~`; blanks are `~`."""
    tokens = [BEGIN]
    tokens += (token + JOINT if kind == "w" else _NAMES.get(kind, token) for kind, token in spelling(text.lower()))
    tokens.append(END)
    return tokens


def foreign(counts: Mapping[str, int]) -> bool:
    """Whether a tenth of the words have a letter beyond ASCII.

    Args:
        counts: number of texts that have each token.
    """
    words = {word: n for word, n in counts.items() if word[0].isalpha()}
    return sum(n for word, n in words.items() if not word.isascii()) > FOREIGN * sum(words.values())


@lru_cache(maxsize=2**16)
def shape(word: str) -> str:
    """Replacement of a masked word: a blank with the word's ending, if any (`_ed`, `_s`)."""
    return next(("_" + ending for ending in _ENDINGS if len(word) > 4 and word.endswith(ending)), "_")


def skeleton(tokens: Iterable[str], shares: Mapping[str, float], least: float) -> list[str]:
    """Tokens, with each word masked to its shape that is in a smaller share than `least` of the bank's texts.

    Names and story nouns are rare; words that express the procedure are not. Signs and marks are kept.
    """
    return [t if not t[0].isalpha() or shares.get(t, 0.0) >= least else shape(t) for t in tokens]


def ngrams(tokens: Sequence[str], longest: int) -> Iterator[str]:
    """Every run of 1 to `longest` tokens, joined by spaces."""
    yield from tokens
    for n in range(2, longest + 1):
        yield from map(" ".join, zip(*(tokens[i:] for i in range(n)), strict=False))


def operators(text: str) -> list[str]:
    """Operators of each equation in text order: `4*2 + 1 = 9` gives `*+`; units and currency are skipped."""
    text = _TIMES.sub("*", _THOUSANDS.sub("", plain(text.lower()).translate(_SIGNS)))
    found = []
    for line in text.split("\n"):
        if "=" not in line:
            continue
        *left_sides, _ = _NOISE.sub(" ", _UNITS.sub("", line)).split("=")
        for side in filter(_OPERATION.search, left_sides):
            found.append("".join(_OPERATOR.findall(" ".join(side.split()))))
    return [signs for signs in found if signs]


def equation_grams(text: str) -> Iterator[str]:
    """The distinct operators of each equation, their consecutive pairs, every sign, and one gram per equation."""
    steps = operators(text)
    kinds = ["".join(sorted(set(signs))) for signs in steps]
    yield from kinds
    if kinds:
        yield from map(" ".join, zip(["<", *kinds], [*kinds, ">"], strict=True))
    for kind in kinds:
        yield from (f"sign {sign}" for sign in kind)
        yield "equation"


def procedural(rationales: Sequence[str], questions: Sequence[str], least: float) -> list[str]:
    """Words of rationales that mostly do not come from their own question: they express the procedure, not the story.

    Names and story nouns are copied from the question; "look at the row" is not, however rare it is. A word must be in
    the share `least` of the texts and in at least three. Another form of it in the question (`rolled`, `roll`) counts
    as a copy.
    """
    counts: Counter[str] = Counter()
    copied: Counter[str] = Counter()
    for rationale, question in zip(rationales, questions, strict=True):
        stems = {_stem(word) for word in tokenise(question)}
        words = {word for word in tokenise(rationale) if word[0].isalpha()}
        counts.update(words)
        copied.update(word for word in words if _stem(word) in stems)
    enough = max(3.0, least * len(rationales))
    return sorted(word for word, n in counts.items() if n >= enough and copied[word] < OWN * n)


def _stem(word: str) -> str:
    return word[: _WIDE_STEM if wide(word) else _STEM]


def numbered(grams: Iterable[str]) -> Iterator[str]:
    """Unary counts: the second `a` becomes `a#2`, so that a dot product counts the intersection of two multisets."""
    counts: Counter[str] = Counter()
    for gram in grams:
        counts[gram] += 1
        if counts[gram] == 1:
            yield gram
        elif counts[gram] <= MOST:
            yield f"{gram}#{counts[gram]}"
