"""Fit a selector that needs no text encoder: in closed form, without torch."""

from __future__ import annotations

from collections.abc import Sequence

from skillshot.common.arrays import Floats
from skillshot.common.params import TrainParams
from skillshot.common.record import Record
from skillshot.features.prior import PACKAGED
from skillshot.model.arrays import FittedLite, Lite, LiteBank, Widths
from skillshot.training.learned import learn
from skillshot.training.lessons import Lessons

ROWS = TrainParams().rows


def fit_lite(
    bank: Sequence[Record],
    structure_dim: int,
    seed: int,
    prior: str = PACKAGED,
    teachers: int = 0,
    rows: int = ROWS,
) -> FittedLite:
    """Learn from a bank of n records; only texts are read, no labels.

    Args:
        structure_dim: principal components of the rationales' skeletons, at most.
        prior, teachers: see `Lessons.of`; the first records may be another bank's.
        rows: that are learned from, at most.

    Raises:
        InputError: every row is marked as incorrect, or there is no such prior.
    """
    lessons = Lessons.of(bank, prior, rows, seed, teachers)
    learned = learn(*lessons.texts, None, structure_dim, seed, prior=lessons.prior, teachers=lessons.first)
    found = learned.judge(seed, latent=False, teachers=lessons.first)
    w, offset = learned.words.shape[1], learned.offset
    widths = Widths(learned.target.shape[1], 0, 0, w, learned.steps)
    shares = found.modes["lite"].shares.numbers
    views = learned.question_view, learned.rationale_view
    items = LiteBank(widths, offset[:w], learned.centre, learned.step_share)

    def encode(_: Floats | None, question: Floats, rationale: Floats) -> tuple[Floats, Floats]:
        return items.rows(question, rationale), question[:, w:] + offset[w:]

    features = learned.question_lexical, learned.rationale_lexical
    vectors, wrong = lessons.encode(views, features, learned.wrong, encode, seed)
    return FittedLite(
        *views,
        Lite(widths, 0, offset[:w], offset[w:], offset[:0], shares),
        items,
        vectors,
        found.diagnostics() | learned.diagnostics | lessons.diagnostics,
        **lessons.facts(found, widths, wrong, seed),
    )
