"""Paired comparisons of two selectors on the same queries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Doubles
from skillshot.common.intervals import Interval, bootstrap

__all__ = ["Interval", "bootstrap", "compare", "queries_needed", "sign_test"]


def sign_test(differences: npt.ArrayLike) -> float:
    """Two-sided exact p-value that positive and negative differences are equally likely; ties do not count.

    On right/wrong answers this is McNemar's exact test (McNemar 1947).
    """
    from scipy.stats import binomtest

    x: Doubles = np.asarray(differences, np.float64)
    up, down = int((x > 0).sum()), int((x < 0).sum())
    return float(binomtest(up, up + down).pvalue) if up + down else 1.0


def compare(
    first: npt.ArrayLike, second: npt.ArrayLike, seed: int, resamples: int, confidence: float
) -> dict[str, Any]:
    """`first` minus `second`, paired: {"diff", "low", "high", "p"}."""
    differences = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    interval = bootstrap(differences, seed, resamples, confidence)
    return {
        "diff": round(interval.mean, 6),
        "low": round(interval.low, 6),
        "high": round(interval.high, 6),
        "p": round(sign_test(differences), 6),
    }


def queries_needed(
    differences: npt.ArrayLike, effect: float, power: float = 0.8, confidence: float = 0.95
) -> int | None:
    """Queries at which a paired mean difference of `effect` is found with the given power.

    n = ((z_conf + z_power) * sd / effect)^2 (normal approximation, paired). None where the sample has no spread.
    """
    from statistics import NormalDist

    x: Doubles = np.asarray(differences, np.float64)
    if len(x) < 2 or not (spread := float(x.std(ddof=1))):
        return None
    z = NormalDist().inv_cdf(0.5 + confidence / 2) + NormalDist().inv_cdf(power)
    return math.ceil((z * spread / effect) ** 2)
