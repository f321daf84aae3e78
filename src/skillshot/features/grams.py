"""n-grams of a text as 64-bit integers. No string is built, so a question is read in a tenth of a millisecond.

The code of a token is a hash of its string, or of its shape in a channel that masks it. The code of a run of tokens is
the polynomial code * ODD + next code modulo 2^64 (Karp & Rabin, 1987), computed for all channels and all starts in one
array operation. Each further occurrence of a gram in a text has its own code (unary counts).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Rows
from skillshot.features.channels import Channel, read
from skillshot.features.tokens import MOST, shape, skeleton

Codes = npt.NDArray[np.uint64]

ODD = np.uint64(0x9E3779B97F4A7C15)
AGAIN = np.uint64(0xD1342543DE82EF95)  # added for each earlier occurrence of the same gram
RUNS = (
    "all",
    "head",
    "rest",
    "letters",
    "head letters",
)  # parts whose grams are runs of tokens; other channels give strings
UNKNOWN = "  "  # no token has a space, so grams with it match nothing
CHUNK = 2000  # texts whose grams are counted at once
_LAST = np.uint64(2**64 - 1)  # sorts behind every code
MASK = " "  # prefix of a shape, so that it differs from every token


@lru_cache(maxsize=2**14)  # the grams of equations repeat
def code(text: str) -> int:
    """64-bit hash of a string, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def salted(codes: Codes, channel: int) -> Codes:
    """Codes made specific to a channel by the finaliser of SplitMix64 (Steele et al., 2014)."""
    x = codes + np.uint64((channel + 1) * int(ODD) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class _Rows(dict[str, int]):
    """Token -> its row in a table of codes; an unknown word has the row of its shape, an unknown sign row 0."""

    def __missing__(self, token: str) -> int:
        # the sign `_` is treated as the shape of a masked word
        return self.get(MASK + (shape(token) if token[0].isalpha() else token), 0)


@dataclass(frozen=True)
class _Group:
    """Channels that read the same tokens, longest n-gram first; row i of `table` (channels, tokens) is channels[i]."""

    part: str
    channels: tuple[int, ...]
    reach: tuple[int, ...]  # number of channels with grams of 2, 3, ... tokens
    table: Codes


class GramReader:
    """Reads texts through channels: text -> codes of its grams.

    vocabulary: the bank's tokens that keep their own code; any other word has the code of its shape.
    """

    def __init__(self, channels: Sequence[Channel], shares: Mapping[str, float], vocabulary: Iterable[str]) -> None:
        self.channels, self._shares = tuple(channels), shares
        shapes = sorted({shape("stem" + ending) for ending in ("", "ing", "ed", "ly", "es", "er", "s")})
        names = [UNKNOWN, *(MASK + form for form in shapes), *sorted(vocabulary)]
        self._rows = _Rows({name: row for row, name in enumerate(names)})
        self._groups = []
        for part in RUNS:
            of_part = [i for i, channel in enumerate(self.channels) if channel.part == part]
            if of_part:
                self._groups.append(self._group(part, sorted(of_part, key=lambda i: -self.channels[i].longest), names))
        self._others = [i for i, channel in enumerate(self.channels) if channel.part not in RUNS]

    def _group(self, part: str, members: list[int], names: Sequence[str]) -> _Group:
        plain = [UNKNOWN if name[0] == " " else name for name in names]
        longest = self.channels[members[0]].longest
        reach = tuple(sum(self.channels[i].longest >= n for i in members) for n in range(2, longest + 1))
        table = []
        for i in members:
            read = plain
            if self.channels[i].least:
                read = skeleton([name.lstrip() or UNKNOWN for name in names], self._shares, self.channels[i].least)
            table.append(salted(np.array([code(token) for token in read], np.uint64), i))
        return _Group(part, tuple(members), reach, np.array(table))

    def read(self, text: str) -> Codes:
        """Codes of all distinct grams of a text, in no particular order."""
        found = [block.ravel() for group in self._groups for block in self._runs(group, text)]
        found += [np.zeros(0, np.uint64)]
        codes = np.concatenate(found)
        codes.sort()
        return np.concatenate([_numbered(codes), *(self._strings(i, text) for i in self._others)])

    def batch(self, texts: Sequence[str]) -> tuple[Codes, Rows]:
        """What `read` gives of each text, one after the other, and how many codes each text has, (n,).

        An array operation reads all texts. They are filled up to the longest: give texts of about the same length.
        """
        blocks = [np.zeros((len(texts), 0), np.uint64)]
        counts = np.zeros(len(texts), np.intp)
        for group in self._groups:
            rows = [list(map(self._rows.__getitem__, read(text, group.part))) for text in texts]
            lengths = np.array([len(row) if len(row) > 2 else 0 for row in rows])  # 2: only the begin and end marks
            longest = int(lengths.max(initial=0))
            if not longest:
                continue
            ids = np.array([row + [0] * (longest - len(row)) for row in rows])
            block = single = group.table[:, ids]
            for n, channels in enumerate((len(group.channels), *group.reach[: longest - 1])):
                if n:
                    block = block[:channels, :, :-1] * ODD + single[:channels, :, n:]
                run = block.copy()
                run[:, np.arange(run.shape[2]) >= (lengths - n)[:, None]] = _LAST
                blocks.append(run.transpose(1, 0, 2).reshape(len(texts), -1))
                counts += channels * np.maximum(lengths - n, 0)
        codes = np.concatenate(blocks, axis=1)
        codes.sort(axis=1)
        counted, times = ranked(codes[np.arange(codes.shape[1]) < counts[:, None]], np.cumsum(counts)[:-1])
        if times.max(initial=0) >= MOST:
            owner = np.repeat(np.arange(len(texts)), counts)[times < MOST]
            counted, counts = counted[times < MOST], np.bincount(owner, minlength=len(texts))
        for i in self._others:
            found = [list(self.channels[i].grams(text, self._shares)) for text in texts]
            strings = salted(np.array([code(gram) for gram in chain.from_iterable(found)], np.uint64), i)
            more = np.array([len(grams) for grams in found])
            counted, counts = np.insert(counted, np.repeat(np.cumsum(counts), more), strings), counts + more
        return counted, counts

    def sources(self, text: str) -> tuple[Codes, npt.NDArray[np.uint32]]:
        """The codes that `read` returns, and the channel of each code."""
        found = [
            (block.ravel(), np.repeat(np.array(group.channels[: len(block)], np.uint32), block.shape[1]))
            for group in self._groups
            for block in self._runs(group, text)
        ]
        found += [
            (codes, np.full(len(codes), i, np.uint32)) for i in self._others for codes in [self._strings(i, text)]
        ]
        found += [(np.zeros(0, np.uint64), np.zeros(0, np.uint32))]
        codes, channels = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.argsort(codes, kind="stable")
        codes, times = ranked(codes[order])
        return codes[times < MOST], channels[order][times < MOST]

    def placed(self, text: str) -> Iterator[tuple[str, int, Codes]]:
        """Where the runs of tokens are: (part, length n, codes), the codes of runs by channel and first token.

        A code is that of the gram's first occurrence in the text, also for a further one (`ranked`).
        """
        for group in self._groups:
            yield from ((group.part, n, block) for n, block in enumerate(self._runs(group, text), 1))

    def _runs(self, group: _Group, text: str) -> list[Codes]:
        """Codes of runs of 1, 2, ... tokens, each (channels with such runs, starts)."""
        tokens = read(text, group.part)
        if len(tokens) < 3:  # only the begin and end marks
            return []
        single = group.table[:, list(map(self._rows.__getitem__, tokens))]
        blocks = [single]
        for n, channels in enumerate(group.reach[: len(tokens) - 1], 1):
            blocks.append(blocks[-1][:channels, :-1] * ODD + single[:channels, n:])
        return blocks

    def _strings(self, i: int, text: str) -> Codes:
        return salted(np.array([code(gram) for gram in self.channels[i].grams(text, self._shares)], np.uint64), i)


def ranked(codes: Codes, starts: Rows | None = None) -> tuple[Codes, npt.NDArray[np.intp]]:
    """Sorted codes, each shifted by the number of equal codes before it, and that number.

    starts: where the codes of further texts begin, which are counted on their own.
    """
    place = np.arange(len(codes))
    first = np.empty(len(codes), bool)
    first[:1] = True
    np.not_equal(codes[1:], codes[:-1], out=first[1:])
    if starts is not None:
        first[starts[starts < len(codes)]] = True
    times = place - np.maximum.accumulate(np.where(first, place, 0))
    return codes + times.astype(np.uint64) * AGAIN, times


def _numbered(codes: Codes) -> Codes:
    codes, times = ranked(codes)
    return codes[times < MOST] if len(times) and times.max() >= MOST else codes


def shared(
    reader: GramReader, texts: Sequence[str], rarest: int
) -> tuple[Codes, npt.NDArray[np.intp], npt.NDArray[np.uint32]]:
    """Sorted codes that at least `rarest` texts contain, the number of those texts, and the channel of each code."""
    keys, frequency, channels = np.zeros(0, np.uint64), np.zeros(0, np.intp), np.zeros(0, np.uint32)
    for start in range(0, len(texts), CHUNK):
        read = [reader.sources(text) for text in texts[start : start + CHUNK]]
        new, first, times = np.unique(
            np.concatenate([codes for codes, _ in read]), return_index=True, return_counts=True
        )
        of_new = np.concatenate([of for _, of in read])[first]
        keys, first, place = np.unique(np.concatenate([keys, new]), return_index=True, return_inverse=True)
        total = np.zeros(len(keys), np.intp)
        np.add.at(total, place, np.concatenate([frequency, times]))
        frequency, channels = total, np.concatenate([channels, of_new])[first]
    kept = frequency >= rarest
    return keys[kept], frequency[kept], channels[kept]
