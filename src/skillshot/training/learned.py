"""What a bank teaches in closed form: the structure of its rationales, and how it is predicted. No torch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Doubles, Floats
from skillshot.common.errors import InputError
from skillshot.common.record import normalise_question
from skillshot.features.channels import QUESTION, RATIONALE, Channel
from skillshot.features.lexical import LexicalView
from skillshot.features.prior import Prior
from skillshot.features.rationale import RationaleView
from skillshot.training.axes import FLAT, EncoderAxes, scaled, spread, unit, word_axes
from skillshot.training.blend import SAFE
from skillshot.training.crossfit import Crossfit, judge_modes, words_alone
from skillshot.training.steps import joined, learn_steps, named, share_of_steps
from skillshot.training.structure_head import FOLDS, Ridges, predictability, principal
from skillshot.training.suspicion import BET, concluded, wrong_rows

Channels = tuple[Channel, ...]

# n-grams of a question that share a bucket blur each other. 16,384 buckets instead of 4,096 gain .01 to .02 on data
# sets with many words, and still more buckets gain nothing. n-grams of only two texts cost time and gain nothing.
BUCKETS, RAREST = 16384, 3
# penalties of the ridges on all features and on words alone, chosen for each bank without labels
GRID, LITE_GRID = (0.03, 0.1, 0.3, 1.0), (0.1, 0.3, 1.0, 3.0)
FEWEST = 3 * FOLDS  # rows from which structure is predicted: a fold then leaves six to learn from
# a prior's share of the structure, where there is one: of a bank alone, and with a teacher, whose rows show what the
# prior's features are. More of it is better then on banks of one kind (COGS +.04), and as good on others
PRIOR, TAUGHT = 0.5, 0.8
# what an ablation may leave out. Without "procedure", procedural words are masked like all others; without "weights",
# every part of the structure has the same weight; without "steps", the structure is the skeleton alone
INGREDIENTS = ("procedure", "weights", "steps")


@dataclass(frozen=True)
class Learned:
    """What was learned from the m of n rows that are not held for wrong.

    t are the columns of the structure: those of the skeleton and, where steps count, u of the steps. With a text
    encoder the question view gives [joint (t), words (w), alone (t), sentence (e)]: the words' part of the structure
    that all features predict, their principal coordinates, and what words alone predict. Without one, [words, alone].

    texts: the m questions. words (m, w): their principal coordinates, unit rows. plain: rows whose products are plain
        similarity of questions: sentence embeddings, or weighted n-grams without an encoder.
    axes: of the sentence embeddings; None without an encoder.
    question_lexical, rationale_lexical: rows of the views, the former without its offset.
    offset: of the question view's columns. joint: weights (r, t) of the encoder's features.
    centre (t): of the rationales' structure. target (m, t): the structure. weight (t): predictability of its parts.
    seen: for each mode the cross-fitted structure (m, t) and the sentence (m, e) on the question's side.
    wrong (n,): probability that a row's rationale is wrong; those below `BET` were learned from.
    """

    texts: Sequence[str]
    words: Floats
    plain: Any
    question_view: LexicalView
    rationale_view: RationaleView
    question_lexical: Floats
    rationale_lexical: Floats
    axes: EncoderAxes | None
    offset: Floats
    joint: Floats
    centre: Floats
    target: Floats
    weight: Floats
    step_share: float
    seen: dict[str, tuple[Floats, Floats]]
    learned: bool
    diagnostics: dict[str, float]
    wrong: Doubles

    @property
    def steps(self) -> int:
        """Columns of the second part of the structure: steps, or a prior."""
        return self.rationale_view.second

    @property
    def first(self) -> int:
        """Columns of the question view that only a text encoder adds to."""
        return self.target.shape[1] if self.axes else 0

    def judge(self, seed: int, *, latent: bool, teachers: int = 0) -> Crossfit:
        """Every mode judged on the bank itself; `latent`: whether a row has one.

        teachers: how many of the n rows, the first, are another bank's, of which nothing is judged. A bank with fewer
            than `FEWEST` others cannot show what its wording is worth.
        """
        own = slice(int((self.wrong[:teachers] < BET).sum()), None)
        unclear = self.rationale_view.prior is not None or (teachers and len(self.texts[own]) < FEWEST)
        return judge_modes(
            texts=self.texts[own],
            target=self.target[own],
            sentence=self.axes.sentence[own] if self.axes else None,
            plain=self.plain[own],
            words=self.words[own],
            seen={mode: (structure[own], sentence[own]) for mode, (structure, sentence) in self.seen.items()},
            latent=latent,
            learned=self.learned,
            seed=seed,
            wording=SAFE if unclear else None,
        )


def learn(
    questions: Sequence[str],
    rationales: Sequence[str],
    question: Floats | None,
    width: int,
    seed: int,
    *,
    reads: Channels = QUESTION,
    explains: Channels = RATIONALE,
    without: Collection[str] = (),
    doubtful: bool = True,
    prior: Prior | None = None,
    teachers: int = 0,
) -> Learned:
    """Learn from n questions and n rationales, n at least 1.

    A bank that is too small, or says too little, lacks the structure; its share of the score is then 0. Nothing is
    learned from rows that are held for wrong (`wrong_rows`): without them learning starts again.

    Args:
        question: unit sentence embeddings (n, d); None without a text encoder.
        width: principal components of the skeletons, at most.
        reads, explains: channels of question and rationale.
        without: those of INGREDIENTS that are left out.
        doubtful: whether rows may be wrong.
        prior: what to expect of questions whose rationales are not known (`rationales` are those questions). Its
            features are `PRIOR` of the structure, instead of steps, and the wording has the share `SAFE` of the score:
            the bank cannot show what either is worth.
        teachers: how many rows, the first, are another bank's. The axes of the wording are those of the others, which
            are held for wrong only by the rules of `wrong_rows` for a bank of their number.
    """
    sources = None if "procedure" in without else questions
    view, skeleton = structure_view(rationales, sources, explains, width, seed)
    centre = skeleton.mean(0)
    # rationales that are all the same differ by rounding, which must not be scaled to structure
    target = unit(skeleton - centre) if spread(skeleton - centre) > FLAT else np.zeros_like(skeleton)
    nothing = np.zeros((len(questions), 0), np.float32)
    step_view, counts = None, nothing
    if prior is not None:
        counts = prior.transform(rationales)
    elif "steps" not in without:
        step_view, counts = learn_steps(rationales, questions, seed)
    kinds = unit(counts - counts.mean(0))
    question_view = _view(questions, reads, RAREST, buckets=BUCKETS)
    words = question_view.sparse(questions)
    axes = EncoderAxes.of(question, words, seed, teachers) if question is not None else None
    sentence, asked, dense = (axes.sentence, axes.asked, axes.dense) if axes else (nothing, nothing, nothing)
    directions = word_axes(words[teachers:] if teachers else words, seed)

    t, u, folds = target.shape[1], counts.shape[1], _folds(questions)
    ridges = Ridges(words, dense, np.hstack([target, kinds, sentence]), folds)
    learned = len(questions) >= FEWEST and len(np.unique(folds)) == FOLDS and bool(target.any())
    # words alone may need a much stronger penalty (GSM8K 3, TabMWP 0.1)
    lite_ridge = ridges.strength(False, LITE_GRID, t) if learned else LITE_GRID[-1]
    alone = ridges.weights(lite_ridge, False)
    diagnostics = {"lite_ridge": lite_ridge}
    lite, heard = np.zeros((len(questions), t + u), np.float32), sentence
    if learned:
        lite, heard = np.split(ridges.cross_fitted(lite_ridge, False), [t + u], axis=1)
    else:
        alone[:, : t + u] = 0
    predicted, joint, apart = lite, alone[:, : t + u], 1.0  # apart: words' own part of the structure
    if axes:
        ridge = ridges.strength(True, GRID, t) if learned else GRID[-1]
        joint = ridges.weights(ridge, True)[:, : t + u]
        apart = 0.0
        if learned:
            predicted = ridges.cross_fitted(ridge, True)[:, : t + u]
            apart = words_alone(questions, target, predicted[:, :t], lite[:, :t], seed)
        else:
            joint[:] = 0
        diagnostics |= {"ridge": ridge, "words_alone": apart}
    wrong = wrong_rows(questions, rationales, predicted[:, :t], target, seed) if learned and doubtful else None
    if wrong is not None and teachers and not concluded(wrong[teachers:]):
        wrong[teachers:] = 0
    if wrong is not None and (wrong >= BET).any():
        kept = np.flatnonzero(wrong < BET).tolist()
        texts = [questions[i] for i in kept], [rationales[i] for i in kept]
        embedded = None if question is None else question[kept]
        keywords: dict[str, Any] = {"reads": reads, "explains": explains, "without": without, "prior": prior}
        keywords["teachers"] = int((wrong[:teachers] < BET).sum())
        return replace(learn(*texts, embedded, width, seed, **keywords, doubtful=False), wrong=wrong)
    share = gain = 0.0
    if axes and learned:
        predicted = (1 - apart) * predicted + apart * lite
    if learned and prior is not None:
        share = (TAUGHT if teachers else PRIOR) if counts.any() else 0.0
    elif learned and u:
        known, steps = (target, predicted[:, :t]), (kinds, predicted[:, t:])
        share, gain = share_of_steps(questions, known, steps, counts, seed)
    predicted, lite, joint = (joined(rows[:, :t], rows[:, t:], share) for rows in (predicted, lite, joint))
    alone = np.hstack([joined(alone[:, :t], alone[:, t : t + u], share), alone[:, t + u :]])
    target, u = joined(target, kinds, share), u if share else 0
    if u:
        step_view = step_view and named(step_view, counts, predicted[:, t:])
        centre, skeleton = np.append(centre, counts.mean(0)), np.hstack([skeleton, counts])
    t += u
    if axes:
        joint *= 1 - apart
        joint[:BUCKETS] += apart * alone[:, :t]
    projected = np.hstack([*([joint[:BUCKETS]] if axes else []), directions, alone])
    offset, lexical = -ridges.mean @ projected, ridges.predict(projected)
    if teachers:  # the wording is centred where the demonstrations are
        own = slice(t * bool(axes), t * bool(axes) + directions.shape[1])
        centred = (ridges.mean - np.asarray(words[teachers:].mean(0), np.float32).ravel()) @ directions
        offset[own] += centred
        lexical[:, own] += centred
    weight = np.ones(t, np.float32) if "weights" in without else predictability(predicted, target)
    return Learned(
        questions,
        unit(lexical[:, t * bool(axes) :][:, : directions.shape[1]]),
        question if question is not None else scaled(words),
        question_view.onto(projected),
        RationaleView(view, *((step_view, prior) if u else ())),
        lexical - offset,
        skeleton,
        axes,
        offset,
        joint[BUCKETS:],
        centre,
        target,
        weight,
        share,
        ({"full": (predicted, asked)} if axes else {}) | {"lite": (lite, heard)},
        learned,
        diagnostics
        | {"step_share": 0.0 if prior else share, "step_gain": gain}
        | ({"prior_share": share} if prior else {}),
        np.zeros(len(questions)) if wrong is None else wrong,
    )


def structure_view(
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
