"""Closed-form ridge from a question's embedding to its rationale's: the baseline that must always be shown."""

from __future__ import annotations

import numpy as np
import torch

from skillshot.common.arrays import Floats
from skillshot.model.ridge import Ridge, RidgeBank

GRID = tuple(10.0**power for power in np.arange(-4, 4.5, 0.5))  # penalties tried, in mean squared lengths of x


def solve(x: Floats, y: Floats) -> tuple[Floats, float]:
    """Weights (d, t) of centred x (n, d) to centred y (n, t), and the penalty with the least leave-one-out error.

    Scikit-learn's `RidgeCV`: exact leave-one-out residuals in closed form (Golub, Heath and Wahba 1979).
    """
    from sklearn.linear_model import RidgeCV

    x64, y64 = x.astype(np.float64), y.astype(np.float64)
    unit = float((x64**2).sum() / x64.shape[1]) or 1.0  # mean eigenvalue of x'x
    fitted = RidgeCV([share * unit for share in GRID], fit_intercept=False).fit(x64, y64)
    return np.atleast_2d(fitted.coef_).T.astype(np.float32), float(fitted.alpha_)


def fit_ridge(question: Floats, rationale: Floats) -> tuple[Ridge, RidgeBank, float]:
    """The ridge baseline on raw embeddings (n, d) and (n, t); also the regulariser chosen."""
    q, r = question.mean(0), rationale.mean(0)
    weights, chosen = solve(question - q, rationale - r)
    ridge, bank = Ridge(question.shape[1], rationale.shape[1]), RidgeBank(rationale.shape[1])
    ridge.centre.data = torch.from_numpy(q)
    ridge.weight.data = torch.from_numpy(weights)
    bank.centre.data = torch.from_numpy(r)
    return ridge, bank, chosen
