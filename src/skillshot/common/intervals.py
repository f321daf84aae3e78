"""The bootstrap interval of a mean, for every part that compares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Doubles

CHUNK = 2_000_000  # indices drawn at once: 16 MB


@dataclass(frozen=True)
class Interval:
    """Mean and its bootstrap interval; None where there is nothing to measure."""

    mean: float
    low: float
    high: float


def bootstrap(values: npt.ArrayLike, seed: int, resamples: int = 2000, confidence: float = 0.95) -> Interval:
    """Percentile interval of the mean of `values` (n,). Given paired differences it is a paired interval.

    Efron and Tibshirani 1993, ch. 13; two percentiles of the means of `resamples` draws with replacement, by scipy.

    Raises:
        ValueError: no values.
    """
    from scipy.stats import bootstrap as resample

    x: Doubles = np.asarray(values, np.float64)
    if x.ndim != 1 or not len(x):
        raise ValueError(f"bootstrap: expected a row of values, got shape {x.shape}")
    mean = float(x.mean())
    if len(x) == 1:  # scipy wants two
        return Interval(mean, mean, mean)
    found = resample(
        (x,),
        np.mean,
        n_resamples=resamples,
        batch=max(1, CHUNK // len(x)),
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high))
