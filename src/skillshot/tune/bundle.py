"""Tune a bundle: feedback, weights, a new calibration of confidence, and the report next to it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from skillshot.bundle.tuned import write_tuned
from skillshot.common.arrays import Doubles
from skillshot.common.io import write_json
from skillshot.common.params import EvaluateParams
from skillshot.llm.engine import Engine
from skillshot.training.confidence import calibrate
from skillshot.tune.questions import BankQuestions, bank_questions
from skillshot.tune.run import tune

REPORT = ".tune.json"  # after the bundle's name


def tune_bundle(
    folder: Path,
    engine: Engine,
    *,
    budget: int,
    out: Path | None = None,
    k: int | None = None,
    seed: int = 0,
    params: EvaluateParams | None = None,
) -> dict[str, Any]:
    """Tune the weights of a bundle's score, and put them into it, or into `out`, where they are accepted.

    Args:
        engine: a `CachedEngine`, so that an interrupted run continues.
        budget: answers of the engine, at most.
        k: demonstrations of a prompt (None: the bundle's own number).

    Returns:
        the report, which is also written next to the bundle (`BUNDLE.tune.json`).

    Raises:
        InputError, EngineError: see `skillshot.tune.run.tune`.
        BundleError: the bundle is damaged, or was changed meanwhile.
        DiskError: there is no space for it.
    """
    questions = bank_questions(folder, seed)
    shots, target = k or int(questions.manifest["select"].get("k", 4)), out or folder
    tuning = tune(questions, engine, shots, budget, seed, params or EvaluateParams())
    report, place = tuning.report, target.absolute()
    path = place.with_name(f"{place.name}{REPORT}")
    if not tuning.accepted:
        write_json(path, report)
        return report
    score = _score(questions, tuning.weights)
    shares = {"before": list(questions.scoring.shares), "after": score["shares"]}
    found = {name: report[name] for name in ("llm", "calls", "queries", "k", "mode")} | shares
    found["nll"] = {name: report["change"][name] for name in ("diff", "low", "high")}
    report = report | {"shares": shares}
    write_json(path, report)  # first: the bundle in place is the commit, after which a run would start from it
    write_tuned(folder, target, questions.manifest, questions.mode, score, found)
    return report


def _score(questions: BankQuestions, weights: Doubles) -> dict[str, Any]:
    """What the manifest holds of the mode with these weights; confidence is calibrated again."""
    shares, doubt = questions.shares(weights), questions.scoring.doubt
    wording = shares[2] + shares[3]
    curve = calibrate(questions.found, questions.target, wording, shares[2] / wording, doubt)
    return {"shares": list(shares), "doubt": doubt, "confidence": asdict(curve) | {"near": list(curve.near)}}
