"""The ridge baseline, which predicts the rationale's embedding from the question's, as two small modules."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


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
    """Raw rationale embedding to the centred unit row that a ridge query is compared with."""

    centre: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(width))

    def forward(self, r: Tensor) -> Tensor:
        return functional.normalize(r - self.centre, dim=1)
