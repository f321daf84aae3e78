"""What each demonstration is worth to a language model: exact Shapley values over all subsets of a prompt's set.

The worth of a subset is the log-likelihood of the gold text after a prompt with it, in nats per token. A positive value
helps. The Shapley value of a demonstration (Shapley 1953; DemoShapley, arXiv 2410.07523) is the mean, over all orders
of the set, of what it adds to those before it. The values of a set sum to what the whole set adds to none. The prompt
keeps the demonstrations of every subset in the order that they have in the whole set.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common.arrays import Doubles
from skillshot.common.errors import EngineError, InputError
from skillshot.common.intervals import bootstrap
from skillshot.common.io import write_json
from skillshot.common.params import EvaluateParams
from skillshot.common.progress import progress
from skillshot.common.record import Record
from skillshot.evaluation.files import write_rows
from skillshot.evaluation.summary import DIGITS
from skillshot.llm.engine import Engine
from skillshot.runtime.prompt import PromptTemplate, continuation

MOST = 6  # demonstrations: 64 prompts a query
ENOUGH = 5  # queries of a bank row from which its interval is worth reading
COLUMNS = ("query", "demonstration", "place", "shapley", "leave_one_out")


@dataclass(frozen=True)
class DemonstrationValue:
    """A demonstration in one query's prompt. Values are in nats per token of the gold text; positive helps.

    place: 1 is the selector's best. leave_one_out: the whole set against the set without it.
    """

    query: str
    demonstration: str
    place: int
    shapley: float
    leave_one_out: float


@dataclass(frozen=True)
class Valuation:
    """Each demonstration of each query, and the summary over queries and over rows of the bank."""

    values: tuple[DemonstrationValue, ...]
    summary: dict[str, Any]

    def write(self, folder: Path) -> None:
        """values.json, and values_rows.csv with a line per query and demonstration."""
        write_json(folder / "values.json", self.summary)
        write_rows(self.values, folder / "values_rows.csv", COLUMNS)


def shapley(worth: Doubles) -> Doubles:
    """Exact Shapley values (k,) of k players.

    Args:
        worth: (2^k,) of every subset; bit i of a position stands for player i.
    """
    subsets = np.arange(len(worth))
    count = len(worth).bit_length() - 1
    sizes = np.array([int(subset).bit_count() for subset in subsets])
    # a subset stands before the player in |S|! (k - 1 - |S|)! of the k! orders
    shares = np.array([1 / (count * math.comb(count - 1, size)) for size in range(count)])
    values = np.zeros(count)
    for player in range(count):
        without = subsets[subsets >> player & 1 == 0]
        values[player] = shares[sizes[without]] @ (worth[without | 1 << player] - worth[without])
    return values


def leave_one_out(worth: Doubles) -> Doubles:
    """What the whole set loses without each player, (k,), from the worth (2^k,) of every subset."""
    every = len(worth) - 1
    return np.array([worth[every] - worth[every ^ 1 << player] for player in range(every.bit_length())], np.float64)


def check(engine: Engine, shots: int) -> None:
    """Refuse what cannot be valued, before anything is paid for.

    Raises:
        InputError: more than `MOST` demonstrations.
        EngineError: the engine gives no log-probabilities of a given text.
    """
    if shots > MOST:
        raise InputError(
            f"values: {shots} demonstrations need {2**shots:,} prompts a query; at most {MOST} are valued: "
            f"give --shots {MOST} or fewer"
        )
    if not engine.capabilities.scores:
        why = engine.capabilities.reason or "it gives no log-probabilities of a given text"
        raise EngineError(f"values: {engine.model}: {why}\nleave --values out, or use the embedded model")


def demonstration_values(
    engine: Engine,
    queries: Sequence[Record],
    chosen: Sequence[Sequence[Record]],
    params: EvaluateParams,
    seed: int,
    template: PromptTemplate | None = None,
) -> Valuation:
    """Values of each query's demonstrations, which come best first. Without an answer and a rationale a query has none.

    Args:
        engine: a `CachedEngine`, so that an interrupted run continues; it gets 2^k prompts of a query in one call.

    Raises:
        InputError: a set of more than `MOST`, or no query can be scored.
        EngineError: the engine cannot score or failed for good; what was answered is in the cache.
    """
    check(engine, max(map(len, chosen), default=0))
    scored = [i for i, query in enumerate(queries) if query.rationale or query.answer]
    if not scored:
        raise InputError("values: no query has a rationale or an answer; give a file with solved queries")
    template, values, gains, prompts = template or PromptTemplate(), [], [], 0
    with progress("values", sum(2 ** len(chosen[i]) for i in scored), "prompt") as advance:
        for i in scored:
            worth = _worth(engine, queries[i], chosen[i], template)
            both = zip(chosen[i], shapley(worth).tolist(), leave_one_out(worth).tolist(), strict=True)
            values += [
                DemonstrationValue(queries[i].id, record.id, place, value, alone)
                for place, (record, value, alone) in enumerate(both, 1)
            ]
            gains.append(float(worth[-1] - worth[0]))
            prompts += len(worth)
            advance(len(worth))
    gain = bootstrap(gains, seed, params.bootstrap, params.confidence)
    summary = {
        "unit": "nats per token of the gold text; positive helps",
        "queries": len(scored),
        "left_out": len(queries) - len(scored),
        "prompts": prompts,
        "gain": {name: round(getattr(gain, name), DIGITS) for name in ("mean", "low", "high")},
        "rows": by_row(values, params, seed),
    }
    return Valuation(tuple(values), summary)


def by_row(values: Sequence[DemonstrationValue], params: EvaluateParams, seed: int) -> list[dict[str, Any]]:
    """Means of each bank row over the queries that it was chosen for, the largest sum of Shapley values first.

    `low` and `high` bound the mean Shapley value; they are null below `ENOUGH` queries.
    """
    of: dict[str, list[DemonstrationValue]] = defaultdict(list)
    for value in values:
        of[value.demonstration].append(value)
    rows = []
    for name, found in of.items():
        shares = [value.shapley for value in found]
        interval = bootstrap(shares, seed, params.bootstrap, params.confidence) if len(found) >= ENOUGH else None
        rows.append(
            {
                "demonstration": name,
                "queries": len(found),
                "shapley": round(float(np.mean(shares)), DIGITS),
                "low": round(interval.low, DIGITS) if interval else None,
                "high": round(interval.high, DIGITS) if interval else None,
                "leave_one_out": round(float(np.mean([value.leave_one_out for value in found])), DIGITS),
                "sum": round(math.fsum(shares), DIGITS),
            }
        )
    return sorted(rows, key=lambda row: -row["sum"])


def _worth(engine: Engine, query: Record, chosen: Sequence[Record], template: PromptTemplate) -> Doubles:
    """Log-likelihood per token of the gold text after each subset, (2^k,)."""
    subsets = [[record for i, record in enumerate(chosen) if subset >> i & 1] for subset in range(2 ** len(chosen))]
    prompts = [template.render(subset, query.question, query.context, query.options) for subset in subsets]
    worth = np.zeros(len(prompts))
    for place, scored in engine.score(prompts, [continuation(query)] * len(prompts)):
        worth[place] = -scored.nll
    return worth
