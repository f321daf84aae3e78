"""Numbers of a slim bundle: multiples of a power of two, whose products and sums are exact in float32.

Coordinates of bank rows are whole multiples of `ROW`, those of queries of `QUERY`. A product is a multiple of 2^-20,
and a sum of products is at most the product of the lengths, 1 and 2: 22 bits of the 24 that float32 has. So a score
does not depend on the order of a sum: it is the same number in numpy, on any machine, and in a browser.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from skillshot.common import schema
from skillshot.common.arrays import Doubles, Floats
from skillshot.common.errors import BundleError

ROW, QUERY = 2.0**-8, 2.0**-12
MOST = 127  # of an 8-bit number


def whole_rows(vectors: Floats, signs: slice) -> npt.NDArray[np.int8]:
    """Rows (n, z) as whole numbers (n, z), int8.

    Args:
        signs: coordinates whose sign is read: a negative one is at least -1 (`StepNames.counts`).
    """
    whole: npt.NDArray[np.int8] = np.clip(np.rint(vectors / ROW), -MOST, MOST).astype(np.int8)
    part = whole[:, signs]
    part[(part == 0) & (vectors[:, signs] < 0)] = -1
    return np.ascontiguousarray(whole)


def read_rows(path: Path, count: int | None, width: int | None) -> Floats:
    """Skill vectors of a bank, unit rows (count, width); as they are stored, those of a slim bundle as float32.

    A slim bundle does not hold the last coordinate, which no query reads: it fills the row to length 1.

    Raises:
        BundleError: the file is damaged, or of another shape.
    """
    found = schema.read_array(path, [np.float32, np.float16, np.int8], (count, None))
    held = found.shape[1] + (found.dtype == np.int8)
    if width not in (None, held):
        raise BundleError(f"{path}: rows of {held}, not {width}; copy the bundle again")
    if found.dtype != np.int8:
        return found
    rows = np.empty((len(found), found.shape[1] + 1), np.float32)
    np.multiply(found, np.float32(ROW), out=rows[:, :-1])
    rows[:, -1] = np.sqrt(np.maximum(0, 1 - np.einsum("ij,ij->i", rows[:, :-1], rows[:, :-1])))
    return rows


def on_grid(queries: Doubles) -> Floats:
    """Queries (n, z), each coordinate rounded to a multiple of `QUERY`; halves to the even one."""
    return np.asarray(np.rint(queries / QUERY) * QUERY, np.float32)
