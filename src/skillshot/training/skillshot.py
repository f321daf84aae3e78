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
from skillshot.model.combined import SHARP, Skillshot, Widths
from skillshot.model.nets import SkillCVAE, Standardise
from skillshot.training.crossfit import Crossfit, judge_modes, words_alone
from skillshot.training.cvae import fit_cvae
from skillshot.training.structure_head import FOLDS, Ridges, predictability, principal
from skillshot.training.suspicion import BET, wrong_rows

Channels = tuple[Channel, ...]

logger = logging.getLogger("skillshot")

LANDMARKS = 1024  # questions of the bank to which a question is compared
# n-grams of a question that share a bucket blur each other. 16,384 buckets instead of 4,096 gain .01 to .02 on data
# sets with many words, and still more buckets gain nothing. n-grams of only two texts cost time and gain nothing.
BUCKETS, RAREST = 16384, 3
# penalties of the ridges on all features and on words alone, chosen for each bank without labels
GRID, LITE_GRID = (0.03, 0.1, 0.3, 1.0), (0.1, 0.3, 1.0, 3.0)
SENTENCE, WORDS = 64, 64  # principal coordinates of the sentence embedding and of the words that a row holds
FEWEST = 3 * FOLDS  # rows from which structure is predicted: a fold then leaves six to learn from
NETWORK = 40  # rows from which the CVAE is trained
FLAT = 1e-4  # spread of structure, or of a word, up to which all rows are the same
# what an ablation may leave out. Without "procedure", procedural words are masked like all others; without "weights",
# every part of the structure has the same weight
INGREDIENTS = ("procedure", "weights")


@dataclass(frozen=True)
class SkillParts:
    """The model, its views, the bank's lexical features (m, 2 t + w + e) and (m, t), and how it was judged.

    wrong (n,): probability that a row's rationale is wrong. Of the n rows given the m are those below `BET`.
    """

    model: Skillshot
    question_view: LexicalView
    rationale_view: LexicalView
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
    rationale_view, skeleton = _structure(rationales, sources, explains, settings.structure_dim, seed)
    centre = skeleton.mean(0)
    # rationales that are all the same differ by rounding, which must not be scaled to structure
    target = unit(skeleton - centre) if spread(skeleton - centre) > FLAT else np.zeros_like(skeleton)
    question_view = _view(questions, reads, RAREST, buckets=BUCKETS)
    words = question_view.sparse(questions)
    centred, directions = _sentence_axes(question, seed)
    sentence = unit((question - centred) @ directions)
    # as a query, see `Skillshot.policy`
    asked = np.asarray((question - centred) @ directions / _lengths(question - centred), np.float32)
    axes = _word_axes(words, seed)

    t, folds = target.shape[1], _folds(questions)
    landmarks, whitening = _landmarks(question, seed)
    near = _near(question, landmarks) @ whitening
    middle = near.mean(0)
    scale = np.float32(_sparse_spread(words) / max(spread(near - middle), 1e-9))  # as important as the words
    ridges = Ridges(words, (near - middle) * scale, np.hstack([target, sentence]), folds)
    learned = len(questions) >= FEWEST and len(np.unique(folds)) == FOLDS and bool(target.any())
    ridge = ridges.strength(True, GRID, t) if learned else GRID[-1]
    # words alone may need a much stronger penalty (GSM8K 3, TabMWP 0.1)
    lite_ridge = ridges.strength(False, LITE_GRID, t) if learned else LITE_GRID[-1]
    joint = ridges.weights(ridge, True)[:, :t]
    alone = ridges.weights(lite_ridge, False)
    predicted = lite = np.zeros_like(target)
    heard, apart = sentence, 0.0  # the sentence as words alone predict it, and their own part of the structure
    wrong = np.zeros(len(questions))
    if learned:
        lite, heard = np.split(ridges.cross_fitted(lite_ridge, False), [t], axis=1)
        predicted = ridges.cross_fitted(ridge, True)[:, :t]
        apart = words_alone(questions, target, predicted, lite, seed)
        if doubtful:
            wrong = wrong_rows(questions, rationales, predicted, target, seed)
        predicted = (1 - apart) * predicted + apart * lite
    else:
        joint[:], alone[:, :t] = 0, 0
    if (wrong >= BET).any():
        kept = np.flatnonzero(wrong < BET).tolist()
        texts = [questions[i] for i in kept], [rationales[i] for i in kept], question[kept]
        keywords: dict[str, Any] = {"reads": reads, "explains": explains, "conditional": conditional}
        parts = fit_skillshot(*texts, settings, seed, work, **keywords, without=without, doubtful=False)
        return replace(parts, wrong=wrong)
    joint *= 1 - apart
    joint[:BUCKETS] += apart * alone[:, :t]
    projected = np.hstack([joint[:BUCKETS], axes, alone])
    offset, lexical = -ridges.mean @ projected, ridges.predict(projected)
    del ridges
    weight = np.ones(t, np.float32) if "weights" in without else predictability(predicted, target)
    # cross-fitted predictions, so that the CVAE reads the same kind of input in training as for a new question
    cvae, history, diagnostics = _latent(predicted, target * weight, settings, seed, work, conditional=conditional)

    widths = Widths(t, settings.latent_dim, sentence.shape[1], axes.shape[1])
    model = Skillshot(cvae, question.shape[1], len(landmarks), widths)
    model.structure.landmarks.data = torch.from_numpy(landmarks)
    model.structure.weight.data = torch.from_numpy(whitening @ (joint[BUCKETS:] * scale))
    model.structure.offset.data = torch.from_numpy(offset[:t] - middle @ (joint[BUCKETS:] * scale))
    model.target_centre.data = torch.from_numpy(centre)
    model.target_weight.data = torch.from_numpy(weight)
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
        rationale_view,
        lexical - offset,
        skeleton,
        history,
        diagnostics | crossfit.diagnostics() | {"ridge": ridge, "lite_ridge": lite_ridge, "words_alone": apart},
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


