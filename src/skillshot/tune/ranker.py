"""Learn the weights of a score from pairs: which of two sets of demonstrations a language model found more useful."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skillshot.common.arrays import Doubles

PENALTY = 0.1  # on leaving the present weights; 1 pair counts 1
FREE = 1e-3  # on the length of the weights, without which pairs that all agree would have no finite optimum
LEAST = 0.01  # of the sentence, by whose similarity a foreign question is known (`blend.TRACE`)
TIE = 1e-9  # nats per token: a smaller difference has no better one


def learn(parts: Sequence[Doubles], nll: Sequence[Doubles], present: Doubles) -> Doubles:
    """Weights (p,) that sum to 1 and rank the sets of each question by their usefulness.

    The probability that set a is better than set b is sigmoid((a - b) @ v) (Bradley & Terry 1952; RankNet, Burges et
    al. 2005). Only the order counts, not by how much (LLM-R, arXiv 2307.07164, table 5). The penalty is the squared
    distance of v from a multiple of the present weights, in standard deviations of each part: any sharpness is free,
    another direction is not.

    Args:
        parts: for each question (s, p) what each of its s sets has of each part of the score.
        nll: for each question (s,) of the gold text after each set; lower is better.
        present: weights (p,) that sum to 1.
    """
    from scipy.optimize import minimize

    pairs = [_pairs(*one) for one in zip(parts, nll, strict=True)]
    pairs = [rows for rows in pairs if len(rows)]
    if not pairs:
        return present
    x = np.concatenate(pairs)
    # a question counts 1, however many pairs it has
    weight = np.concatenate([np.full(len(rows), 1 / len(rows)) for rows in pairs]) / len(pairs)
    spread = np.square(x).T @ weight

    def loss(at: Doubles) -> tuple[float, Doubles]:
        v, sharp = at[:-1], at[-1]
        margin, away = x @ v, v - sharp * present
        value = weight @ np.logaddexp(0, -margin) + (PENALTY * spread @ away**2 + FREE * spread @ v**2) / 2
        slope = x.T @ (-weight / (1 + np.exp(np.clip(margin, -500, 500))))
        pull = PENALTY * spread * away
        return float(value), np.append(slope + pull + FREE * spread * v, -pull @ present)

    start = np.append(present, 1.0)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start)).x[:-1]
    if not found.sum() > 0:
        return present
    weights = found / found.sum()
    weights[1] = max(weights[1], LEAST)
    return np.asarray(weights / weights.sum(), np.float64)


def _pairs(parts: Doubles, nll: Doubles) -> Doubles:
    """What the better one of two sets has more of, (pairs, p)."""
    better, worse = np.nonzero(nll[:, None] < nll[None, :] - TIE)
    return np.asarray(parts[better] - parts[worse], np.float64)
