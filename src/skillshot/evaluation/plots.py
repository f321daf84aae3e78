"""Plots of an evaluation: PNG for reports, one self-contained HTML page to read."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import Any

from skillshot.evaluation.core import Evaluation, Row
from skillshot.io import atomic_write

TITLES = {"nll": "gold NLL, nats per token (lower is better)", "accuracy": "accuracy (higher is better)"}
SHOWN = 12  # disagreements on the page


def plot(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write evaluate.png and evaluate.html; returns their paths."""
    import matplotlib

    matplotlib.use("Agg")
    image = _figure(evaluation.summary)
    png, page = folder / "evaluate.png", folder / "evaluate.html"
    with atomic_write(png, "wb") as handle:
        handle.write(image)
    with atomic_write(page) as handle:
        handle.write(_page(evaluation, image))
    return [png, page]


def _figure(summary: dict[str, Any]) -> bytes:
    from matplotlib.figure import Figure

    selectors = summary["selectors"]
    metrics = [name for name in TITLES if any(row[name] is not None for row in selectors.values())]
    figure = Figure(figsize=(5.5 * (len(metrics) + 1), 0.4 * len(selectors) + 1.8), layout="constrained")
    axes = figure.subplots(1, len(metrics) + 1, squeeze=False)[0]
    names = list(selectors)[::-1]
    for axis, metric in zip(axes, metrics, strict=False):
        for y, name in enumerate(names):
            row = selectors[name]
            if row[metric] is None:
                continue
            error = [[row[metric] - row[f"{metric}_low"]], [row[f"{metric}_high"] - row[metric]]]
            axis.errorbar(row[metric], y, xerr=error, fmt="o", capsize=3, color=f"C{y % 10}")
        axis.set_yticks(range(len(names)), names)
        axis.set_xlabel(TITLES[metric])
        axis.grid(axis="x", alpha=0.3)
    cost = axes[-1]
    for y, name in enumerate(names if metrics else []):
        row = selectors[name]
        tokens = (row["prompt_tokens"] + row["completion_tokens"]) / summary["queries"]
        cost.plot(tokens, row[metrics[0]], "o", color=f"C{y % 10}")
        cost.annotate(name, (tokens, row[metrics[0]]), fontsize=8, xytext=(4, 4), textcoords="offset points")
    cost.set_xlabel("tokens per query")
    cost.set_ylabel(TITLES[metrics[0]] if metrics else "")
    cost.grid(alpha=0.3)
    figure.suptitle(f"{summary['llm']}, {summary['queries']} queries, {summary['shots']} shots")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def disagreements(evaluation: Evaluation, limit: int = SHOWN) -> list[list[Row]]:
    """Rows of the queries on which selectors differ most: right against wrong first, then by spread of NLL."""
    by_query: dict[str, list[Row]] = {}
    for row in evaluation.rows:
        by_query.setdefault(row.query, []).append(row)

    def order(rows: list[Row]) -> tuple[int, float]:
        known = [row.nll for row in rows if row.nll is not None]
        return (-len({row.correct for row in rows}), -(max(known) - min(known)) if known else 0.0)

    return sorted((rows for rows in by_query.values() if len(rows) > 1), key=order)[:limit]


def _page(evaluation: Evaluation, image: bytes) -> str:
    summary = evaluation.summary
    columns = ("accuracy", "nll", "format_valid", "llm_calls", "prompt_tokens", "completion_tokens")
    selectors = [[name, *(row[column] for column in columns)] for name, row in summary["selectors"].items()]
    pairs = [
        [name, metric, *(pair[key] for key in ("diff", "low", "high", "p"))]
        for name, metrics in summary["pairs"].items()
        for metric, pair in metrics.items()
        if pair
    ]
    read = [
        [row.query, row.selector, row.correct, row.nll and round(row.nll, 3), row.answer, row.found,
         ", ".join(row.demonstrations)]
        for rows in disagreements(evaluation) for row in rows
    ]  # fmt: skip
    data = base64.b64encode(image).decode()
    return "\n".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8><title>skillshot evaluate</title>",
            "<style>body{font:14px sans-serif;margin:2em;max-width:75em}table{border-collapse:collapse;margin:1em 0}"
            "td,th{border:1px solid #ccc;padding:3px 8px;text-align:left}img{max-width:100%}</style>",
            f"<h1>Evaluation with {html.escape(summary['llm'])}</h1>",
            f"<p>{summary['queries']} queries, {summary['shots']} shots. Intervals: paired bootstrap.</p>",
            *(
                f"<p>{html.escape(metric)}: {html.escape(why)}</p>"
                for metric, why in summary.get("missing", {}).items()
            ),
            f'<img alt="metrics by selector" src="data:image/png;base64,{data}">',
            _table(["selector", *columns], selectors),
            "<h2>Paired differences</h2>",
            _table(["pair", "metric", "difference", "low", "high", "p"], pairs),
            "<h2>Where selectors disagree</h2>",
            _table(["query", "selector", "right", "nll", "gold", "found", "demonstrations"], read),
            "</html>\n",
        ]
    )


def _table(head: list[str], rows: list[list[Any]]) -> str:
    def line(cells: list[Any], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(_text(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "\n".join(["<table>", line(head, "th"), *(line(row, "td") for row in rows), "</table>"])


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
