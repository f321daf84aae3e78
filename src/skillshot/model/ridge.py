"""Closed-form ridge from a question's embedding to its rationale's: the baseline that must always be shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

Floats = npt.NDArray[np.float32]
GRID = tuple(10.0**power for power in np.arange(-4, 4.5, 0.5))


class Ridge(nn.Module):
    """Raw question features (n, d) to the unit vector (n, t) of their predicted target."""

    centre: Tensor
    weight: Tensor
    offset: Tensor

    def __init__(self, width: int, target: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("weight", torch.zeros(width, target))
        self.register_buffer("offset", torch.zeros(target))

    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize((x - self.centre) @ self.weight + self.offset, dim=1)


class RidgeBank(nn.Module):
    """Raw rationale embedding to the unit row that a ridge query is compared with: centred, nothing else."""

    centre: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(width))

    def forward(self, r: Tensor) -> Tensor:
        return functional.normalize(r - self.centre, dim=1)


def solve(x: Floats, y: Floats) -> tuple[Floats, float]:
    """Weights (d, t) of centred x (n, d) to centred y (n, t), and the regulariser that leave-one-out chose.

    Leave-one-out residuals in closed form: (y - Hy) / (1 - diag H), H the hat matrix (Golub, Heath and
    Wahba 1979; exact, not the GCV average), from one eigendecomposition of x'x.
    """
    x64, y64 = x.astype(np.float64), y.astype(np.float64)
    values, vectors = np.linalg.eigh(x64.T @ x64)
    values = values.clip(0)
    turned = x64 @ vectors
    cross = turned.T @ y64
    unit = float(values.mean()) or 1.0
    best, chosen = np.inf, GRID[-1]
    for share in GRID:
        shrink = 1 / (values + share * unit)
        leverage = (turned**2 @ shrink).clip(0, 1 - 1e-9)
        residual = (y64 - turned @ (shrink[:, None] * cross)) / (1 - leverage)[:, None]
        error = float((residual**2).mean())
        if error < best:
            best, chosen = error, share
    weights = vectors @ ((1 / (values + chosen * unit))[:, None] * cross)
    return weights.astype(np.float32), float(chosen * unit)


def fit_ridge(question: Floats, rationale: Floats) -> tuple[Ridge, RidgeBank, float]:
    """The ridge baseline on raw embeddings (n, d) and (n, t); also the regulariser chosen."""
    q, r = question.mean(0), rationale.mean(0)
    weights, chosen = solve(question - q, rationale - r)
    ridge, bank = Ridge(question.shape[1], rationale.shape[1]), RidgeBank(rationale.shape[1])
    ridge.centre.data = torch.from_numpy(q)
    ridge.weight.data = torch.from_numpy(weights)
    bank.centre.data = torch.from_numpy(r)
    return ridge, bank, chosen
