"""Write examples/browser/unicode.js: what the browser's selector must know of characters, as this Python knows it.

    python -m scripts.browser_unicode

Browsers have other versions of Unicode, and no table of widths or of case folding.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from skillshot.common.text import _IMAGES, _INVISIBLE
from skillshot.features.scripts import _kind

PATH = Path(__file__).resolve().parents[1] / "examples" / "browser" / "unicode.js"
_TEXT = """\
// Written by `python -m scripts.browser_unicode` with Unicode {version}; do not edit.

// Kinds of characters as runs: kind and length in base 36. A capital is a letter (`str.isalpha`). `q` is an `l` that is
// a digit but no decimal (`str.isdigit`).
export const KINDS =
  {kinds};

// Characters with a canonical combining class, and those that a reader does not see: pairs of first and last.
export const COMBINING = {combining};
export const INVISIBLE = {invisible};

// Case folding where it is not the lower case; letters that look like a Latin one.
export const FOLDED = {folded};
export const IMAGES = {images};
"""


def runs() -> str:
    """The kinds of all code points."""
    parts = [(kind, sum(1 for _ in group)) for kind, group in groupby(map(kind_of, range(sys.maxunicode + 1)))]
    return "".join(f"{kind}{base36(length)}," for kind, length in parts)


def kind_of(point: int) -> str:
    """The kind of a code point as the table has it."""
    character = chr(point)
    kind = _kind(character)
    if kind == "l" and character.isdigit() and not character.isdecimal():
        kind = "q"
    return kind.upper() if character.isalpha() else kind


def base36(number: int) -> str:
    """A number in the digits 0 to z."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return (base36(number // 36) if number >= 36 else "") + digits[number % 36]


def ranges(wanted: Callable[[str], object]) -> Iterator[list[int]]:
    """First and last of each run of code points that are wanted."""
    for found, group in groupby(range(sys.maxunicode + 1), lambda point: bool(wanted(chr(point)))):
        points = list(group)
        if found:
            yield [points[0], points[-1]]


def text() -> str:
    """The module."""
    folded = {c: c.casefold() for c in map(chr, range(sys.maxunicode + 1)) if c.casefold() != c.lower()}
    tables = {
        "combining": list(ranges(unicodedata.combining)),
        "invisible": list(ranges(_INVISIBLE.fullmatch)),
        "folded": folded,
        "images": {chr(one): chr(other) for one, other in _IMAGES.items() if isinstance(other, int)},
    }
    values = {name: json.dumps(table, separators=(",", ":")) for name, table in tables.items()}
    return _TEXT.format(version=unicodedata.unidata_version, kinds=json.dumps(runs()), **values)


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
