"""Fit everything that a bank teaches: lexical views, `skillshot` (and its `lite` policy), `lars`, `ridge`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
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
    """Train on a bank; no label is read, only texts and their embeddings.

    Args:
        bank: n records.
        question, rationale: float32 (n, d) unit sentence embeddings of `Record.text` and `Record.rationale`.
        work: checkpoint folder; a killed run that finds it continues to the same result.

    Raises:
        InputError: shapes do not fit the bank, or its texts share no word.
        CollapseError: a latent carries nothing (`train.min_gap`).
    """
    if not len(bank) == len(question) == len(rationale):
        raise InputError(f"{len(bank)} records, {len(question)} question and {len(rationale)} rationale embeddings")
    question, rationale = np.asarray(question, np.float32), np.asarray(rationale, np.float32)
    questions, rationales = [record.text for record in bank], [record.rationale for record in bank]
    # an example marked as wrong stays in the bank, but nothing is learned from it
    right = np.array([record.correct for record in bank])
    rows = np.flatnonzero(right)
    learned = [questions[i] for i in rows], [rationales[i] for i in rows], question[rows]
    views, plain = ([question[rows]], [rationale[rows]]), replace(settings, dropout=0.0)  # the paper has none
    halt = threading.Event()
    # a step of a CVAE is too small for two cores, so each has one; the first weights alone come from a shared generator
    with _one_thread(), ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(fit_cvae, *views, plain, seed, "lars", work, conditional=True, halt=halt)
        try:
            ours, lars = fit_skillshot(*learned, settings, seed, work), waiting.result()
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
    if not right.all():
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
    """One thread for torch's own products, here and in threads that start meanwhile."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
