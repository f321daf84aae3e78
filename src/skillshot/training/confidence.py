"""Calibration: from evidence to the probability that a demonstration needs the same procedure, without labels.

The pairs are cross-fitted questions of the bank with the rows that would be chosen for them. Whether two rationales
are of the same procedure is decided by their similarity: `SAME` for all banks, so that confidence compares banks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skillshot.common.arrays import Doubles, Floats
from skillshot.common.evidence import evidence
from skillshot.training.blend import K, Similarities, best

# similarity from which two rationales are of one procedure. Thresholds for each bank were tried: they split one
# procedure in two where all near rows are right (docs/results/doubt.md)
SAME = 0.6
FEWEST = 20  # questions below which nothing is calibrated
NEAR = 64  # candidates, as in a selection
STEPS = np.linspace(0, 1, 101)  # quantiles that are kept
NEVER = np.float32(-1e3)  # score of the row itself among the candidates, so that it is no likely one
LEAST = 0.05  # standard deviation of the evidence, at least: below it a slope would be one of noise
FLATTEST = 0.1  # least rise of the log odds with a standard deviation of evidence, so that confidence always ranks


@dataclass(frozen=True)
class Calibration:
    """Logistic curve, sigmoid(offset + slope * evidence), and quantiles of the nearest question's similarity.

    Without `near` nothing is calibrated, and each probability is a half.
    """

    offset: float = 0.0
    slope: float = 0.0
    near: tuple[float, ...] = ()


def calibrate(found: Similarities, target: Floats, wording: float, sentence: float, doubt: float) -> Calibration:
    """Logistic regression of "same procedure" on the evidence for the chosen rows (Platt, 1999), with a unit penalty.

    Args:
        found: similarities of m questions to the n rows of the bank.
        target: (n, t) structure of the rows.
        wording, sentence: share of the wording in the score, and the sentence embedding's part of it.
        doubt: variance of the prediction, in units of the score.
    """
    scores = found.score(wording, sentence)
    if len(scores) < FEWEST or scores.shape[1] <= K:
        return Calibration()
    from sklearn.linear_model import LogisticRegression

    chosen, near = best(scores), best(scores, NEAR)
    likely = np.take_along_axis(np.where(found.same, NEVER, scores), near, 1)
    similar = target[chosen] @ target[near].swapaxes(1, 2)
    at = evidence(np.take_along_axis(scores, chosen, 1), likely, similar, doubt).ravel()
    same = np.take_along_axis(found.truth, chosen, 1).ravel() >= SAME
    # one failure and one success at the ends: a bank without either still ranks its rows
    at, same = np.append(at, [at.min(), at.max()]), np.append(same, [False, True])
    centre, scale = float(at.mean()), max(float(at.std()), LEAST)
    fitted = LogisticRegression().fit(((at - centre) / scale)[:, None], same)
    slope = max(FLATTEST, float(fitted.coef_[0, 0])) / scale
    nearest = np.take_along_axis(np.where(found.same, -2, found.nearest), near, 1).max(1)
    offset = float(fitted.intercept_[0]) - slope * centre
    return Calibration(round(offset, 5), round(slope, 5), _plain(np.quantile(nearest, STEPS)))


def _plain(values: Doubles) -> tuple[float, ...]:
    # a prediction may be longer than 1; the manifest holds what a similarity can be
    return tuple(round(float(value), 5) for value in np.clip(values, -2, 2))
