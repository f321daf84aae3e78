"""One form of a text for comparison; what is stored stays as written.

Texts that look the same to a reader have one canonical form: NFKC, without invisible characters, look-alikes of Latin
letters folded, without case, blanks collapsed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Literal

# Default_Ignorable_Code_Point (Unicode 15, DerivedCoreProperties.txt): soft hyphen, zero-width characters,
# bidirectional controls, fillers, variation selectors, tags. Added: controls except blanks, annotation marks.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_EMPTY_BRAILLE = "\u2800"  # a symbol to Unicode, a blank to a reader
# embeddings, overrides and isolates (UAX 9) change the order in which the rest of a line is shown
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")

# Greek and Cyrillic letters that look like a Latin one in the same case (confusables.txt of UTS 39)
_IMAGES = str.maketrans(
    "аеорсухіјѕһӏԁԛԝАВЕКМНОРСТУХІЈЅҺӀԀԌԚԜ" "αικνορυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshldqwABEKMHOPCTYXIJShldGQW" "aikvopuxABEZHIKMNOPTYX",
)  # fmt: skip
_FOREIGN = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_WORD = re.compile(r"[^\W\d_]+")
_MARKS = 30  # combining marks in a row; more are no writing (UAX 15, stream-safe text format)


def canonical(text: str) -> str:
    """The form in which questions are compared; equal forms are one question. Idempotent, linear in the length."""
    if text.isascii():
        text = _INVISIBLE.sub("", text) if not text.isprintable() else text
        return " ".join(text.casefold().split())
    return " ".join(folded(folded(text).casefold()).split())


def folded(text: str) -> str:
    """As `canonical`, with case and blanks kept: NFKC, nothing invisible, look-alikes as Latin letters.

    A Greek or Cyrillic word is folded where the text has Latin letters and each letter of the word looks like one, so
    that texts in these scripts stay as they are.
    """
    text = bare(text)
    if _FOREIGN.search(text) and _LATIN.search(text):
        text = normalised("NFKC", _WORD.sub(_latin, text))
    return text


def bare(text: str) -> str:
    """NFKC without invisible characters."""
    text = _INVISIBLE.sub("", text)
    if text.isascii():
        return text
    text = normalised("NFKC", text.replace(_EMPTY_BRAILLE, " "))
    return normalised("NFKC", _INVISIBLE.sub("", text))  # NFKC itself can make a filler


def visible(text: str) -> bool:
    """Whether a reader sees anything of a text."""
    return bool(_INVISIBLE.sub("", text).replace(_EMPTY_BRAILLE, " ").strip())


def reordered(text: str) -> bool:
    """Whether a text has bidirectional embeddings, overrides or isolates, so that it may not read as it is written."""
    return not text.isascii() and bool(_REORDERING.search(text))


def normalised(form: Literal["NFC", "NFKC"], text: str) -> str:
    """`unicodedata.normalize`, which takes quadratic time for long runs of combining marks, in linear time.

    A combining grapheme joiner after every 30 marks keeps the runs short.
    """
    if unicodedata.is_normalized(form, text):
        return text
    parts, run = [], 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > _MARKS:
            parts.append("\u034f")
            run = 1
        parts.append(character)
    return unicodedata.normalize(form, "".join(parts))


def plural(noun: str) -> str:
    """The plural of a regular noun."""
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("tch") else f"{noun}s"


def shown(value: Any, size: int = 80) -> str:
    """A value as an error message quotes it: cut, on one line, whatever the value is."""
    try:
        text = repr(value[:size]) if isinstance(value, str) else repr(value)
    except Exception:  # a value may be nested without end, or have a broken __repr__
        text = f"a {type(value).__name__}"
    return text if len(text) <= size else text[:size] + "..."


def _latin(word: re.Match[str]) -> str:
    image = word[0].translate(_IMAGES)
    return word[0] if _FOREIGN.search(image) else image
