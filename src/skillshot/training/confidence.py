"""Calibration: from a score to the probability that a demonstration needs the same procedure, without labels.

The pairs are cross-fitted questions of the bank with the rows that would be chosen for them. Whether two rationales
are of the same procedure is decided by their similarity: `SAME` for all banks, so that confidence compares banks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skillshot.common.arrays import Doubles
from skillshot.training.blend import K, Similarities, best

# similarity from which two rationales are of one procedure. A threshold for each bank, which splits its similarities
# best (Otsu), was tried: it splits one procedure in two where all near rows are right (docs/results/doubt.md)
SAME = 0.6
FEWEST = 20  # questions below which nothing is calibrated
KNOTS = 32  # of the curve, at most
NEAR = 64  # candidates among which the nearest question is looked for, as in a selection
STEPS = np.linspace(0, 1, 101)  # quantiles that are kept


@dataclass(frozen=True)
class Calibration:
    """A rising curve from scores `at` to probabilities `value`, and quantiles of the nearest question's similarity."""

    at: tuple[float, ...]
    value: tuple[float, ...]
    near: tuple[float, ...]


def calibrate(found: Similarities, wording: float, sentence: float) -> Calibration:
    """Isotonic regression of "same procedure" on the score of the chosen rows (Zadrozny & Elkan, 2002)."""
    scores = found.score(wording, sentence)
    count = len(scores)
    if count < FEWEST or scores.shape[1] <= K:
        return Calibration((), (), ())
    from sklearn.isotonic import IsotonicRegression

    chosen = best(scores)
    same = np.take_along_axis(found.truth, chosen, 1).ravel() >= SAME
    at = np.take_along_axis(scores, chosen, 1).ravel()
    # one success and one failure at the ends, so that no probability is exactly 0 or 1
    at = np.concatenate([at, [at.min(), at.max()]])
    curve = IsotonicRegression(y_min=0, y_max=1).fit(at, np.concatenate([same, [1, 0]]).astype(float))
    x, y = curve.X_thresholds_, curve.y_thresholds_
    kept = np.unique(np.linspace(0, len(x) - 1, min(KNOTS, len(x))).astype(int))
    wording_rows = np.where(found.same, -2, found.sentence)
    nearest = np.take_along_axis(wording_rows, best(scores, NEAR), 1).max(1)
    return Calibration(_plain(x[kept]), _plain(y[kept]), _plain(np.quantile(nearest, STEPS)))


def _plain(values: Doubles) -> tuple[float, ...]:
    # a prediction may be longer than 1; the manifest holds what a score can be
    return tuple(round(float(value), 5) for value in np.clip(values, -2, 2))
