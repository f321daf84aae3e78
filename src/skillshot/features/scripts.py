"""Tokens of any script, by the Unicode properties of its characters; no language and no script has a name here.

A character is looked at once and its kind is kept: one letter, so that a regular expression reads the kinds of a text.

    n line end   s blank   d digit   c separator of digits   a apostrophe   p sign   i invisible   f form of another
    l letter of a word   h syllable made of letters   b letter without case   w letter of a script without blanks
    z such a letter that is a numeral   m mark that belongs to the letter before it
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from skillshot.common.text import bare

LONG = 8  # letters of the longest word in a script without case; a longer run is several words without blanks
KEPT = 50_000  # characters; a hostile text has a million

_SPECIAL = re.compile("[wzbmfi]")  # kinds that a plain regular expression over words would read wrong
_NUMBER = "(?:d|z(?=[dz]))[dz]*(?:cd[dz]*)*"  # a numeral that stands alone may be part of a word
_TOKEN = re.compile(f"n|{_NUMBER}|[lhb][lhbm]*(?:a[lhb][lhbm]*)*|[wz]m*|[^s]")
_LETTER = re.compile(f"n|{_NUMBER}|s+|[lhbwz]m*|.")
_CASELESS = re.compile("[hbwz]")
_RUN = re.compile("[hb][hbm]*|[wz][wzm]*|[ld][ldm]*")
_WORD = re.compile(r"\w+")
_CLUSTER = re.compile("[^m]m*|m+")


class _Kinds(dict[int, str]):
    """Code point -> its kind, kept for the first `KEPT` that are met."""

    def __missing__(self, point: int) -> str:
        kind = _kind(chr(point))
        if len(self) < KEPT:
            self[point] = kind
        return kind


_KINDS = _Kinds()


def special(text: str) -> bool:
    """Whether a text has marks, invisible characters, full width, or letters of a script without case."""
    return not text.isascii() and bool(_SPECIAL.search(text.translate(_KINDS)))


def plain(text: str) -> str:
    """A text in lower case; a special one in its compatibility form too, without invisible characters."""
    # the dot that a capital of some alphabets leaves behind
    return bare(text).lower().replace("i\u0307", "i") if special(text) else text


def pieces(text: str) -> list[tuple[str, str]]:
    """Kind and text of each token of a text in lower case, by its first kind; a word that is long gives its letters."""
    found: list[tuple[str, str]] = []
    for kinds, token in _matches(_TOKEN, plain(text)):
        many = clusters(token) if kinds[0] in "hb" and len(kinds) > LONG else []
        if len(many) > LONG:
            found += [("w", one) for one in many]
        else:
            found.append((kinds[0], token))
    return found


def spelling(text: str) -> list[tuple[str, str]]:
    """The same letter by letter: `w` letter with its marks, `s` blanks."""
    return [("w" if kinds[0] in "lhbwz" else kinds[0], token) for kinds, token in _matches(_LETTER, plain(text))]


def keywords(text: str) -> list[str]:
    """Words of a text for bag-of-words retrieval, in lower case.

    Words of a script without case give pairs of their letters too: their endings differ, or no blank parts them. In a
    script without blanks they are too long to be words, and give their letters instead.
    """
    text = text.lower()
    if text.isascii() or not _CASELESS.search(text.translate(_KINDS)):
        return _WORD.findall(text)
    found = []
    for kinds, word in _matches(_RUN, plain(text)):
        parts = clusters(word) if kinds[0] in "hbwz" else []
        if kinds[0] in "wz" or len(parts) > LONG:
            found += parts
        else:
            found.append(word)
        if len(parts) > 1:
            found += map("".join, pairwise(parts))
    return found


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    """Kinds and text of each token; the kinds of a number begin with `d`."""
    for match in pattern.finditer(text.translate(_KINDS)):
        kinds = match[0]
        numeral = kinds[0] == "z" and len(kinds) > 1 and not kinds.strip("dzc")
        yield "d" if numeral else kinds, text[match.start() : match.end()]


def clusters(word: str) -> list[str]:
    """Letters of a word, each with its marks."""
    return [word[match.start() : match.end()] for match in _CLUSTER.finditer(word.translate(_KINDS))]


def wide(word: str) -> bool:
    """Whether a word begins with a letter of full width: a syllable or an ideograph, which says as much as two."""
    return not word.isascii() and unicodedata.east_asian_width(word[0]) in "WF"


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return "n" if character == "\n" else "s"
    if category[0] == "M":
        return "m"
    if category == "Cf":
        return "i"
    compatible, width = unicodedata.normalize("NFKC", character), unicodedata.east_asian_width(character)
    if category[0] == "L" and _cased(compatible) and not _cased(character):
        return "l"  # the ordinal of 30º
    if width in "FH" or (category[0] == "L" and compatible != character):
        return "f"
    if character.isdecimal():
        return "d"
    if character.isalnum():
        return _letter(character) if category == "Lo" or width in "WF" else "l"
    return "c" if character in ".,٫٬" else "a" if character in "'’" else "p"


def _cased(text: str) -> bool:
    return text.lower() != text.upper()


def _letter(character: str) -> str:
    if _cased(character):
        return "l"
    if unicodedata.east_asian_width(character) not in "WF":
        return "b"
    parts = unicodedata.normalize("NFD", character)
    if len(parts) > 1 and all(unicodedata.category(part)[0] == "L" for part in parts):
        return "h"  # its words have blanks
    return "z" if unicodedata.numeric(character, None) is not None else "w"
