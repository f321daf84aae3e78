"""Fit all models of a bank: lexical views, `skillshot` (with its `lite` policy), `lars`, `ridge`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from skillshot.common.arrays import Floats
from skillshot.common.errors import InputError
from skillshot.common.params import TrainParams
from skillshot.common.record import Record
from skillshot.model.fitted import Fitted, run
from skillshot.training.cvae import fit_cvae
from skillshot.training.ridge import fit_ridge
from skillshot.training.skillshot import fit_skillshot


def fit(
    bank: Sequence[Record],
    question: Floats,
    rationale: Floats,
    settings: TrainParams,
    seed: int,
    work: Path | None = None,
) -> Fitted:
    """Train on a bank. Only texts and their embeddings are read, no labels.

    Args:
        bank: n records.
        question, rationale: float32 (n, d) unit sentence embeddings of `Record.text` and `Record.rationale`.
        work: checkpoint folder; a killed run continues from it and reaches the same result.

    Raises:
        InputError: the shapes do not match the bank, or its texts share no word.
        CollapseError: a latent carries no information (`train.min_gap`).
    """
    if not len(bank) == len(question) == len(rationale):
        raise InputError(
            f"{len(bank)} records, {len(question)} question and {len(rationale)} rationale embeddings\n"
            "embed this bank again: each record needs one of each"
        )
    question, rationale = np.asarray(question, np.float32), np.asarray(rationale, np.float32)
    questions, rationales = [record.text for record in bank], [record.rationale for record in bank]
    # an example marked as incorrect stays in the bank, but nothing is learned from it
    correct = np.array([record.correct for record in bank])
    rows = np.flatnonzero(correct)
    texts = [questions[i] for i in rows], [rationales[i] for i in rows], question[rows]
    views, no_dropout = ([question[rows]], [rationale[rows]]), settings.changed(dropout=0.0)  # as in the paper
    halt = threading.Event()
    # a training step is too small for two cores, so each CVAE has one; only initial weights use a shared generator
    with _one_thread(), ThreadPoolExecutor(1) as pool:
        future = pool.submit(fit_cvae, *views, no_dropout, seed, "lars", work, conditional=True, halt=halt)
        try:
            ours, lars = fit_skillshot(*texts, settings, seed, work), future.result()
        finally:
            halt.set()
    ridge, ridge_bank, regulariser = fit_ridge(question[rows], rationale[rows])
    fitted = Fitted(
        ours.question_view,
        ours.rationale_view,
        lars.model,
        ours.model,
        ridge,
        ridge_bank,
        vectors={},
        history=ours.history + lars.history,
        diagnostics=ours.diagnostics | lars.diagnostics | {"ridge_regulariser": regulariser},
    )
    lexical = ours.question_lexical, ours.rationale_lexical
    if not correct.all():
        lexical = ours.question_view.transform(questions), ours.rationale_view.transform(rationales)
    inputs = {
        "lars": (question, rationale),
        "skillshot": (question, *lexical),
        "ridge": (rationale,),
    }
    with torch.no_grad():
        fitted.vectors.update({name: run(module, *inputs[name]) for name, module in fitted.posteriors.items()})
    return fitted


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch's operations, here and in threads that start within the block."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
