"""Fit the models of a bank: lexical views and `skillshot` (with its `lite` policy), and the baselines if asked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from skillshot.common.arrays import Floats
from skillshot.common.errors import CollapseError, InputError
from skillshot.common.params import TrainParams
from skillshot.common.record import Record
from skillshot.model.combined import SkillPosterior
from skillshot.model.fitted import Fitted, run
from skillshot.training.cvae import Trained, fit_cvae
from skillshot.training.lessons import Lessons
from skillshot.training.ridge import fit_ridge
from skillshot.training.skillshot import NETWORK, fit_skillshot

logger = logging.getLogger("skillshot")


def fit(
    bank: Sequence[Record],
    question: Floats,
    rationale: Floats | None,
    settings: TrainParams,
    seed: int,
    work: Path | None = None,
    teachers: int = 0,
) -> Fitted:
    """Train on a bank. Only texts and their embeddings are read, no labels.

    A baseline whose latent collapses is left out, with a warning.

    Args:
        bank: n records.
        question, rationale: float32 (n, d) unit sentence embeddings of `Record.text` and of the text that
            `structure_of` takes for each record; only baselines read the latter, and without it there are none.
        work: checkpoint folder; a killed run continues from it and reaches the same result.
        teachers: how many records, the first, are another bank's, see `Lessons`; vectors are of the others.

    Raises:
        InputError: the shapes do not match the bank, or every row is marked as incorrect.
    """
    sides = [len(side) for side in (question, rationale) if side is not None]
    if set(sides) != {len(bank)}:
        raise InputError(
            f"{len(bank)} records, but {' and '.join(map(str, sides))} embeddings of questions and rationales\n"
            "embed this bank again: each record needs one of each"
        )
    question = np.asarray(question, np.float32)
    rationale = question[:0] if rationale is None else np.asarray(rationale, np.float32)
    lessons = Lessons.of(bank, settings.prior, settings.rows, seed, teachers)
    rows = lessons.rows
    halt = threading.Event()
    wanted = len(rationale) > 0 and len(rows) >= NETWORK
    # a training step is too small for two cores, so each CVAE has one; only initial weights use a shared generator
    with _one_thread(), ThreadPoolExecutor(1) as pool:
        future = pool.submit(_lars, question[rows], rationale[rows], settings, seed, work, halt) if wanted else None
        try:
            ours = fit_skillshot(
                *lessons.texts, question[rows], settings, seed, work, prior=lessons.prior, teachers=lessons.first
            )
            lars = _kept(future)
        finally:
            halt.set()
    posterior, structure = SkillPosterior(ours.model).eval(), ours.model.structure

    width = ours.model.widths.structure

    def encode(embedded: Floats | None, asked: Floats, explained: Floats) -> tuple[Floats, Floats]:
        assert embedded is not None
        return run(posterior, embedded, asked, explained), run(structure, embedded, asked[:, :width])

    views, features = (ours.question_view, ours.rationale_view), (ours.question_lexical, ours.rationale_lexical)
    vectors, wrong = lessons.encode(views, features, ours.wrong, encode, seed, question)
    diagnostics = ours.diagnostics | lessons.diagnostics
    ridge = ridge_bank = None
    if wanted:
        ridge, ridge_bank, diagnostics["ridge_regulariser"] = fit_ridge(question[rows], rationale[rows])
    if lars is not None:
        diagnostics |= lars.diagnostics
    fitted = Fitted(
        ours.question_view,
        ours.rationale_view,
        ours.model,
        lars.model if lars is not None else None,
        ridge,
        ridge_bank,
        vectors={"skillshot": vectors},
        history=ours.history + (lars.history if lars is not None else []),
        diagnostics=diagnostics,
        **lessons.facts(ours.crossfit, ours.model.widths, wrong, seed),
    )
    inputs = {"lars": (question[teachers:], rationale[teachers:]), "ridge": (rationale[teachers:],)}
    baselines = {name: run(module, *inputs[name]) for name, module in fitted.posteriors.items() if name in inputs}
    fitted.vectors.update(baselines)
    return fitted


def _lars(
    question: Floats, rationale: Floats, settings: TrainParams, seed: int, work: Path | None, halt: threading.Event
) -> Trained:
    plain = settings.changed(dropout=0.0)  # as in the paper
    return fit_cvae([question], [rationale], plain, seed, "lars", work, conditional=True, halt=halt)


def _kept(future: Future[Trained] | None) -> Trained | None:
    """The baseline, or None where it was not wanted or its latent collapsed."""
    try:
        return future.result() if future is not None else None
    except CollapseError as error:
        logger.warning("%s\nfitted without the baseline lars", error)
        return None


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch's operations, here and in threads that start within the block."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
