"""What an evaluation shows: paired differences to one baseline, and which of them are worth a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skillshot.common.tables import FEW, OURS, counted
from skillshot.evaluation.summary import BASELINES

TITLES = {"nll": "gold NLL, nats per token (lower is better)", "accuracy": "accuracy (higher is better)"}
DECIDES = 0.02  # a difference of accuracy for which the number of queries is named


@dataclass(frozen=True)
class Difference:
    """A selector minus the baseline on the same queries, with its interval."""

    selector: str
    diff: float
    low: float
    high: float
    better: bool
    queries: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0

    @property
    def certain(self) -> bool:
        """Whether the interval excludes 0, on queries enough for an interval that is not too narrow."""
        return self.excludes_zero and self.queries >= FEW

    @property
    def verdict(self) -> str:
        """In words, such as "better, certain"."""
        way = "equal" if self.diff == 0 else "better" if self.better else "worse"
        few = f" on {counted(self.queries, 'query')}" if self.excludes_zero and not self.certain else ""
        return f"{way}, {'certain' if self.certain else 'not certain'}{few}"

    @property
    def figures(self) -> str:
        """Difference and interval, such as "-0.520 [-0.829, -0.240]"."""
        return f"{self.diff:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True)
class Panel:
    """The differences of one metric; `absent` says why they are not drawn, and is empty where they are."""

    metric: str
    title: str
    rows: tuple[Difference, ...]
    absent: str

    @property
    def limits(self) -> tuple[float, float]:
        """Ends of an axis with 0 and all intervals on it."""
        low = min(0.0, *(row.low for row in self.rows))
        high = max(0.0, *(row.high for row in self.rows))
        edge = 0.05 * (high - low) or 1.0
        return low - edge, high + edge


def contrast(summary: Mapping[str, Any]) -> tuple[str, str] | None:
    """The two selectors that a reader compares first: skillshot, else the first that is no baseline, and `question`.

    `random` stands in for a missing `question`. None where there is no such pair.
    """
    names = list(summary["selectors"])
    base = next((name for name in BASELINES if name in names), None)
    others = sorted((name for name in names if name != base), key=lambda name: (name != OURS, name in BASELINES))
    return (others[0], base) if base and others else None


def panels(summary: Mapping[str, Any]) -> list[Panel]:
    """A panel for each metric, those that are drawn first; its rows are the selector of `contrast`, then the others.

    A panel is drawn where there are `FEW` queries or more, or where an interval excludes 0.
    """
    pair = contrast(summary)
    if pair is None:
        return []
    (first, base), queries = pair, summary["queries"]
    out = []
    for metric, title in TITLES.items():
        rows = [
            Difference(
                name, found["diff"], found["low"], found["high"], (found["diff"] < 0) == (metric == "nll"), queries
            )
            for name in dict.fromkeys([first, *summary["selectors"]])
            if (found := summary["pairs"].get(f"{name}-{base}", {}).get(metric))
        ]
        out.append(Panel(metric, title, tuple(rows), _absent(summary, metric, rows)))
    return sorted(out, key=lambda panel: bool(panel.absent))


def cost(row: Mapping[str, Any], queries: int) -> float:
    """Money of a query where there are prices, else tokens; the selection's own calls count, the bank's do not."""
    if "money" in row:
        return float(row["money"]) / queries
    kinds = ("prompt_tokens", "completion_tokens", "selection_prompt_tokens", "selection_completion_tokens")
    return float(sum(row.get(kind, 0) for kind in kinds)) / queries


def _absent(summary: Mapping[str, Any], metric: str, rows: list[Difference]) -> str:
    if not rows:
        return str(summary.get("missing", {}).get(metric, "not measured"))
    if summary["queries"] >= FEW or any(row.excludes_zero for row in rows):
        return ""
    reason = f"{counted(summary['queries'], 'query')}, fewer than {FEW}, and no interval excludes 0"
    pairs = (summary["pairs"].get(name, {}).get(metric) or {} for name in summary["pairs"])
    needed = max((pair.get("queries_for_2_points") or 0 for pair in pairs), default=0)
    return reason + (f"; a difference of {DECIDES:.2f} would need about {needed:,} queries" if needed else "")
