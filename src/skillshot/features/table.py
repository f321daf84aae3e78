"""The known n-grams of a view, found by their codes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats
from skillshot.features.grams import Codes


class GramTable:
    """n-grams by their codes.

    A binary search would miss the CPU cache at each step. Codes are uniform, so their leading bits give the position to
    within one or two. One row holds everything about an n-gram, so that it is in one cache line.
    """

    def __init__(self, keys: Codes, weights: Floats, slots: npt.NDArray[np.uint32], buckets: int) -> None:
        bits = max(1, len(keys).bit_length())
        self._shift = np.uint64(64 - bits)
        first = np.arange(2**bits, dtype=np.uint64) << self._shift
        self._starts = keys.searchsorted(first).astype(np.uint32)
        self._rows = np.zeros(len(keys) + 1, [("key", "<u8"), ("weight", "<f4"), ("bucket", "<u2"), ("channel", "<u2")])
        self._rows["key"] = np.append(keys, np.uint64(2**64 - 1))  # sentinel, where every search ends
        self._rows["weight"][:-1] = weights
        self._rows["channel"][:-1], self._rows["bucket"][:-1] = np.divmod(slots, buckets)

    def find(self, codes: Codes) -> npt.NDArray[np.void]:
        """Rows (key, weight, bucket, channel) of the known codes, in the order of `codes`."""
        keys = self._rows["key"]
        at = self._starts[codes >> self._shift].astype(np.intp)
        behind = keys[at] < codes
        while behind.any():
            at += behind
            behind = keys[at] < codes
        known = keys[at] == codes
        known &= at < len(keys) - 1
        found: npt.NDArray[np.void] = self._rows[at[known]]
        return found
