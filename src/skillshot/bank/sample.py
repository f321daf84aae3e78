"""The rows of each file behind its first ones, which decide how all of them are read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from skillshot.bank.guess import FIELDS_GUESSED, MOST, Guess, guess
from skillshot.bank.limits import MIB, why_refused
from skillshot.bank.rows import Raw

_BYTES = 16 * MIB  # of the texts of first rows
_LONGER = 100_000  # rows that are looked at where answers are places of options, counted from an unknown first


@dataclass(frozen=True)
class FilePart:
    """The rows of one file, in order, and how to read them."""

    file: str
    guess: Guess
    rows: Iterator[Raw]


def by_file(
    raws: Iterable[Raw], columns: Mapping[str, str], answered: bool, most: int, fields: Collection[str] = FIELDS_GUESSED
) -> Iterator[FilePart]:
    """The files of a stream of rows, one after the other; each must be consumed before the next.

    Args:
        columns, answered, most, fields: as `guess` has them.
    """
    rest = iter(raws)
    first = next(rest, None)
    while first is not None:
        held, size, after = [first], _size(first), None
        while len(held) < MOST and size < _BYTES and (after := next(rest, None)) is not None:
            if after.file != first.file:
                break
            held.append(after)
            size += _size(after)
            after = None
        found = guess(_rows(held), columns, answered, most, fields)
        # a bank that is sorted by answer shows only late whether a 0 occurs
        while found.unsettled and after is None and len(held) < _LONGER and size < 4 * _BYTES:
            more = len(held)
            while len(held) < 4 * more and size < 4 * _BYTES and (after := next(rest, None)) is not None:
                if after.file != first.file:
                    break
                held.append(after)
                size += _size(after)
                after = None
            if len(held) == more:
                break
            found = guess(_rows(held), columns, answered, most, fields)
        tail = _Tail(first.file, rest, after)
        yield FilePart(first.file, found, chain(held, tail))
        for _ in tail:  # what the caller left
            pass
        first = tail.after


class _Tail:
    """Further rows of a file, and the first one of the next file once they are at their end."""

    def __init__(self, file: str, rest: Iterator[Raw], after: Raw | None) -> None:
        self.file, self.rest, self.after = file, rest, after

    def __iter__(self) -> Iterator[Raw]:
        return self

    def __next__(self) -> Raw:
        if self.after is None:
            self.after = next(self.rest, None)
            if self.after is not None and self.after.file == self.file:
                found, self.after = self.after, None
                return found
        raise StopIteration


def _rows(raws: Iterable[Raw]) -> list[Mapping[str, Any]]:
    return [raw.row for raw in raws if not raw.reason and isinstance(raw.row, dict) and not why_refused(raw.row)]


def _size(raw: Raw) -> int:
    """About how many bytes a row holds."""
    size, values = 0, [raw.row]
    while values:
        value = values.pop()
        size += len(value) if isinstance(value, str) else 32
        if size > _BYTES:
            break
        if isinstance(value, Mapping):
            values.extend(value.values())
        elif isinstance(value, list | tuple):
            values.extend(value)
    return size
