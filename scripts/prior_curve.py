"""The picture of docs/results/prior.md from its figures: `python -m scripts.prior_curve` (prior_curve.json to .svg)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "docs/results"
FIGURES, PICTURE = RESULTS / "prior_curve.json", RESULTS / "prior_curve.svg"
# key -> label, colour, dashes; colours that differ for all kinds of sight (Okabe and Ito)
LINES = {
    "question": ("question similarity", "#56606b", (4, 2)),
    "without": ("skillshot without the prior", "#e69f00", ()),
    "with": ("skillshot with the prior", "#0072b2", ()),
}


def quality(pair: list[float]) -> float:
    """Mean of hit@4 and any@4, in which the differences of the page are given."""
    return sum(pair) / 2


def draw(figures: dict[str, Any], path: Path) -> None:
    """One panel a bank, rows on a logarithmic axis; the same figures give the same bytes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with matplotlib.rc_context({"svg.hashsalt": "prior", "svg.fonttype": "none", "font.size": 8}):
        grid, panels = pyplot.subplots(2, 3, figsize=(8.4, 4.8))
        for panel, (name, points) in zip(panels.flat, figures["banks"].items(), strict=True):
            rows = [point["rows"] for point in points]
            for key, (label, colour, dashes) in LINES.items():
                values = [quality(point[key]) for point in points]
                panel.plot(rows, values, marker="o", markersize=3, color=colour, dashes=dashes, label=label)
            panel.set_xscale("log")
            panel.set_xticks(rows, [f"{count:,}" for count in rows])
            panel.minorticks_off()
            panel.set_title(name, fontsize=9)
            panel.spines[["top", "right"]].set_visible(False)
        for panel in panels[-1]:
            panel.set_xlabel("rows of the bank")
        for panel in panels[:, 0]:
            panel.set_ylabel("mean of hit@4 and any@4")
        grid.legend(*panels.flat[0].get_legend_handles_labels(), loc="upper center", ncols=3, frameon=False)
        grid.tight_layout(rect=(0, 0, 1, 0.95))
        grid.savefig(path, metadata={"Date": None, "Creator": "skillshot"})
        pyplot.close(grid)


if __name__ == "__main__":
    draw(json.loads(FIGURES.read_text()), PICTURE)
    print(PICTURE)
