"""The networks of a skill CVAE: posterior q(z|Q,R), policy pi(z|Q) and decoder p(R|z,Q)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAK = 0.2  # slope of LeakyReLU below 0, as in LaRS


class Standardise(nn.Module):
    """Centre each input and divide it by the mean standard deviation of its features, then concatenate.

    Raw unit embeddings have so little variance that the KL term dominates and the latent collapses.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(sum(widths)))
        self.register_buffer("scale", torch.ones(sum(widths)))
        self.widths = tuple(widths)

    @classmethod
    def of(cls, inputs: Sequence[Tensor], *, scale: bool = True) -> Standardise:
        """Learn the statistics of a bank's inputs, each float (n, d_i); `scale=False` leaves them as they are."""
        module = cls([x.shape[1] for x in inputs])
        if scale:
            module.centre.copy_(torch.cat([x.mean(0) for x in inputs]))
            deviations = [x.std(0, correction=0).mean().clamp_min(1e-6).expand(x.shape[1]) for x in inputs]
            module.scale.copy_(torch.cat(deviations))
        return module

    def forward(self, *inputs: Tensor) -> Tensor:
        """Inputs (n, d_i) to one (n, sum of d_i)."""
        joined: Tensor = (torch.cat(inputs, dim=1) - self.centre) / self.scale
        return joined


class Dropout(nn.Module):
    """Dropout (Srivastava et al., 2014) of a share of the units, rounded to 1/256.

    It draws one byte per unit, from its own generator. torch's dropout takes a third of a training step on a CPU, and
    draws only from the global generator.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.dropped = round(share * 256)
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and self.dropped):
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device)
        draws = words.random_(-(2**63), None, generator=self.generator).view(torch.uint8)[: x.numel()]
        return x * (draws.view_as(x) >= self.dropped) * (256 / (256 - self.dropped))


def perceptron(width: int, hidden: int, layers: int, dropout: float) -> nn.Sequential:
    """Hidden layers with LeakyReLU as in LaRS, and with dropout because banks are small."""
    parts: list[nn.Module] = []
    for _ in range(layers):
        parts += [nn.Linear(width, hidden), nn.LeakyReLU(LEAK), Dropout(dropout)]
        width = hidden
    return nn.Sequential(*parts)


class Gaussian(nn.Module):
    """A diagonal Gaussian over z: mean and log-variance, both (n, latent)."""

    def __init__(self, width: int, latent: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.body = perceptron(width, hidden, layers, dropout)
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x)
        # under bf16 only the matrix products are rounded
        return self.mean(h).float(), self.log_variance(h).float().clamp(-8.0, 8.0)


@dataclass(frozen=True)
class Loss:
    """Batch means of the negative ELBO, its reconstruction error (sum of squares) and its KL (sum over latents)."""

    total: Tensor
    reconstruction: Tensor
    kl: Tensor


def gaussian_kl(mean_q: Tensor, log_q: Tensor, mean_p: Tensor, log_p: Tensor) -> Tensor:
    """KL(q || p) of diagonal Gaussians per latent dimension, (n, latent)."""
    ratio = (log_q - log_p).exp() + (mean_q - mean_p).square() * (-log_p).exp()
    return 0.5 * (ratio - 1 - log_q + log_p)


class SkillCVAE(nn.Module):
    """Conditional VAE whose learned prior is the reasoning policy (LaRS, arXiv 2312.04684, section 3).

    `conditional`: the decoder reads the question together with z, as in the paper. Otherwise z alone must explain the
    rationale, so that z, by which demonstrations are compared, also holds what the question reveals of the rationale.
    """

    def __init__(
        self,
        question: Standardise,
        rationale: Standardise,
        latent: int,
        hidden: int,
        layers: int,
        dropout: float,
        conditional: bool = True,
    ) -> None:
        super().__init__()
        self.question, self.rationale = question, rationale
        self.sizes = {
            "latent": latent,
            "hidden": hidden,
            "layers": layers,
            "dropout": dropout,
            "conditional": conditional,
        }
        self.conditional = conditional
        self.generator: torch.Generator | None = None
        q, r = sum(question.widths), sum(rationale.widths)
        self.posterior = Gaussian(q + r, latent, hidden, layers, dropout)
        self.policy = Gaussian(q, latent, hidden, layers, dropout)
        self.decoder = nn.Sequential(
            perceptron(latent + q * conditional, hidden, layers, dropout), nn.Linear(hidden, r)
        )

    def draw_from(self, generator: torch.Generator | None) -> None:
        """Draw the noise of the latent and of dropout from this generator; None: from torch's global one."""
        self.generator = generator
        for module in self.modules():
            if isinstance(module, Dropout):
                module.generator = generator

    def decode(self, z: Tensor, q: Tensor) -> Tensor:
        """Expected standardised rationale view (n, dr) for z (n, latent) and q (n, dq)."""
        out: Tensor = self.decoder(torch.cat([z, q], 1) if self.conditional else z)
        return out.float()

    def loss(self, q: Tensor, r: Tensor, beta: float, *, published_noise: bool = False) -> Loss:
        """Negative ELBO of standardised batches q (n, dq) and r (n, dr).

        `published_noise` reproduces the fault of the published code, `mean + log_var * eps`.
        """
        mean_q, log_q = self.posterior(torch.cat([q, r], 1))
        mean_p, log_p = self.policy(q)
        noise = torch.empty_like(mean_q).normal_(generator=self.generator)
        z = mean_q + (log_q if published_noise else (0.5 * log_q).exp()) * noise
        error = (self.decode(z, q) - r).square().sum(1).mean()
        kl = gaussian_kl(mean_q, log_q, mean_p, log_p).sum(1).mean()
        return Loss(error + beta * kl, error, kl)


class PolicyHead(nn.Module):
    """Query side: raw inputs to unit rows (n, latent)."""

    def __init__(self, inputs: Standardise, policy: Gaussian) -> None:
        super().__init__()
        self.inputs, self.policy = inputs, policy

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.normalize(self.policy(self.inputs(*inputs))[0], dim=1)


class PosteriorHead(nn.Module):
    """Bank side: raw question inputs, then raw rationale inputs, to unit rows (n, latent)."""

    def __init__(self, question: Standardise, rationale: Standardise, posterior: Gaussian) -> None:
        super().__init__()
        self.question, self.rationale, self.posterior = question, rationale, posterior

    def forward(self, *inputs: Tensor) -> Tensor:
        n = len(self.question.widths)
        joined = torch.cat([self.question(*inputs[:n]), self.rationale(*inputs[n:])], 1)
        return functional.normalize(self.posterior(joined)[0], dim=1)
