"""Fit `skillshot`: the structure of the rationales, its closed-form prediction, the CVAE, and what each is worth."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skillshot.common.arrays import Doubles, Floats
from skillshot.common.errors import CollapseError
from skillshot.common.params import TrainParams
from skillshot.features.channels import QUESTION, RATIONALE
from skillshot.features.lexical import LexicalView
from skillshot.features.prior import Prior
from skillshot.features.rationale import RationaleView
from skillshot.model.arrays import Widths
from skillshot.model.combined import Skillshot
from skillshot.model.nets import SkillCVAE, Standardise
from skillshot.training.crossfit import Crossfit
from skillshot.training.cvae import fit_cvae
from skillshot.training.learned import Channels, learn

logger = logging.getLogger("skillshot")

NETWORK = 40  # rows from which the CVAE is trained


@dataclass(frozen=True)
class SkillParts:
    """The model, its views, the bank's lexical features (m, 2 t + w + e) and (m, t), and how it was judged.

    t are the columns of the structure: those of the skeleton and, where steps count, of the steps.

    wrong (n,): probability that a row's rationale is wrong. Of the n rows given the m are those below `BET`.
    """

    model: Skillshot
    question_view: LexicalView
    rationale_view: RationaleView
    question_lexical: Floats
    rationale_lexical: Floats
    history: list[dict[str, Any]]
    diagnostics: dict[str, float]
    crossfit: Crossfit
    wrong: Doubles


def fit_skillshot(
    questions: Sequence[str],
    rationales: Sequence[str],
    question: Floats,
    settings: TrainParams,
    seed: int,
    work: Path | None = None,
    *,
    reads: Channels = QUESTION,
    explains: Channels = RATIONALE,
    conditional: bool = False,
    without: Collection[str] = (),
    doubtful: bool = True,
    prior: Prior | None = None,
    teachers: int = 0,
) -> SkillParts:
    """Fit on n questions with their unit embeddings (n, d) and n rationales, n at least 1.

    What is learned in closed form is `learn`'s. A bank that is too small, or says too little, lacks the latent too.

    Args:
        reads, explains, without, doubtful, prior: see `learn`.
        conditional: whether the decoder also reads the question.

        teachers: how many questions, the first, are another bank's: nothing is judged on them.

    Only ablations set the keyword arguments, except `prior` and `teachers`.
    """
    learned = learn(
        questions, rationales, question, settings.structure_dim, seed,
        reads=reads, explains=explains, without=without, doubtful=doubtful, prior=prior, teachers=teachers,
    )  # fmt: skip
    axes, predicted, target = learned.axes, learned.seen["full"][0], learned.target * learned.weight
    assert axes is not None
    # cross-fitted predictions, so that the CVAE reads the same kind of input in training as for a new question
    cvae, history, diagnostics = _latent(predicted, target, settings, seed, work, conditional=conditional)
    crossfit = learned.judge(seed, latent=bool(history), teachers=teachers)

    t, w = target.shape[1], learned.words.shape[1]
    widths = Widths(t, settings.latent_dim, axes.sentence.shape[1], w, learned.steps)
    model = Skillshot(cvae, question.shape[1], len(axes.landmarks), widths)
    joint, offset = learned.joint * axes.scale, learned.offset
    values = {
        "target_centre": learned.centre,
        "target_weight": learned.weight,
        "step_share": np.array([learned.step_share], np.float32),
        "sentence_centre": axes.centre,
        "sentence_directions": axes.directions,
        "words_offset": offset[t : t + w],
        "lite_offset": offset[t + w : 2 * t + w],
        "lite_sentence_offset": offset[2 * t + w :],
        **{f"{mode}_shares": np.array(of.shares.numbers, np.float32) for mode, of in crossfit.modes.items()},
    }
    for name, array in values.items():
        getattr(model, name).data = torch.from_numpy(array)
    model.structure.landmarks.data = torch.from_numpy(axes.landmarks)
    model.structure.weight.data = torch.from_numpy(axes.whitening @ joint)
    model.structure.offset.data = torch.from_numpy(offset[:t] - axes.middle @ joint)
    return SkillParts(
        model.eval(),
        learned.question_view,
        learned.rationale_view,
        learned.question_lexical,
        learned.rationale_lexical,
        history,
        diagnostics | crossfit.diagnostics() | learned.diagnostics,
        crossfit,
        learned.wrong,
    )


def _latent(
    predicted: Floats, explained: Floats, settings: TrainParams, seed: int, work: Path | None, *, conditional: bool
) -> tuple[SkillCVAE, list[dict[str, Any]], dict[str, float]]:
    """The CVAE with its history and diagnostics; untrained and without history where the bank is too dull or small."""
    if len(predicted) >= NETWORK and predicted.any():
        try:
            trained = fit_cvae([predicted], [explained], settings, seed, "skillshot", work, conditional=conditional)
            return trained.model, trained.history, trained.diagnostics
        except CollapseError as error:
            logger.warning("%s\nthe selector is fitted without the latent", error)
    else:
        logger.warning("train: %d rows predict too little for a latent; fitted without it", len(predicted))
    views = [Standardise.of([torch.from_numpy(rows)]) for rows in (predicted, explained)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        size = settings.latent_dim, settings.hidden, settings.layers, settings.dropout, conditional
        return SkillCVAE(views[0], views[1], *size).eval(), [], {}
