"""Rows of new records, from a bundle's own model: nothing is trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.record import Record
from skillshot.selectors.pool import Pool
from skillshot.training.suspects import demote


def row_vectors(pool: Pool, sides: Iterable[str], records: Sequence[Record]) -> dict[str, Floats]:
    """Rows (n, z) of each side, `skillshot` among them; what is marked as wrong has the score 0."""
    vectors = {name: pool.bank_vectors(name, records) for name in sides}
    wrong = np.array([not record.correct for record in records], np.float64)
    demote(vectors["skillshot"], wrong)
    return vectors
