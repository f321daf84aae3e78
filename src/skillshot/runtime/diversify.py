"""Near ties are broken by variety: of demonstrations that fit equally well, those that are least similar.

The nearest rows to a predicted skill tend to be one turn of phrase four times over. Within a margin smaller than what
the scores can tell, variety costs no alignment and shows the language model several wordings (docs/results/llm.md).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skillshot.common.arrays import Floats, Rows

CANDIDATES = 64  # rows looked at: a near tie of more is cut to the best


def spread(scores: Floats, vectors: Floats, rows: Rows, margin: float) -> Iterator[int]:
    """Positions in the order in which they should be taken: the best, then farthest first (Gonzalez, 1985).

    Args:
        scores: (n,) best first; vectors: (m, z) unit rows of the bank; rows: (n,) where the candidates lie in it;
            margin: cosine below the best score within which all count as equal (0: plain order by score).

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
