"""Summary of an evaluation's rows: the document that `evaluate --json` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from skillshot.common.params import EvaluateParams
from skillshot.common.tables import counted
from skillshot.evaluation.results import Prices, QueryResult
from skillshot.evaluation.statistics import bootstrap, compare, queries_needed
from skillshot.llm.engine import Capabilities

if TYPE_CHECKING:
    from skillshot.selectors.choose import Choice

BASELINES = ("question", "random")
METRICS = ("accuracy", "nll")
RECOMPUTED = "recomputed"  # accuracy after each written equation is recomputed; where answers are numbers
DIGITS = 5  # log-likelihoods agree across machines to about this
MILLION = 1_000_000


def summarise(
    rows: Sequence[QueryResult],
    model: str,
    capabilities: Capabilities,
    params: EvaluateParams,
    seed: int,
    selection: Mapping[str, Choice],
    prices: Prices | None,
) -> dict[str, Any]:
    """{"llm", "shots", "confidence", "queries", "selectors": {name: ...}, "pairs": {"a-question": ...}}; a metric that
    could not be measured is null, with the reason under "missing"."""
    names = list(dict.fromkeys(row.selector for row in rows))
    of = {name: [row for row in rows if row.selector == name] for name in names}
    report: dict[str, Any] = {
        "llm": model,
        "shots": params.shots,
        "confidence": params.confidence,
        "queries": len(of[names[0]]),
        "selectors": {
            name: _selector(of[name], params, seed) | _bill(of[name], _origin(name, selection), prices)
            for name in names
        },
        "pairs": {
            f"{name}-{base}": _pair(of[name], of[base], params, seed)
            for base in BASELINES
            if base in of
            for name in names
            if name != base
        },
    }
    missing = {}
    first = of[names[0]]
    if not params.answers:
        missing["accuracy"] = "evaluate.answers is false"
    elif left := sum(row.correct is None for row in first):
        missing["accuracy"] = f"{left} of {counted(len(first), 'query')} left out: without an answer"
    if not capabilities.scores:
        missing["nll"] = capabilities.reason or "the engine gives no log-probabilities of a given text"
    elif left := sum(row.nll is None for row in first):
        missing["nll"] = f"{left} of {counted(len(first), 'query')} left out: without a rationale and an answer"
    notes = {name: chosen.note for name, chosen in selection.items() if chosen.note}
    return report | ({"missing": missing} if missing else {}) | ({"notes": notes} if notes else {})


def values(rows: Sequence[QueryResult], metric: str) -> list[float | None]:
    """A metric of each row: "accuracy", "recomputed" or "nll"."""
    if metric == "accuracy":
        return [None if row.correct is None else float(row.correct) for row in rows]
    if metric == RECOMPUTED:
        return [None if row.recomputed is None else float(row.recomputed) for row in rows]
    return [row.nll for row in rows]


def _metrics(rows: Sequence[QueryResult]) -> tuple[str, ...]:
    return (*METRICS, RECOMPUTED) if any(row.recomputed is not None for row in rows) else METRICS


def _selector(rows: Sequence[QueryResult], params: EvaluateParams, seed: int) -> dict[str, Any]:
    out: dict[str, Any] = {
        "llm_calls": sum(row.calls for row in rows),
        "prompt_tokens": sum(row.prompt_tokens for row in rows),
        "completion_tokens": sum(row.completion_tokens for row in rows),
        "format_valid": _share([row.valid for row in rows]),
    }
    for metric in _metrics(rows):
        known = [value for value in values(rows, metric) if value is not None]
        out[metric] = None
        if known:
            interval = bootstrap(known, seed, params.bootstrap, params.confidence)
            out[metric] = round(interval.mean, DIGITS)
            out[f"{metric}_low"], out[f"{metric}_high"] = round(interval.low, DIGITS), round(interval.high, DIGITS)
    return out


def _origin(name: str, selection: Mapping[str, Choice]) -> Choice | None:
    return selection.get(re.split("[@:]", name)[0])


def _bill(rows: Sequence[QueryResult], chosen: Choice | None, prices: Prices | None) -> dict[str, Any]:
    """Calls and tokens of the selector itself, for the queries and once for the bank; money of all but the bank's."""
    out: dict[str, Any] = {}
    for name in ("queries", "bank"):
        cost = getattr(chosen, name) if chosen else None
        key = "selection" if name == "queries" else "bank"
        out[f"{key}_calls"] = cost.calls if cost else 0
        out[f"{key}_prompt_tokens"] = cost.prompt_tokens if cost else 0
        out[f"{key}_completion_tokens"] = cost.completion_tokens if cost else 0
    if prices:
        read = sum(row.prompt_tokens for row in rows)
        written = sum(row.completion_tokens for row in rows)
        out["money"] = _money(
            read + out["selection_prompt_tokens"], written + out["selection_completion_tokens"], prices
        )
        out["bank_money"] = _money(out["bank_prompt_tokens"], out["bank_completion_tokens"], prices)
    return out


def _money(read: int, written: int, prices: Prices) -> float:
    return round((read * prices.input + written * prices.output) / MILLION, 6)


def _pair(
    first: Sequence[QueryResult], second: Sequence[QueryResult], params: EvaluateParams, seed: int
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for metric in _metrics(first):
        both = [
            (a, b)
            for a, b in zip(values(first, metric), values(second, metric), strict=True)
            if a is not None and b is not None
        ]
        if not both:
            out[metric] = None
            continue
        a, b = zip(*both, strict=True)
        out[metric] = compare(a, b, seed, params.bootstrap, params.confidence)
        if metric == "accuracy":
            out[metric]["queries_for_2_points"] = queries_needed([x - y for x, y in both], 0.02)
    return out


def _share(flags: Sequence[bool | None]) -> float | None:
    known = [flag for flag in flags if flag is not None]
    return round(sum(known) / len(known), DIGITS) if known else None
