"""Near-duplicate groups: questions that are identical, equal when masked, near duplicates, or in one declared group.

MinHash after Broder (1997) with datasketch's hash family; banding as in Leskovec, Rajaraman and Ullman, Mining of
Massive Datasets, chapter 3. The MinHash loop is our own because it signs blocks of texts at once; datasketch takes one
text at a time. The signatures equal datasketch's (tests/bank/test_split.py).
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Sequence
from itertools import chain
from zlib import crc32

import numpy as np
import numpy.typing as npt

from skillshot.common.record import normalise_question
from skillshot.common.text import folded

PERMUTATIONS = 64
BLOCK = 512  # texts hashed at once: a few MB
DOUBT = 0.15  # error of an estimate (3 standard errors); closer to the threshold the exact similarity decides
RECALL = 0.98  # probability that a pair at the threshold becomes a candidate
_FILL = (0, 0, 0)
_FACTORS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], np.uint32)
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


class Grouper:
    """Collects questions one by one and then labels their groups; takes about 500 bytes per question.

    Args:
        near_duplicates: Jaccard similarity of masked 3-grams from which two questions form a group. 0 switches masking
            and near duplicates off; identical questions and declared groups remain.
    """

    def __init__(self, near_duplicates: float) -> None:
        self.threshold = near_duplicates
        self._questions, self._groups, self._masks = array("Q"), array("Q"), array("Q")
        self._signatures, self._hashes, self._starts = array("I"), array("I"), array("Q", [0])
        self._pending: list[str] = []
        if near_duplicates > 0:
            from datasketch import MinHash

            family = MinHash(num_perm=PERMUTATIONS, scheme="affine32")
            self._a, self._b = (np.asarray(p, np.uint32) for p in family.permutations)

    def __len__(self) -> int:
        return len(self._questions)

    def add(self, question: str, group: str = "") -> None:
        """Add the next question, with the group its source declares."""
        self._questions.append(_digest(normalise_question(question)))
        self._groups.append(_digest(group) if group else 0)
        if self.threshold > 0:
            masked = mask(question)
            self._masks.append(_digest(masked))
            self._pending.append(masked)
            if len(self._pending) == BLOCK:
                self._flush()

    def labels(self) -> npt.NDArray[np.int64]:
        """Group number of each question, (n,), in order of first appearance."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = len(self)
        edges = [_same(np.array(self._questions, np.uint64)), _same(np.array(self._groups, np.uint64), skip_zero=True)]
        if self.threshold > 0 and n:
            self._flush()
            masks = np.array(self._masks, np.uint64)
            edges += [_same(masks), self._near(masks)]
        pairs = np.concatenate(edges)
        ones = np.ones(len(pairs), np.int8)
        _, labels = connected_components(coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(n, n)), directed=False)
        _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[inverse]

    def digests(self) -> npt.NDArray[np.uint64]:
        """Digest of each normalised question, (n,)."""
        return np.array(self._questions, np.uint64)

    def _flush(self) -> None:
        if not self._pending:
            return
        hashes, starts = gram_hashes(self._pending)
        block = np.empty((len(starts), PERMUTATIONS), np.uint32)
        for j in range(PERMUTATIONS):
            block[:, j] = np.minimum.reduceat(hashes * self._a[j] + self._b[j], starts)
        self._signatures.frombytes(block.tobytes())
        self._hashes.frombytes(hashes.tobytes())
        self._starts.extend((starts[1:] + self._starts[-1]).tolist())
        self._starts.append(len(self._hashes))
        self._pending.clear()

    def _near(self, masks: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Pairs whose Jaccard similarity reaches the threshold, among the first question of each masked text."""
        _, first = np.unique(masks, return_index=True)
        first.sort()
        signatures = np.frombuffer(self._signatures, np.uint32).reshape(-1, PERMUTATIONS)
        rows = rows_per_band(self.threshold)
        found = [np.empty((0, 2), np.int64)]
        for start in range(0, PERMUTATIONS, rows):
            band = np.ascontiguousarray(signatures[first, start : start + rows])
            pairs = _same(_fold(band), neighbours=True)
            for i in range(0, len(pairs), 1 << 16):
                part = first[pairs[i : i + (1 << 16)]]
                estimate = (signatures[part[:, 0]] == signatures[part[:, 1]]).mean(1)
                similar = estimate >= self.threshold + DOUBT
                for k in np.flatnonzero(abs(estimate - self.threshold) < DOUBT):
                    similar[k] = self._jaccard(*part[k]) >= self.threshold
                found.append(part[similar])
        return np.concatenate(found)

    def _jaccard(self, i: int, j: int) -> float:
        a, b = (set(self._hashes[self._starts[k] : self._starts[k + 1]]) for k in (i, j))
        return len(a & b) / len(a | b)


def rows_per_band(threshold: float, permutations: int = PERMUTATIONS) -> int:
    """Most rows per band for which a pair at the threshold shares some band with probability RECALL."""
    fits = (
        rows
        for rows in (64, 32, 16, 8, 4, 2)
        if 1 - (1 - threshold**rows) ** (permutations // rows) >= RECALL and rows <= permutations
    )
    return next(fits, 1)


def _digest(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _fold(band: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """One 64-bit key per row of a band (FNV-1a over its columns)."""
    key = np.full(len(band), 0xCBF29CE484222325, np.uint64)
    for column in band.T:
        key = (key ^ column.astype(np.uint64)) * np.uint64(0x100000001B3)
    return key


def _same(keys: npt.NDArray[np.uint64], *, skip_zero: bool = False, neighbours: bool = False) -> npt.NDArray[np.int64]:
    """Pairs (i, earlier j) of equal keys: j is the key's first row; with `neighbours` also the one just before i."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    if not len(ranked):
        return np.empty((0, 2), np.int64)
    new = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    heads = np.maximum.accumulate(np.where(new, np.arange(len(ranked)), 0))
    keep = ~new & (ranked != 0) if skip_zero else ~new
    pairs = [np.stack([order[keep], order[heads[keep]]], 1)]
    if neighbours:
        places = np.flatnonzero(keep)
        pairs.append(np.stack([order[places], order[places - 1]], 1))
    return np.concatenate(pairs)


def mask(question: str) -> str:
    """A question with every number replaced by 0 and every capitalised word by N.

    Two versions of a problem with other names and numbers have the same masked text. Words all in capitals are not
    taken for names, so that a text in capitals does not become a row of N.
    """
    words = _WORD.findall(_NUMBER.sub("0", folded(question)))
    return " ".join([w if w.islower() else "N" if w[0].isupper() and not w.isupper() else w.casefold() for w in words])


def gram_hashes(masked: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Hashes of the word 3-grams of all texts, concatenated, and the position where each text's hashes begin.

    The Jaccard similarity is that of these sets of grams. A text of fewer than three words is padded, so that each
    text has at least one gram.
    """
    words = [text.encode("utf-8", "replace").split(b" ") for text in masked]
    padded = [[*map(crc32, w), *_FILL[len(w) :]] for w in words]
    ids = np.fromiter(chain.from_iterable(padded), np.uint32)
    ends = np.cumsum([len(w) for w in padded])
    whole = np.ones(len(ids), bool)
    whole[ends - 1] = whole[ends - 2] = False  # a gram may not reach into the next text
    at = np.flatnonzero(whole)
    # crc32 is linear, which would bias MinHash: each position has its own odd factor, and then all bits are mixed
    hashes = _mix(ids[at] * _FACTORS[0] + ids[at + 1] * _FACTORS[1] + ids[at + 2] * _FACTORS[2])
    return hashes, np.concatenate([[0], ends[:-1] - 2 * np.arange(1, len(ends))])


def _mix(h: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """MurmurHash3's finaliser."""
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))
