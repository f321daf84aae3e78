"""The figures that a person reads first, under one name on a run, on its children and on the model version.

A *gain* is the advantage over selection by plain question similarity. It is positive where the selector is better,
whatever the direction of the measure, so that one rule reads all: a lower end of the interval above 0 is certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from skillshot.common.intervals import Interval

OURS, RIVAL = "skillshot", "question"
ROWS = "reports/evaluate_rows.csv"


@dataclass(frozen=True)
class Measure:
    """A measure of `reports/evaluate.json`.

    name: of the metric in MLflow. key: in the report. within: the part of the report that has its tables. shown: for
    people. sign: 1 where more is better. column: of `reports/evaluate_rows.csv`, "" where no row per query is kept.
    """

    name: str
    key: str
    within: str
    shown: str
    sign: int
    column: str = ""


MEASURES = (
    Measure("hit_at_k", "hit@k", "alignment", "hit@k", 1),  # share of demonstrations of the right skill
    Measure("nll", "nll", "", "NLL", -1, "nll"),  # nats per token of the gold answer
    Measure("accuracy", "accuracy", "", "accuracy", 1, "correct"),
)


@dataclass(frozen=True)
class Figure:
    """One measure of one selector. gain: over question similarity, with its paired interval."""

    measure: Measure
    value: float
    queries: int
    gain: Interval | None


def figures(report: Mapping[str, Any], selector: str = OURS) -> Iterator[Figure]:
    """The measures that `reports/evaluate.json`, given as a tree, has of a selector."""
    for measure in MEASURES:
        part = report.get(measure.within, {}) if measure.within else report
        value = part.get("selectors", {}).get(selector, {}).get(measure.key)
        pair = part.get("pairs", {}).get(f"{selector}-{RIVAL}", {}).get(measure.key)
        if value is not None:
            queries = int(part.get("queries", 0))
            yield Figure(measure, value, queries, signed(measure, pair) if pair else None)


def signed(measure: Measure, pair: Mapping[str, float]) -> Interval:
    """A difference of a report (`diff`, `low`, `high`) as a gain: positive is better."""
    if measure.sign > 0:
        return Interval(pair["diff"], pair["low"], pair["high"])
    return Interval(-pair["diff"], -pair["high"], -pair["low"])


def headline(report: Mapping[str, Any], selector: str = OURS) -> dict[str, float]:
    """Metrics of MLflow: `nll`, `nll_gain`, `nll_gain_low` and so on, as far as the report has them."""
    found: dict[str, float] = {}
    for figure in figures(report, selector):
        name = figure.measure.name
        found[name] = float(figure.value)
        if figure.gain:
            found |= {f"{name}_gain": float(figure.gain.mean), f"{name}_gain_low": float(figure.gain.low)}
    return found
