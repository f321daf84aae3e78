"""What a column of a file looks like: shares and medians over the first rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from skillshot.bank.columns import plain_name
from skillshot.common.structure import is_procedure, words

QUERY = re.compile(r"(?i)\s*+(?:\(\s*+)?+(?:select|with|insert|update|delete|create)\s")
_NUMBER = re.compile(r"\s*[-+−]?[$€£¥₩]?\s?[0-9][0-9.,/]{0,40}\s?%?\s*")
_ASKS = ("?", "？", "؟", "⁇", "՞", "፧")  # marks that end a question
_IDENTITY = re.compile(
    r"(?:.*_)?(?:id|ids|uuid|guid|hash|index|idx|key|url|date|time|timestamp)|unnamed(?:_[0-9]+)?|split"
)
HEAD = 2000  # characters of a value that are looked at


@dataclass(frozen=True)
class Profile:
    """A column: shares of its values that are texts, numbers, truth values, lists, objects, SQL; that ask.

    Attributes:
        words: median of its texts. code: most texts are procedures. repeats: at most half of its values differ.
        constant: all are the same. rises: numbers that count rows. dull: it cannot be a field.
    """

    text: float
    number: float
    truth: float
    lists: float
    objects: float
    sql: float
    asks: float
    words: float
    code: bool
    repeats: bool
    constant: bool
    rises: bool
    dull: bool


def profiles(rows: Sequence[Mapping[str, Any]]) -> dict[str, Profile]:
    """Profiles of the columns that at least half of the rows fill, in order of appearance."""
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None and value != "":
                values.setdefault(name, []).append(value)
    return {name: _profile(name, cells) for name, cells in values.items() if 2 * len(cells) >= len(rows)}


def _profile(name: str, cells: Sequence[Any]) -> Profile:
    texts = [cell[:HEAD] for cell in cells if isinstance(cell, str)]
    numeric = [cell for cell in cells if _is_number(cell)]
    prose = [text for text in texts if not _NUMBER.fullmatch(text)]

    def share(count: int) -> float:
        return count / len(cells)

    different = len({str(cell)[:HEAD] for cell in cells})
    procedures = sum(map(is_procedure, prose))
    constant = different == 1 and len(cells) > 1
    rises = _rises(numeric) and len(numeric) == len(cells) > 2
    return Profile(
        text=share(len(prose)),
        number=share(len(numeric)),
        truth=share(sum(isinstance(cell, bool) for cell in cells)),
        lists=share(sum(isinstance(cell, list) for cell in cells)),
        objects=share(sum(isinstance(cell, Mapping) for cell in cells)),
        sql=share(sum(bool(QUERY.match(text)) for text in texts)),
        asks=share(sum(text.rstrip().endswith(_ASKS) for text in texts)),
        words=median(map(words, prose)) if prose else 0,
        code=bool(prose) and 2 * procedures >= len(prose),
        repeats=len(cells) >= 4 and 2 * different <= len(cells),
        constant=constant,
        rises=rises,
        dull=constant or rises or bool(_IDENTITY.fullmatch(plain_name(name))),
    )


def _is_number(cell: Any) -> bool:
    if isinstance(cell, str):
        return bool(_NUMBER.fullmatch(cell[:60]))
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _rises(numbers: Sequence[Any]) -> bool:
    """Whether numbers count: each is one more than the one before."""
    try:
        counted = [int(str(number)) for number in numbers]
    except ValueError:
        return False
    return all(after == before + 1 for before, after in pairwise(counted))
