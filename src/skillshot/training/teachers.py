"""Whether another bank's rows teach a bank something: decided on the bank itself, without labels.

The bank is learned from alone and together with them, by words alone. Each of its questions gets four rows by either
cross-fitted score, and the similarity of their rationales to its own, as the bank alone describes them, is compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skillshot.common.arrays import Doubles, Floats
from skillshot.common.params import TrainParams
from skillshot.common.record import Record
from skillshot.training.blend import OWN, SAFE, best
from skillshot.training.crossfit import judged
from skillshot.training.learned import Learned, learn
from skillshot.training.lessons import Lessons
from skillshot.training.suspicion import FEWEST


def teach(bank: Sequence[Record], teachers: int, settings: TrainParams, seed: int) -> bool:
    """Whether the bank chooses better together with them, in the mean of its questions.

    A certain gain is not asked for: a small bank could not show one. Nor is a certain loss: that lets in too many.

    True without a comparison where nothing can be concluded: fewer than `FEWEST` rows, or no reasoning shown.

    Args:
        bank: records, of which the first, `teachers` many, are another bank's.
    """
    lessons, width = Lessons.of(bank, settings.prior, settings.rows, seed, teachers), settings.structure_dim
    first, texts = lessons.first, lessons.texts
    own = texts[0][first:], texts[1][first:]
    if lessons.source == "question" or len(own[0]) < FEWEST:
        return True
    alone = learn(*own, None, width, seed, doubtful=False)
    both = learn(*texts, None, width, seed, doubtful=False, teachers=first)
    rows, same = judged(own[0], seed)
    truth = alone.target[rows] @ alone.target.T

    def quality(learned: Learned, start: int) -> Doubles:
        asked = learned.seen["lite"][0][start:][rows]
        asked = asked / np.maximum(1, np.linalg.norm(asked, axis=1, keepdims=True))  # as a query is
        words = learned.words[start:]
        scores: Floats = (
            np.float32(1 - SAFE) * asked @ learned.target[start:].T + np.float32(SAFE) * words[rows] @ words.T
        )
        scores[same] = OWN
        return np.asarray(np.take_along_axis(truth, best(scores), 1).mean(1), np.float64)

    return float(quality(both, first).mean()) > float(quality(alone, 0).mean())
