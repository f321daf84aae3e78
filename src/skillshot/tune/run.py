"""Tune the weights of a bundle's score: buy feedback, learn, and accept only what holds on questions not learned from.

For each question, a row of the bank, a language model reads the prompts that could be served: the present set of
demonstrations, those that each part of the score would choose alone, an even mix of the parts, and no demonstration.
These sets differ most in the parts' scores. What they are worth is the log-likelihood of the question's gold text.
All sets are known before the first call, so that an interrupted run goes on with the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skillshot.common.arrays import Doubles
from skillshot.common.errors import EngineError, InputError
from skillshot.common.params import EvaluateParams
from skillshot.common.progress import progress
from skillshot.evaluation.statistics import compare
from skillshot.llm.engine import Engine, Scored
from skillshot.runtime.prompt import continuation, render
from skillshot.tune.questions import PARTS, BankQuestions
from skillshot.tune.ranker import learn

FOLDS = 5  # of the questions: the choice for each is made by weights learned on the other four
FEWEST = 20  # questions below which no interval is worth reading
MOVE = 0.005  # of a weight, below which weights are the same
Set = tuple[int, ...]  # rows of the bank, best first; none: zero-shot

NOTHING, FOUND = "tuning found nothing", "tuned"


@dataclass(frozen=True)
class Tuning:
    """The weights of `PARTS` to use, whether they differ from the present ones, and the report.

    Only `timing` of the report differs between two runs.
    """

    weights: Doubles
    accepted: bool
    report: dict[str, Any]


def tune(questions: BankQuestions, engine: Engine, k: int, budget: int, seed: int, params: EvaluateParams) -> Tuning:
    """Learn the weights from at most `budget` answers of the engine.

    Args:
        engine: a `CachedEngine`, so that an interrupted run continues.
        k: demonstrations of a prompt.

    Raises:
        InputError: the bank has too few questions, or the budget pays for too few.
        EngineError: the engine cannot score or failed for good; what was answered is in the cache.
    """
    if not engine.capabilities.scores:
        why = engine.capabilities.reason or "it gives no log-probabilities of a given text"
        raise EngineError(f"{engine.model}: {why}\nuse the embedded model, or an endpoint that returns them")
    present, plan = questions.weights, _plan(questions, k, budget)
    feedback = _Feedback(questions, engine)
    feedback.buy("tune", [(i, rows) for i, sets in enumerate(plan) for rows in dict.fromkeys(sets.values())])
    shown = [[rows for rows in dict.fromkeys(sets.values()) if rows] for sets in plan]
    parts = [np.stack([questions.parts(i, rows) for rows in sets]) for i, sets in enumerate(shown)]
    worth = [np.array([feedback.nll(i, rows) for rows in sets]) for i, sets in enumerate(shown)]

    def learned(without: int) -> Doubles:
        kept = [i for i in range(len(plan)) if i % FOLDS != without]
        return learn([parts[i] for i in kept], [worth[i] for i in kept], present)

    folds = [learned(fold) for fold in range(FOLDS)]
    tuned = [questions.choose(i, folds[i % FOLDS], k) for i in range(len(plan))]
    feedback.buy("check", list(enumerate(tuned)))

    def nll(sets: Sequence[Set]) -> Doubles:
        return np.array([feedback.nll(i, rows) for i, rows in enumerate(sets)])

    before = [sets["present"] for sets in plan]

    def against(sets: Sequence[Set]) -> dict[str, float]:
        return compare(nll(sets), nll(before), seed, params.bootstrap, params.confidence)

    weights, change = learned(-1), against(tuned)
    accepted = bool(change["high"] < 0 and np.abs(weights - present).max() > MOVE)
    others = {name: against([sets[name] for sets in plan]) for name in plan[0] if name != "present"}
    report = {
        "llm": engine.model,
        "finding": FOUND if accepted else NOTHING,
        "accepted": accepted,
        "mode": questions.mode,
        "k": k,
        "confidence": params.confidence,
        "queries": len(plan),
        **feedback.cost(),
        "nll": {"before": _short(nll(before).mean()), "tuned": _short(nll(tuned).mean())},
        "change": change,
        "changed_queries": sum(one != other for one, other in zip(tuned, before, strict=True)),
        "others": others,
        "weights": {
            "before": _named(present),
            "learned": _named(weights),
            "folds": [_named(one) for one in folds],
        },
        "timing": {"engine_seconds": feedback.seconds},
    }
    return Tuning(weights if accepted else present, accepted, report)


def _plan(questions: BankQuestions, k: int, budget: int) -> list[dict[str, Set]]:
    """The sets of each question by name, as many questions as the budget pays for; one call each is left for the check.

    Sets of the same rows are one, in the order of the first.
    """
    heads = {"present": questions.weights, **dict(zip(PARTS, np.eye(len(PARTS)), strict=True)), "even": np.ones(3)}
    plan: list[dict[str, Set]] = []
    spent, asked = 0, len(questions.rows)
    for i in range(asked):
        known: dict[frozenset[int], Set] = {}
        sets: dict[str, Set] = {}
        for name, weights in heads.items():
            chosen = questions.choose(i, weights, k)
            sets[name] = known.setdefault(frozenset(chosen), chosen)
        sets["zero-shot"] = ()
        spent += len(set(sets.values())) + 1
        if spent > budget:
            break
        plan.append(sets)
    if len(plan) < min(FEWEST, asked):
        raise InputError(
            f"{budget} calls pay for {len(plan)} questions, fewer than {FEWEST}; give --budget "
            f"{FEWEST * (len(heads) + 2)}"
        )
    if len(plan) < FEWEST:
        raise InputError(
            f"{questions.folder}: {asked} of its rows can be questions, fewer than {FEWEST}; add examples first"
        )
    return plan


class _Feedback:
    """What the engine answered to each question with a set of demonstrations."""

    def __init__(self, questions: BankQuestions, engine: Engine) -> None:
        self._questions, self._engine = questions, engine
        self._answers: dict[tuple[int, Set], Scored] = {}

    def buy(self, label: str, wanted: Sequence[tuple[int, Set]]) -> None:
        """Ask for what is not known yet, a batch at a time."""
        new = [one for one in dict.fromkeys(wanted) if one not in self._answers]
        size = max(1, self._engine.capabilities.batch)
        with progress(label, len(new), "prompt") as advance:
            for start in range(0, len(new), size):
                part = new[start : start + size]
                prompts, golds = zip(*(self._texts(*one) for one in part), strict=True)
                for place, scored in self._engine.score(prompts, golds):
                    self._answers[part[place]] = scored
                advance(len(part))

    def nll(self, i: int, rows: Set) -> float:
        """Of the gold text, in nats per token."""
        return self._answers[i, rows].nll

    def cost(self) -> dict[str, Any]:
        """Answers that were used, and their tokens."""
        answers = self._answers.values()
        return {
            "calls": len(answers),
            "prompt_tokens": sum(answer.prompt_tokens for answer in answers),
            "gold_tokens": sum(len(answer.logprobs) for answer in answers),
        }

    @property
    def seconds(self) -> float:
        """Of all answers, as the engine took them, also where they are from the cache."""
        return round(sum(answer.seconds for answer in self._answers.values()), 3)

    def _texts(self, i: int, rows: Set) -> tuple[str, str]:
        records = self._questions.records
        query = records[self._questions.rows[i]]
        shown = [records[row] for row in rows]
        return render(shown, query.question, query.context, query.options), continuation(query)


def _named(weights: Doubles) -> dict[str, float]:
    return {name: _short(weight) for name, weight in zip(PARTS, weights, strict=True)}


def _short(value: float) -> float:
    return round(float(value), 6)
