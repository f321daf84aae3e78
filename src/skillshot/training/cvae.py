"""Build, train and check one skill CVAE on given views of question and rationale."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from skillshot.common.arrays import Floats
from skillshot.common.params import TrainParams
from skillshot.model.nets import SkillCVAE, Standardise
from skillshot.training.diagnostics import diagnose, guard
from skillshot.training.loop import to_device, train

_GLOBAL_DRAWS = threading.Lock()  # torch draws initial weights from its global generator


@dataclass(frozen=True)
class Trained:
    """A CVAE on the CPU in evaluation mode, its history and its diagnostics, both labelled with its name."""

    model: SkillCVAE
    history: list[dict[str, Any]]
    diagnostics: dict[str, float]


def fit_cvae(
    question: Sequence[Floats],
    rationale: Sequence[Floats],
    settings: TrainParams,
    seed: int,
    name: str,
    work: Path | None = None,
    *,
    conditional: bool,
    standardised: bool = True,
    published_noise: bool = False,
    halt: threading.Event | None = None,
) -> Trained:
    """Train a CVAE on views (n, d_i) of the question and of the rationale.

    Args:
        conditional: whether the decoder reads the question and z (the paper), or z alone.
        standardised, published_noise: switches that reproduce faults of the published code.
        halt: set by another thread to end training.

    Raises:
        CollapseError: the latent carries no information.
    """
    q, r = to_device(question, settings.device), to_device(rationale, settings.device)
    with _GLOBAL_DRAWS, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        views = [Standardise.of([x.cpu() for x in side], scale=standardised) for side in (q, r)]
        model = SkillCVAE(
            views[0], views[1], settings.latent_dim, settings.hidden, settings.layers, settings.dropout, conditional
        )
    model.to(q[0].device)
    rows_q, rows_r = model.question(*q), model.rationale(*r)
    progress = train(
        model, rows_q, rows_r, settings, seed, label=name, work=work, published_noise=published_noise, halt=halt
    )
    found = diagnose(model, rows_q, rows_r, seed)
    guard(found, settings.min_gap, name)
    prefix = "" if name == "skillshot" else f"{name}_"
    diagnostics = {f"{prefix}{key}": value for key, value in found.items()}
    diagnostics[f"{prefix}epochs"] = float(progress.epoch)
    return Trained(model.cpu().eval(), [{"model": name, **row} for row in progress.history], diagnostics)
