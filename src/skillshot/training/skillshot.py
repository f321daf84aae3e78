"""Fit `skillshot`: the structure of the rationales, its closed-form prediction, the CVAE, and what each is worth."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from skillshot.common.arrays import Doubles, Floats
from skillshot.common.errors import CollapseError, InputError
from skillshot.common.params import TrainParams
from skillshot.common.record import normalise_question
from skillshot.features.channels import QUESTION, RATIONALE, Channel
from skillshot.features.lexical import LexicalView
from skillshot.features.rationale import RationaleView
from skillshot.model.combined import Skillshot, Widths
from skillshot.model.nets import SkillCVAE, Standardise
from skillshot.training.axes import (
    FLAT,
    landmarks_of,
    lengths,
    nearness,
    sentence_axes,
    sparse_spread,
    spread,
    unit,
    word_axes,
)
from skillshot.training.crossfit import Crossfit, judge_modes, words_alone
from skillshot.training.cvae import fit_cvae
from skillshot.training.steps import joined, learn_steps, named, share_of_steps
from skillshot.training.structure_head import FOLDS, Ridges, predictability, principal
from skillshot.training.suspicion import BET, wrong_rows

Channels = tuple[Channel, ...]

logger = logging.getLogger("skillshot")

# n-grams of a question that share a bucket blur each other. 16,384 buckets instead of 4,096 gain .01 to .02 on data
# sets with many words, and still more buckets gain nothing. n-grams of only two texts cost time and gain nothing.
BUCKETS, RAREST = 16384, 3
# penalties of the ridges on all features and on words alone, chosen for each bank without labels
GRID, LITE_GRID = (0.03, 0.1, 0.3, 1.0), (0.1, 0.3, 1.0, 3.0)
FEWEST = 3 * FOLDS  # rows from which structure is predicted: a fold then leaves six to learn from
NETWORK = 40  # rows from which the CVAE is trained
# what an ablation may leave out. Without "procedure", procedural words are masked like all others; without "weights",
# every part of the structure has the same weight; without "steps", the structure is the skeleton alone
INGREDIENTS = ("procedure", "weights", "steps")


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
) -> SkillParts:
    """Fit on n questions with their unit embeddings (n, d) and n rationales, n at least 1.

    A bank that is too small, or says too little, lacks the structure or the latent; its shares of the score are then 0.
    Nothing is learned from rows that are held for wrong (`wrong_rows`): without them the fit starts again.

    Args:
        reads, explains: channels of question and rationale.
        conditional: whether the decoder also reads the question.
        without: those of INGREDIENTS that are left out.
        doubtful: whether rows may be wrong.

    Only ablations set the keyword arguments.
    """
    sources = None if "procedure" in without else questions
    view, skeleton = _structure(rationales, sources, explains, settings.structure_dim, seed)
    centre = skeleton.mean(0)
    # rationales that are all the same differ by rounding, which must not be scaled to structure
    target = unit(skeleton - centre) if spread(skeleton - centre) > FLAT else np.zeros_like(skeleton)
    step_view = None if "steps" in without else learn_steps(rationales, questions, seed)
    counts = step_view.transform(rationales) if step_view else np.zeros((len(questions), 0), np.float32)
    kinds = unit(counts - counts.mean(0))
    question_view = _view(questions, reads, RAREST, buckets=BUCKETS)
    words = question_view.sparse(questions)
    centred, directions = sentence_axes(question, seed)
    sentence = unit((question - centred) @ directions)
    # as a query, see `Skillshot.policy`
    asked = np.asarray((question - centred) @ directions / lengths(question - centred), np.float32)
    axes = word_axes(words, seed)

    t, u, folds = target.shape[1], counts.shape[1], _folds(questions)
    landmarks, whitening = landmarks_of(question, seed)
    near = nearness(question, landmarks) @ whitening
    middle = near.mean(0)
    scale = np.float32(sparse_spread(words) / max(spread(near - middle), 1e-9))  # as important as the words
    ridges = Ridges(words, (near - middle) * scale, np.hstack([target, kinds, sentence]), folds)
    learned = len(questions) >= FEWEST and len(np.unique(folds)) == FOLDS and bool(target.any())
    ridge = ridges.strength(True, GRID, t) if learned else GRID[-1]
    # words alone may need a much stronger penalty (GSM8K 3, TabMWP 0.1)
    lite_ridge = ridges.strength(False, LITE_GRID, t) if learned else LITE_GRID[-1]
    joint = ridges.weights(ridge, True)[:, : t + u]
    alone = ridges.weights(lite_ridge, False)
    predicted = lite = np.zeros((len(questions), t + u), np.float32)
    heard, apart = sentence, 0.0  # the sentence as words alone predict it, and their own part of the structure
    share = gain = 0.0
    wrong = np.zeros(len(questions))
    if learned:
        lite, heard = np.split(ridges.cross_fitted(lite_ridge, False), [t + u], axis=1)
        predicted = ridges.cross_fitted(ridge, True)[:, : t + u]
        apart = words_alone(questions, target, predicted[:, :t], lite[:, :t], seed)
        if doubtful:
            wrong = wrong_rows(questions, rationales, predicted[:, :t], target, seed)
        predicted = (1 - apart) * predicted + apart * lite
        if u:
            known, steps = (target, predicted[:, :t]), (kinds, predicted[:, t:])
            share, gain = share_of_steps(questions, known, steps, counts, seed)
    else:
        joint[:], alone[:, : t + u] = 0, 0
    if (wrong >= BET).any():
        kept = np.flatnonzero(wrong < BET).tolist()
        texts = [questions[i] for i in kept], [rationales[i] for i in kept], question[kept]
        keywords: dict[str, Any] = {"reads": reads, "explains": explains, "conditional": conditional}
        parts = fit_skillshot(*texts, settings, seed, work, **keywords, without=without, doubtful=False)
        return replace(parts, wrong=wrong)
    predicted, lite, joint = (joined(rows[:, :t], rows[:, t:], share) for rows in (predicted, lite, joint))
    alone = np.hstack([joined(alone[:, :t], alone[:, t : t + u], share), alone[:, t + u :]])
    target, u = joined(target, kinds, share), u if share else 0
    if u and step_view:
        step_view = named(step_view, counts, predicted[:, t:])
        centre, skeleton = np.append(centre, counts.mean(0)), np.hstack([skeleton, counts])
    t += u
    joint *= 1 - apart
    joint[:BUCKETS] += apart * alone[:, :t]
    projected = np.hstack([joint[:BUCKETS], axes, alone])
    offset, lexical = -ridges.mean @ projected, ridges.predict(projected)
    del ridges
    weight = np.ones(t, np.float32) if "weights" in without else predictability(predicted, target)
    # cross-fitted predictions, so that the CVAE reads the same kind of input in training as for a new question
    cvae, history, diagnostics = _latent(predicted, target * weight, settings, seed, work, conditional=conditional)

    widths = Widths(t, settings.latent_dim, sentence.shape[1], axes.shape[1], u)
    model = Skillshot(cvae, question.shape[1], len(landmarks), widths)
    model.structure.landmarks.data = torch.from_numpy(landmarks)
    model.structure.weight.data = torch.from_numpy(whitening @ (joint[BUCKETS:] * scale))
    model.structure.offset.data = torch.from_numpy(offset[:t] - middle @ (joint[BUCKETS:] * scale))
    model.target_centre.data = torch.from_numpy(centre)
    model.target_weight.data = torch.from_numpy(weight)
    model.step_share.data = torch.tensor([share])
    model.sentence_centre.data = torch.from_numpy(centred)
    model.sentence_directions.data = torch.from_numpy(directions)
    w = widths.words
    for name, part in (
        ("words_offset", slice(t, t + w)),
        ("lite_offset", slice(t + w, 2 * t + w)),
        ("lite_sentence_offset", slice(2 * t + w, None)),
    ):
        getattr(model, name).data = torch.from_numpy(offset[part])
    crossfit = judge_modes(
        texts=questions,
        target=target,
        sentence=sentence,
        embedding=question,
        words=unit(lexical[:, t : t + w]),
        seen={"full": (predicted, asked), "lite": (lite, heard)},
        latent=bool(history),
        learned=learned,
        seed=seed,
    )
    model.full_shares.data, model.lite_shares.data = (
        torch.tensor(crossfit.modes[mode].shares.numbers) for mode in ("full", "lite")
    )
    return SkillParts(
        model.eval(),
        question_view.onto(projected),
        RationaleView(view, step_view if u else None),
        lexical - offset,
        skeleton,
        history,
        diagnostics
        | crossfit.diagnostics()
        | {
            "ridge": ridge,
            "lite_ridge": lite_ridge,
            "words_alone": apart,
            "step_share": share,
            "step_gain": gain,
        },
        crossfit,
        wrong,
    )


def _structure(
    rationales: Sequence[str], questions: Sequence[str] | None, channels: Channels, width: int, seed: int
) -> tuple[LexicalView, Floats]:
    """View of the rationales projected to the principal components of their skeletons, and the bank's rows (n, t)."""
    view = _view(rationales, channels, 2, questions=questions)
    rows = view.transform(rationales)
    directions = principal(rows, width, seed)
    return view.onto(directions), rows @ directions


def _view(texts: Sequence[str], channels: Channels, rarest: int, **settings: Any) -> LexicalView:
    """A view of n-grams that `rarest` texts share, or fewer where no n-gram is shared by so many."""
    for fewest in range(rarest, 0, -1):
        try:
            return LexicalView.learn(texts, channels, rarest=fewest, **settings)
        except InputError:
            if fewest == 1:
                raise
    raise AssertionError("rarest is at least 1")


def _folds(questions: Sequence[str]) -> npt.NDArray[np.intp]:
    """Fold of each row; rows with the same question are in one, or a row would be predicted from its duplicate."""
    number = {text: i for i, text in enumerate(dict.fromkeys(map(normalise_question, questions)))}
    return np.array([number[normalise_question(text)] % FOLDS for text in questions])


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
