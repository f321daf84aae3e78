"""Diversify near ties: of demonstrations with about equal scores, take those that are least similar.

The nearest rows to a predicted skill often have the same phrasing. Within a margin below the precision of the scores,
diversity costs no alignment and shows the language model several phrasings (docs/results/llm.md).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skillshot.common.arrays import Floats, Rows

CANDIDATES = 64  # best rows that are considered, also where more are nearly tied


def diversify(scores: Floats, vectors: Floats, rows: Rows, margin: float) -> Iterator[int]:
    """Positions in order of choice: the best, then farthest first among near ties (Gonzalez, 1985).

    Args:
        scores: (n,) best first.
        vectors: (m, z) unit rows of the bank.
        rows: (n,) row numbers of the candidates in the bank.
        margin: cosine below the best score within which scores count as equal (0: plain order by score).

    Yields:
        every position once; those outside the margin last, by score.
    """
    near = int(np.count_nonzero(scores >= scores[0] - margin)) if len(scores) and margin > 0 else 0
    if near > 2:
        ties = vectors[rows[:near]].astype(np.float32)
        closest, place = np.full(near, -np.inf, np.float32), 0
        for _ in range(near):
            yield place
            np.maximum(closest, ties @ ties[place], out=closest)
            closest[place] = np.inf  # taken
            place = int(closest.argmin())
    else:
        near = 0
    yield from range(near, len(scores))
