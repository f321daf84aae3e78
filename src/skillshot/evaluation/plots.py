"""Plots of an evaluation: PNG for reports, one self-contained HTML page to read."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skillshot.common.io import atomic_write
from skillshot.common.record import Record
from skillshot.common.sinks import label
from skillshot.evaluation.pages import page
from skillshot.evaluation.results import Evaluation

NAME = 24  # characters of a selector's name; with longer ones nothing is left of the axes
TITLES = {"nll": "gold NLL, nats per token (lower is better)", "accuracy": "accuracy (higher is better)"}


def plot(evaluation: Evaluation, folder: Path, texts: Mapping[str, Record] | None = None) -> list[Path]:
    """Write evaluate.png and evaluate.html; returns their paths.

    Args:
        texts: queries and demonstrations by id, to be read where selectors disagree.
    """
    import matplotlib

    matplotlib.use("Agg")
    image = figure(evaluation.summary)
    png, html = folder / "evaluate.png", folder / "evaluate.html"
    with atomic_write(png, "wb") as handle:
        handle.write(image)
    with atomic_write(html) as handle:
        handle.write(page(evaluation, image, texts or {}))
    return [png, html]


def figure(summary: dict[str, Any]) -> bytes:
    """PNG: each metric with its interval by selector, above; the same against the cost of a query, below."""
    from matplotlib.figure import Figure

    selectors = summary["selectors"]
    metrics = [name for name in TITLES if any(row[name] is not None for row in selectors.values())]
    height = 0.35 * len(selectors) + 1.4
    whole = Figure(figsize=(6.5 * max(1, len(metrics)), height + 4), layout="constrained")
    axes = whole.subplots(2, max(1, len(metrics)), squeeze=False, height_ratios=[height, 4])
    names = list(selectors)[::-1]
    for column, metric in enumerate(metrics):
        above, below = axes[0][column], axes[1][column]
        for y, name in enumerate(names):
            row = selectors[name]
            if row[metric] is None:
                continue
            error = [[row[metric] - row[f"{metric}_low"]], [row[f"{metric}_high"] - row[metric]]]
            above.errorbar(row[metric], y, xerr=error, fmt="o", capsize=3, color=f"C{y % 10}")
            below.plot(cost(row, summary["queries"]), row[metric], "o", color=f"C{y % 10}", label=label(name, NAME))
        above.set_yticks(range(len(names)), [label(name, NAME) for name in names])
        above.set_xlabel(TITLES[metric])
        above.grid(axis="x", alpha=0.3)
        below.set_xlim(0, 1.2 * max(cost(row, summary["queries"]) for row in selectors.values()))
        money = any("money" in row for row in selectors.values())
        below.set_xlabel("money per query" if money else "tokens per query, those of the selection too")
        below.set_ylabel(TITLES[metric])
        below.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1), reverse=True)
        below.grid(alpha=0.3)
    whole.suptitle(f"{label(summary['llm'])}, {summary['queries']} queries, {summary['shots']} shots")
    out = io.BytesIO()
    whole.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def cost(row: Mapping[str, Any], queries: int) -> float:
    """Money of a query where there are prices, else tokens; the selection's own calls count, the bank's do not."""
    if "money" in row:
        return float(row["money"]) / queries
    kinds = ("prompt_tokens", "completion_tokens", "selection_prompt_tokens", "selection_completion_tokens")
    return float(sum(row.get(kind, 0) for kind in kinds)) / queries
