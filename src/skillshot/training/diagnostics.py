"""Diagnostics of the latent and a guard against its collapse; no labels are needed."""

from __future__ import annotations

import torch
from torch import Tensor

from skillshot.common.errors import CollapseError
from skillshot.model.nets import SkillCVAE, gaussian_kl

ACTIVE = 0.01  # least variance over the bank of an active unit's posterior mean (Burda et al., 1509.00519)


@torch.no_grad()
def diagnose(model: SkillCVAE, question: Tensor, rationale: Tensor, seed: int) -> dict[str, float]:
    """Shuffled-z gap, active units, KL and posterior spread over standardised rows.

    shuffled_z_gap: relative increase of the reconstruction error with another example's z; 0 means collapse.
    """
    model.eval()
    mean_q, log_q = model.posterior(torch.cat([question, rationale], 1))
    mean_p, log_p = model.policy(question)
    own = (model.decode(mean_q, question) - rationale).square().sum(1).mean()
    shuffle = torch.randperm(len(question), generator=torch.Generator().manual_seed(seed)).to(question.device)
    other = (model.decode(mean_q[shuffle], question) - rationale).square().sum(1).mean()
    kl = gaussian_kl(mean_q, log_q, mean_p, log_p)
    return {
        "reconstruction": float(own),
        "reconstruction_shuffled": float(other),
        "shuffled_z_gap": float(other / own.clamp_min(1e-9) - 1),
        "active_units": float((mean_q.var(0) > ACTIVE).sum()),
        "kl": float(kl.sum(1).mean()),
        "posterior_std": float((0.5 * log_q).exp().mean()),
        "policy_std": float((0.5 * log_p).exp().mean()),
    }


def guard(found: dict[str, float], smallest_gap: float, name: str) -> None:
    """Refuse a collapsed latent.

    Raises:
        CollapseError: the shuffled-z gap is below `smallest_gap`, or is not a number.
    """
    if not found["shuffled_z_gap"] >= smallest_gap:
        raise CollapseError(
            f"train {name}: the latent collapsed: shuffled-z gap {found['shuffled_z_gap']:.2g} is below "
            f"train.min_gap {smallest_gap:g} (active units {found['active_units']:.0f}, KL {found['kl']:.3g})\n"
            f"lower train.beta, train longer (train.epochs), or give a larger bank"
        )
