"""Words, numbers and signs of a text; its skeleton, its n-grams, the operators of its equations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

NUMBER = "0"  # every number reads as this one token: 12, 3.5 and 1,000 are the same skill
BEGIN, END, BREAK = "<s>", "</s>", "<br>"
MOST = 6  # a gram that occurs more often in one text counts as that often

_TOKEN = re.compile(r"\n|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]|_")
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_TIMES = re.compile(r"(?<![a-z])x(?![a-z])")
_UNITS = re.compile(r"[^\W\d_]+(?:[/-][^\W\d_]+)*")  # 14 pieces/house * 60 houses = 840
_NOISE = re.compile(r"(?<!\d)\.|\.(?!\d)|[^\d.()\s+\-*/=]")
_LEFT_SIDE = re.compile(r"[\d.()\s+\-*/]*\d[\s()]*[+\-*/][\d.()\s+\-*/]*=")
_OPERATOR = re.compile(r"(?<=[\d)\s])[+\-*/](?=\s*[\d(.])")
_ENDINGS = ("ing", "ed", "ly", "es", "er", "s")
_STEM = 4  # letters by which a word is known again in another form: rolled, roll
OWN = 0.5  # a word taken from its own question less often than this belongs to the procedure


def tokenise(text: str) -> list[str]:
    """Lower-case tokens with numbers masked, framed by begin and end marks; a line end is a mark too."""
    tokens = [BEGIN]
    for token in _TOKEN.findall(text.lower()):
        tokens.append(BREAK if token == "\n" else NUMBER if token[0].isdigit() else token)
    tokens.append(END)
    return tokens


def shape(word: str) -> str:
    """What is left of a masked word: a blank, with the ending that tells its form (`_ed`, `_s`)."""
    return next(("_" + ending for ending in _ENDINGS if len(word) > 4 and word.endswith(ending)), "_")


def skeleton(tokens: Iterable[str], shares: Mapping[str, float], least: float) -> list[str]:
    """Tokens with every word masked to its shape that fewer than `least` of the bank's texts hold.

    Names and story nouns are rare, the words that carry procedure are not. Signs and marks are kept.
    """
    return [t if not t[0].isalpha() or shares.get(t, 0.0) >= least else shape(t) for t in tokens]


def ngrams(tokens: Sequence[str], longest: int) -> Iterator[str]:
    """Every run of 1 to `longest` tokens, joined by a space."""
    yield from tokens
    for n in range(2, longest + 1):
        yield from map(" ".join, zip(*(tokens[i:] for i in range(n)), strict=False))


def operators(text: str) -> list[str]:
    """Operators of each equation in order of the text: `4*2 + 1 = 9` is `*+`; units and currency are skipped."""
    text = _TIMES.sub("*", _THOUSANDS.sub("", text.lower().translate(_SIGNS)))
    found = []
    for line in text.split("\n"):
        line = _NOISE.sub(" ", _UNITS.sub("", line))
        for match in _LEFT_SIDE.finditer(line):
            found.append("".join(_OPERATOR.findall(" ".join(match[0].split()))))
    return [signs for signs in found if signs]


def equation_grams(text: str) -> Iterator[str]:
    """The distinct operators of each equation, their pairs in a row, every sign, and how many equations there are."""
    steps = operators(text)
    kinds = ["".join(sorted(set(signs))) for signs in steps]
    yield from kinds
    if kinds:
        yield from map(" ".join, zip(["<", *kinds], [*kinds, ">"], strict=True))
    for kind in kinds:
        yield from (f"sign {sign}" for sign in kind)
        yield "equation"


def procedural(rationales: Sequence[str], questions: Sequence[str], least: float) -> list[str]:
    """Words of rationales that mostly do not come from their own question: they tell what is done, not with whom.

    Names and story nouns are copied from the question; "look at the row" is not, however rare it is. A word counts
    from `least` of the texts (and three of them) on; another form of it in the question (`rolled`, `roll`) is a copy.
    """
    held: Counter[str] = Counter()
    copied: Counter[str] = Counter()
    for rationale, question in zip(rationales, questions, strict=True):
        asked = {word[:_STEM] for word in tokenise(question)}
        words = {word for word in tokenise(rationale) if word[0].isalpha()}
        held.update(words)
        copied.update(word for word in words if word[:_STEM] in asked)
    enough = max(3.0, least * len(rationales))
    return sorted(word for word, n in held.items() if n >= enough and copied[word] < OWN * n)


def numbered(grams: Iterable[str]) -> Iterator[str]:
    """Unary counts: the second `a` is `a#2`, so that a dot product counts what two multisets share."""
    counts: Counter[str] = Counter()
    for gram in grams:
        counts[gram] += 1
        if counts[gram] == 1:
            yield gram
        elif counts[gram] <= MOST:
            yield f"{gram}#{counts[gram]}"
