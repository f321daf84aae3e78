"""Fit `skillshot`: structure of the rationales, its closed-form prediction, the CVAE beside it, their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skillshot.features.channels import QUESTION, RATIONALE, Channel
from skillshot.features.lexical import BUCKETS, Floats, LexicalView
from skillshot.model.closed import agreement, cross_fitted, principal, ridge_weights
from skillshot.model.combined import Skillshot
from skillshot.model.cvae import fit_cvae
from skillshot.model.loop import split
from skillshot.model.ridge import solve
from skillshot.params import Train

Channels = tuple[Channel, ...]

EMBEDDING = 2.0  # spread of the sentence embedding beside the words in the ridge; 1 to 2 are alike
SHARES = tuple(float(np.sqrt(part)) for part in (0.95, 0.9, 0.8, 0.65, 0.5))  # candidate weights of the structure head


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
    rationale: Floats,
    settings: Train,
    seed: int,
    work: Path | None = None,
    *,
    reads: Channels = QUESTION,
    explains: Channels = RATIONALE,
    conditional: bool = False,
) -> SkillParts:
    """Fit on n texts and their unit embeddings (n, d).

    Args:
        reads, explains: channels of question and rationale; conditional: the decoder reads the question too.
            Only ablations give other values.
    """
    rationale_view, skeleton = _structure(rationales, explains, settings.structure_dim, seed)
    centre = skeleton.mean(0)
    target = unit(skeleton - centre)
    question_view = LexicalView.learn(questions, reads)
    words = question_view.transform(questions)
    words_centre, question_centre = words.mean(0), question.mean(0)
    words -= words_centre
    scale = EMBEDDING * spread(words) / max(spread(question - question_centre), 1e-9)
    inputs = np.hstack([words, (question - question_centre) * scale])
    del words

    left, right = slice(0, BUCKETS), slice(BUCKETS, None)
    joint = ridge_weights(inputs, target, settings.ridge)
    alone = ridge_weights(inputs[:, left], target, settings.ridge)
    by_words, by_embedding = cross_fitted(inputs, target, settings.ridge, (left, right))
    (by_words_alone,) = cross_fitted(inputs[:, left], target, settings.ridge, (left,))
    projected = np.hstack([joint[left], alone])
    question_lexical = inputs[:, left] @ projected + words_centre @ projected
    # the CVAE reads what a new question would show, not what the ridge remembers of its own rows
    honest = np.hstack([by_words, by_words_alone]) + words_centre @ projected
    trained = fit_cvae(
        [question, honest], [rationale, skeleton], settings, seed, "skillshot", work, conditional=conditional
    )

    model = Skillshot(trained.model, question.shape[1], target.shape[1])
    t = target.shape[1]
    model.structure.weight.data = torch.from_numpy(joint[right] * np.float32(scale))
    model.structure.offset.data = torch.from_numpy(
        -words_centre @ projected[:, :t] - question_centre @ (joint[right] * np.float32(scale))
    )
    model.target_centre.data = torch.from_numpy(centre)
    model.lite_offset.data = torch.from_numpy(-words_centre @ projected[:, t:])
    z_query, z_bank = _latents(model, question, honest, question_lexical, rationale, skeleton)
    lite_weight, lite_bias = _distil(honest, z_query)
    model.lite_weight.data, model.lite_bias.data = torch.from_numpy(lite_weight), torch.from_numpy(lite_bias)
    share, agreements = _share(by_words + by_embedding, target, z_query, z_bank, settings.holdout, seed)
    model.share.data = torch.tensor(share)
    return SkillParts(
        model.eval(),
        question_view.onto(projected),
        rationale_view,
        question_lexical.astype(np.float32),
        skeleton,
        trained.history,
        trained.diagnostics | agreements,
    )


def _structure(rationales: Sequence[str], channels: Channels, width: int, seed: int) -> tuple[LexicalView, Floats]:
    """View of the rationales onto the principal parts of their skeletons, and the bank's rows (n, t)."""
    view = LexicalView.learn(rationales, channels)
    rows = view.transform(rationales)
    directions = principal(rows, width, seed)
    return view.onto(directions), rows @ directions


@torch.no_grad()
def _latents(
    model: Skillshot, question: Floats, honest: Floats, lexical: Floats, rationale: Floats, skeleton: Floats
) -> tuple[Floats, Floats]:
    """Policy means as a new question would get them, posterior means as the bank holds them; unit rows."""
    cvae = model.cvae
    q, h, x, r, s = (
        torch.from_numpy(np.asarray(a, np.float32)) for a in (question, honest, lexical, rationale, skeleton)
    )
    z_query = cvae.policy(cvae.question(q, h))[0].numpy()
    z_bank = cvae.posterior(torch.cat([cvae.question(q, x), cvae.rationale(r, s)], 1))[0].numpy()
    return unit(z_query), unit(z_bank)


def _distil(lexical: Floats, aim: Floats) -> tuple[Floats, Floats]:
    """Ridge from lexical (n, 2 t) to the policy's unit latents: weights and bias."""
    centre, middle = lexical.mean(0), aim.mean(0)
    weights, _ = solve(lexical - centre, aim - middle)
    return weights, (middle - centre @ weights).astype(np.float32)


def _share(
    structure: Floats, target: Floats, z_query: Floats, z_bank: Floats, holdout: float, seed: int
) -> tuple[float, dict[str, float]]:
    """Weight of the structure head under which held-out bank items find the most similar rationales.

    The judges are the rows that no gradient step saw: on its own training rows the policy's memory would win.
    """
    judges, others = (rows.numpy() for rows in split(len(target), holdout, seed))
    found = {}
    for share in SHARES:
        rest = float(np.sqrt(max(0.0, 1 - share**2)))
        query = np.hstack([share * unit(structure[judges]), rest * z_query[judges]])
        bank = np.hstack([share * target[others], rest * z_bank[others]])
        found[share] = agreement(query, bank, target[judges], target[others])
    best = max(SHARES, key=lambda share: found[share])
    numbers = {"agreement": found[best], "agreement_structure": found[SHARES[0]], "agreement_half": found[SHARES[-1]]}
    return best, numbers | {"structure_share": best}


def unit(rows: Floats) -> Floats:
    """Rows of length 1; a row of zeros stays."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def spread(rows: Floats) -> float:
    """Root mean squared length of centred rows."""
    return float(np.sqrt(np.einsum("ij,ij->", rows, rows) / len(rows)))
