"""A question as the set of its masked word 3-grams, hashed: what near duplicates share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from zlib import crc32

import numpy as np
import numpy.typing as npt

_FILL = (0, 0, 0)
_FACTORS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], np.uint32)
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


def mask(question: str) -> str:
    """A question with every number as 0 and every capitalised word as N: what two retold twins share.

    Words all in capitals are no names: a shouted text must not become one long row of N.
    """
    words = _WORD.findall(_NUMBER.sub("0", question))
    return " ".join([w if w.islower() else "N" if w[0].isupper() and not w.isupper() else w.casefold() for w in words])


def gram_hashes(masked: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Hashes of the word 3-grams of each text, one after another, and where each text's begin.

    A text of fewer than three words is filled up, so each has at least one gram: the set whose Jaccard similarity
    is meant.
    """
    words = [text.encode("utf-8", "replace").split(b" ") for text in masked]
    padded = [[*map(crc32, w), *_FILL[len(w) :]] for w in words]
    ids = np.fromiter(chain.from_iterable(padded), np.uint32)
    ends = np.cumsum([len(w) for w in padded])
    whole = np.ones(len(ids), bool)
    whole[ends - 1] = whole[ends - 2] = False  # a gram may not reach into the next text
    at = np.flatnonzero(whole)
    # crc32 is linear, which MinHash must not see: each place has its own odd factor, and then all bits are mixed
    hashes = _mix(ids[at] * _FACTORS[0] + ids[at + 1] * _FACTORS[1] + ids[at + 2] * _FACTORS[2])
    return hashes, np.concatenate([[0], ends[:-1] - 2 * np.arange(1, len(ends))])


def _mix(h: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """MurmurHash3's finaliser."""
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))