def _sentence_axes(question: Floats, seed: int) -> tuple[Floats, Floats]:
    """Centre (d,) and principal directions (d, e) of sentence embeddings.

    Those of few rows are not centred and span them all, so that their cosines rank as the embeddings' own.
    """
    if len(question) > SENTENCE:
        return question.mean(0), principal(question, SENTENCE, seed)
    _, _, directions = np.linalg.svd(question, full_matrices=False)
    return np.zeros(question.shape[1], np.float32), np.ascontiguousarray(directions.T, np.float32)


def _word_axes(words: Any, seed: int) -> Floats:
    """Principal directions (b, w) of sparse centred words: latent semantic analysis."""
    from sklearn.decomposition import PCA

    count, buckets = words.shape
    rank = max(1, min(WORDS, count - 1))
    axes = np.zeros((buckets, rank), np.float32)
    exact = words.astype(np.float64)
    variance = np.asarray(exact.multiply(exact).mean(0)).ravel() - np.square(np.asarray(exact.mean(0)).ravel())
    used = np.flatnonzero(variance > FLAT**2)  # a word that all questions share has no direction
    if len(used) <= rank or count < 3:
        return axes
    rank = min(rank, len(used) - 1)
    solver = PCA(rank, svd_solver="arpack" if rank < min(count, len(used)) else "full", random_state=seed)
    axes[used, :rank] = solver.fit(words[:, used].astype(np.float64)).components_.T
    return axes


def _landmarks(question: Floats, seed: int) -> tuple[Floats, Floats]:
    """Landmarks (m, d), and a matrix (m, r) that turns kernels with them into features (Nystroem approximation).

    Dot products of the features are the kernel itself where all questions are landmarks (Williams & Seeger, 2001).
    """
    distinct = np.unique(question, axis=0)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(distinct))[:LANDMARKS])
    landmarks = np.ascontiguousarray(distinct[chosen], np.float32)
    values, vectors = np.linalg.eigh(_near(landmarks, landmarks).astype(np.float64))
    kept = values > FLAT * values[-1]
    return landmarks, np.asarray(vectors[:, kept] / np.sqrt(values[kept]), np.float32)


def _near(question: Floats, landmarks: Floats) -> Floats:
    """Kernel (n, m) of unit embeddings, see `Structure`."""
    return np.asarray(np.exp(2 * SHARP * (question @ landmarks.T - 1)), np.float32)


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


def unit(rows: npt.NDArray[np.floating]) -> Floats:
    """Rows scaled to length 1; a row of zeros stays as it is."""
    return np.asarray(rows / _lengths(rows), np.float32)


def _lengths(rows: npt.NDArray[np.floating]) -> Floats:
    """Lengths of rows, (n, 1), never 0."""
    return np.asarray(np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def _sparse_spread(rows: Any) -> float:
    """`spread` of sparse rows that are not centred."""
    return float(np.sqrt(max(0.0, rows.multiply(rows).sum() / rows.shape[0] - np.square(rows.mean(0)).sum())))


def spread(rows: Floats) -> float:
    """Root mean square length of centred rows."""
    return float(np.sqrt(np.einsum("ij,ij->", rows, rows) / len(rows)))
