"""Fit everything that a bank teaches: lexical views, `skillshot`, `lars`, `ridge` and the `lite` policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from skillshot.bank.record import Record
from skillshot.errors import InputError
from skillshot.features.lexical import LexicalView
from skillshot.model.diagnose import diagnose, guard
from skillshot.model.fitted import Fitted, Floats, bank_side, run
from skillshot.model.loop import Progress, to_device, train
from skillshot.model.nets import PolicyHead, SkillCVAE, Standardise
from skillshot.model.ridge import Ridge, fit_ridge, solve
from skillshot.params import Train

__all__ = ["Fitted", "fit"]


def fit(
    bank: Sequence[Record],
    question: Floats,
    rationale: Floats,
    settings: Train,
    seed: int,
    work: Path | None = None,
) -> Fitted:
    """Train on a bank; no label is read, only texts and their embeddings.

    Args:
        bank: n records.
        question, rationale: float32 (n, d) unit sentence embeddings of `Record.text` and `Record.rationale`.
        work: checkpoint folder; a killed run that finds it continues to the same result.

    Raises:
        InputError: shapes do not fit the bank.
        CollapseError: a latent carries nothing (`train.min_gap`).
    """
    if not len(bank) == len(question) == len(rationale):
        raise InputError(f"{len(bank)} records, {len(question)} question and {len(rationale)} rationale embeddings")
    questions, rationales = [record.text for record in bank], [record.rationale for record in bank]
    question_view = LexicalView.fit(questions, seed=seed)
    rationale_view = LexicalView.fit(rationales, seed=seed)
    q_lexical, r_lexical = question_view.transform(questions), rationale_view.transform(rationales)

    lars, lars_progress = _train_cvae([question], [rationale], replace(settings, dropout=0.0), seed, "lars", work, True)
    ours, progress = _train_cvae(
        [question, q_lexical], [rationale, r_lexical], settings, seed, "skillshot", work, False
    )
    diagnostics: dict[str, float] = {}
    for name, model, inputs in (
        ("lars", lars, ([question], [rationale])),
        ("skillshot", ours, ([question, q_lexical], [rationale, r_lexical])),
    ):
        q, r = (torch.cat([torch.from_numpy(x) for x in side], 1) for side in inputs)
        found = diagnose(model, model.question(q), model.rationale(r), seed)
        guard(found, settings.min_gap, name)
        diagnostics |= {key if name == "skillshot" else f"{name}_{key}": value for key, value in found.items()}

    ridge, ridge_bank, regulariser = fit_ridge(question, rationale)
    diagnostics["ridge_regulariser"] = regulariser
    bank_modules = bank_side(lars, ours, ridge_bank)
    vectors = {
        "lars": run(bank_modules["lars"], question, rationale),
        "skillshot": run(bank_modules["skillshot"], question, q_lexical, rationale, r_lexical),
        "ridge": run(ridge_bank, rationale),
    }
    aim = run(PolicyHead(ours.question, ours.policy).eval(), question, q_lexical)
    lite = _distil(q_lexical, aim)
    history = _history("lars", lars_progress) + _history("skillshot", progress)
    return Fitted(question_view, rationale_view, lars, ours, lite, ridge, ridge_bank, vectors, history, diagnostics)


def _train_cvae(
    question: list[Floats],
    rationale: list[Floats],
    settings: Train,
    seed: int,
    label: str,
    work: Path | None,
    conditional: bool,
) -> tuple[SkillCVAE, Progress]:
    q, r = to_device(question, settings.device), to_device(rationale, settings.device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        views = Standardise.of([x.cpu() for x in q]), Standardise.of([x.cpu() for x in r])
        model = SkillCVAE(*views, settings.latent_dim, settings.hidden, settings.layers, settings.dropout, conditional)
    model.to(q[0].device)
    progress = train(model, model.question(*q), model.rationale(*r), settings, seed, label=label, work=work)
    return model.cpu().eval(), progress


def _distil(lexical: Floats, aim: Floats) -> Ridge:
    """Ridge from lexical features (n, f) to the full policy's unit rows (n, dim)."""
    centre = lexical.mean(0)
    ones = np.ones((len(lexical), 1), np.float32)
    weights, _ = solve(np.hstack([lexical - centre, ones]), aim)
    lite = Ridge(lexical.shape[1], aim.shape[1])
    lite.centre.data = torch.from_numpy(centre)
    lite.weight.data = torch.from_numpy(weights[:-1].copy())
    lite.offset.data = torch.from_numpy(weights[-1].copy())
    return lite


def _history(model: str, progress: Progress) -> list[dict[str, object]]:
    return [{"model": model, **row} for row in progress.history]
