"""Plots of an evaluation: PNG for reports, one self-contained HTML page to read."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from skillshot.common.io import atomic_write
from skillshot.common.record import Record
from skillshot.common.sinks import label, one_line
from skillshot.evaluation.evidence import contrast, panels
from skillshot.evaluation.pages import page
from skillshot.evaluation.results import Evaluation

NAME = 24  # characters of a selector's name; with longer ones nothing is left of the axes
CERTAIN, OPEN = "#0072b2", "#6e7781"  # filled and hollow marks show the same


def plot(evaluation: Evaluation, folder: Path, texts: Mapping[str, Record] | None = None) -> list[Path]:
    """Write evaluate.png and evaluate.html; returns their paths.

    Args:
        texts: queries and demonstrations by id, to be read where selectors disagree.
    """
    png, html = folder / "evaluate.png", folder / "evaluate.html"
    with atomic_write(png, "wb") as handle:
        handle.write(figure(evaluation.summary))
    with atomic_write(html) as handle:
        handle.write(page(evaluation, texts or {}))
    return [png, html]


def figure(summary: Mapping[str, Any]) -> bytes:
    """PNG: each selector's paired difference to the baseline with its interval, a panel per metric with evidence.

    A filled mark is a difference that is certain. A metric without evidence is named in the last line.
    """
    from matplotlib.figure import Figure

    pair, found = contrast(summary), panels(summary)
    drawn = [panel for panel in found if not panel.absent]
    most = max((len(panel.rows) for panel in drawn), default=1)
    whole = Figure(figsize=(6.5 * max(1, len(drawn)), 0.42 * most + 1.9), layout="constrained")
    axes = whole.subplots(1, max(1, len(drawn)), squeeze=False)[0]
    axes[0].set_axis_off()
    for axis, panel in zip(axes, drawn, strict=False):
        axis.set_axis_on()
        for y, row in enumerate(panel.rows[::-1]):
            colour = CERTAIN if row.certain else OPEN
            axis.errorbar(
                row.diff, y, xerr=[[row.diff - row.low], [row.high - row.diff]], fmt="o", capsize=3, color=colour,
                markerfacecolor=colour if row.certain else "white",
            )  # fmt: skip
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_yticks(range(len(panel.rows)), [label(row.selector, NAME) for row in panel.rows[::-1]])
        axis.set_ylim(-0.6, len(panel.rows) - 0.4)
        axis.set_xlim(*panel.limits)
        axis.set_xlabel(f"{panel.metric} minus that of {label(pair[1], NAME) if pair else ''}\n{panel.title}")
        axis.grid(axis="x", alpha=0.3)
    size = f"{summary['queries']} queries, {summary['shots']} shots"
    absent = [f"{panel.metric} is not drawn: {panel.absent}" for panel in found if panel.absent]
    absent += [] if pair else ["no second selector to compare with"]
    whole.suptitle(f"{label(summary['llm'])}, {size}")
    if absent:
        whole.supxlabel(fill(label("; ".join(absent), 240), 50 * len(axes) + 20), fontsize=8)
    out = io.BytesIO()
    lead = [
        f"{panel.rows[0].selector} minus {pair[1]}, {panel.title}: {panel.rows[0].figures}" for panel in drawn if pair
    ]
    described = one_line("; ".join([*lead, *absent]))
    whole.savefig(out, format="png", dpi=110, metadata={"Software": None, "Description": described})
    return out.getvalue()
