"""Fit `skillshot`: the structure of the rationales, its closed-form prediction, the CVAE, and their weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skillshot.common.arrays import Floats
from skillshot.common.params import TrainParams
from skillshot.features.channels import QUESTION, RATIONALE, Channel
from skillshot.features.lexical import LexicalView
from skillshot.model.combined import Skillshot
from skillshot.model.nets import SkillCVAE
from skillshot.training.cvae import fit_cvae
from skillshot.training.loop import split
from skillshot.training.structure_head import Ridges, agreement, predictability, principal

Channels = tuple[Channel, ...]

EMBEDDING = 2.0  # spread of the sentence embedding relative to the words in the ridge; 1 to 2 give similar results
# n-grams of a question that share a bucket blur each other. 16,384 buckets instead of 4,096 gain .01 to .02 on data
# sets with many words, and still more buckets gain nothing. n-grams of only two texts cost time and gain nothing.
BUCKETS, RAREST = 16384, 3
LITE_GRID = (0.1, 0.3, 1.0, 3.0)  # penalties of the ridge on words alone, chosen for each bank without labels
# what an ablation may leave out. Without "procedure", procedural words are masked like all others; without "weights",
# every part of the structure has the same weight
INGREDIENTS = ("procedure", "weights")
# weight of the structure head's cosine against the latent's: the best of 0.3 to 0.9 on the development queries of four
# data sets with whole banks. It is not chosen for each bank, because a held-out tenth of 1,000 rows is too few for that
SHARE = 0.65


@dataclass(frozen=True)
class SkillParts:
    """The model, its views, and the bank's lexical features (n, 2 t) and (n, t)."""

    model: Skillshot
    question_view: LexicalView
    rationale_view: LexicalView
    question_lexical: Floats
    rationale_lexical: Floats
    history: list[dict[str, Any]]
    diagnostics: dict[str, float]


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
) -> SkillParts:
    """Fit on n questions with their unit embeddings (n, d) and n rationales.

    Args:
        reads, explains: channels of question and rationale.
        conditional: whether the decoder also reads the question.
        without: those of INGREDIENTS that are left out.

    Only ablations set the keyword arguments.
    """
    sources = None if "procedure" in without else questions
    rationale_view, skeleton = _structure(rationales, sources, explains, settings.structure_dim, seed)
    centre = skeleton.mean(0)
    target = unit(skeleton - centre)
    question_view = LexicalView.learn(questions, reads, buckets=BUCKETS, rarest=RAREST)
    words = question_view.sparse(questions)
    middle = question.mean(0)
    scale = np.float32(EMBEDDING * _sparse_spread(words) / max(spread(question - middle), 1e-9))
    ridges = Ridges(words, (question - middle) * scale, target)
    joint, predicted = ridges.weights(settings.ridge, True), ridges.cross_fitted(settings.ridge, True)
    # words alone may need a much stronger penalty (GSM8K 3, TabMWP 0.1)
    lite_ridge = ridges.strength(False, LITE_GRID)
    projected = np.hstack([joint[:BUCKETS], ridges.weights(lite_ridge, False)])
    offset, lexical = -ridges.mean @ projected, ridges.predict(projected)
    del ridges
    weight = np.ones(target.shape[1], np.float32) if "weights" in without else predictability(predicted, target)
    # cross-fitted predictions, so that the CVAE reads the same kind of input in training as for a new question
    explained = target * weight
    trained = fit_cvae([predicted], [explained], settings, seed, "skillshot", work, conditional=conditional)

    model = Skillshot(trained.model, question.shape[1], target.shape[1])
    t = target.shape[1]
    model.structure.weight.data = torch.from_numpy(joint[BUCKETS:] * scale)
    model.structure.offset.data = torch.from_numpy(offset[:t] - middle @ (joint[BUCKETS:] * scale))
    model.target_centre.data = torch.from_numpy(centre)
    model.target_weight.data = torch.from_numpy(weight)
    model.lite_offset.data = torch.from_numpy(offset[t:])
    z_query, z_bank = _latents(trained.model, predicted, explained)
    model.share.data = torch.tensor(float(np.sqrt(SHARE)))
    agreements = _agreements(predicted, target, explained, z_query, z_bank, settings.holdout, seed)
    return SkillParts(
        model.eval(),
        question_view.onto(projected),
        rationale_view,
        lexical - offset,
        skeleton,
        trained.history,
        trained.diagnostics | agreements | {"lite_ridge": lite_ridge},
    )


def _structure(
    rationales: Sequence[str], questions: Sequence[str] | None, channels: Channels, width: int, seed: int
) -> tuple[LexicalView, Floats]:
    """View of the rationales projected to the principal components of their skeletons, and the bank's rows (n, t)."""
    view = LexicalView.learn(rationales, channels, questions)
    rows = view.transform(rationales)
    directions = principal(rows, width, seed)
    return view.onto(directions), rows @ directions


@torch.no_grad()
def _latents(cvae: SkillCVAE, predicted: Floats, explained: Floats) -> tuple[Floats, Floats]:
    """Policy means, as for a new question, and posterior means, as in the bank; unit rows."""
    q = cvae.question(torch.from_numpy(predicted))
    r = cvae.rationale(torch.from_numpy(explained))
    return unit(cvae.policy(q)[0].numpy()), unit(cvae.posterior(torch.cat([q, r], 1))[0].numpy())


def _agreements(
    structure: Floats,
    target: Floats,
    weighted: Floats,
    z_query: Floats,
    z_bank: Floats,
    holdout: float,
    seed: int,
) -> dict[str, float]:
    """Similarity of held-out bank items' rationales to those that each head, and both together, choose for them.

    The queries are rows that no gradient step used, because on its own training rows the policy is too good.
    """
    held, others = (rows.numpy() for rows in split(len(target), holdout, seed))
    found = {}
    for name, share in (("agreement", SHARE), ("agreement_structure", 1.0), ("agreement_latent", 0.0)):
        one, other = float(np.sqrt(share)), float(np.sqrt(1 - share))
        query = np.hstack([one * unit(structure[held]), other * z_query[held]])
        bank = np.hstack([one * unit(weighted[others]), other * z_bank[others]])
        found[name] = agreement(query, bank, target[held], target[others])
    return found


def unit(rows: Floats) -> Floats:
    """Rows scaled to length 1; a row of zeros stays as it is."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def _sparse_spread(rows: Any) -> float:
    """`spread` of sparse rows that are not centred."""
    return float(np.sqrt(rows.multiply(rows).sum() / rows.shape[0] - np.square(rows.mean(0)).sum()))


def spread(rows: Floats) -> float:
    """Root mean square length of centred rows."""
    return float(np.sqrt(np.einsum("ij,ij->", rows, rows) / len(rows)))
