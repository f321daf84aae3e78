"""Text tables for people, and what an evaluation's number of queries can decide."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

from skillshot.common.sinks import one_line
from skillshot.common.text import plural

FEW = 30  # queries below which a bootstrap interval is too narrow to be trusted
OURS = "skillshot"


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Aligned text table; floats with three digits, missing values as a dash."""
    cells = [list(columns)] + [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    lines = ["  ".join(_align(line[i], widths[i], i) for i in range(len(columns))).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])


def overview(report: Mapping[str, Any]) -> str:
    """Table of reports/evaluate.json: each selector's hit@k on all queries, and what the LLM made of its choice."""
    alignment = report.get("alignment", {}).get("selectors", {})
    names = list(dict.fromkeys([*report["selectors"], *alignment]))
    rows: list[dict[str, Any]] = [
        {"selector": name, **alignment.get(name, {}), **report["selectors"].get(name, {})} for name in names
    ]
    rows.sort(key=lambda row: (row.get("hit@k") is None, row.get("hit@k") or 0.0))
    columns = [column for column in ("hit@k", "nll", "accuracy") if any(row.get(column) is not None for row in rows)]
    return table(rows, ["selector", *columns])


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is one."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def pairs(report: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The compared selectors of a report with their metrics; a pair that is there in both directions comes once."""
    seen: set[frozenset[str]] = set()
    for name, metrics in report["pairs"].items():
        first, second = _split(name, report["selectors"])
        if frozenset((first, second)) not in seen:
            seen.add(frozenset((first, second)))
            yield first, second, metrics


def undecided(report: Mapping[str, Any], confidence: float = 0.95) -> Iterator[str]:
    """What a report's number of queries does not decide: that they are few, and the pairs that stay open.

    Args:
        report: of `score` or `evaluate`, with "queries", "selectors" and "pairs"; where skillshot is among the
            selectors, only its own pairs count.
    """
    queries = report["queries"]
    amount = counted(queries, "query")
    if queries < FEW:
        yield f"{amount} {'is' if queries == 1 else 'are'} few: with fewer than {FEW}, intervals are too narrow"
    open_pairs = [
        f"{first} from {second} by {metric} ({_needed(pair, queries, confidence)})"
        for first, second, metrics in pairs(report)
        if first == OURS or OURS not in report["selectors"]
        for metric, pair in metrics.items()
        if pair and pair["low"] <= 0 <= pair["high"]
    ]
    if open_pairs:
        yield f"{amount} cannot separate {', '.join(open_pairs)}"


def _needed(pair: Mapping[str, Any], queries: int, confidence: float, power: float = 0.8) -> str:
    """Queries for the observed difference, from the width of its interval (see `statistics.queries_needed`)."""
    if pair["diff"]:
        z, half = NormalDist().inv_cdf(0.5 + confidence / 2), (pair["high"] - pair["low"]) / 2
        share = (z + NormalDist().inv_cdf(power)) / z * half / abs(pair["diff"])
        needed = math.ceil(queries * max(1.0, share**2))
        return f"a difference of {abs(pair['diff']):.3f} needs about {needed:,}"
    if points := pair.get("queries_for_2_points"):
        return f"a difference of 0.020 needs about {points:,}"
    return "equal on all of them"


def _split(pair: str, selectors: Mapping[str, Any]) -> tuple[str, str]:
    """The two names of "first-second"; names may hold a hyphen themselves."""
    for name in selectors:
        if pair.startswith(f"{name}-") and pair.removeprefix(f"{name}-") in selectors:
            return name, pair.removeprefix(f"{name}-")
    first, _, second = pair.rpartition("-")
    return first, second


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else one_line(value)


def _align(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)
