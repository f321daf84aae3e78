"""Training curves as a table and as a picture."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from skillshot.common.io import atomic_write
from skillshot.common.sinks import csv_cell, label, one_line

MEASURES = {"reconstruction": "squared reconstruction error", "kl": "KL in nats"}
TRAINING, HELD_OUT = "#d55e00", "#0072b2"  # differ for colour-blind readers; the dashes too


def write_curves(path: str | PathLike[str], history: Sequence[Mapping[str, Any]]) -> None:
    """One row per model and epoch, six significant digits."""
    with atomic_write(path) as handle:
        table = csv.DictWriter(handle, list(history[0]) if history else ["model", "epoch"], lineterminator="\n")
        table.writeheader()
        for row in history:
            table.writerow({k: f"{v:.6g}" if isinstance(v, float) else csv_cell(v) for k, v in row.items()})


def draw_curves(path: str | PathLike[str], history: Sequence[Mapping[str, Any]]) -> None:
    """Reconstruction error and KL by epoch, in training and held out, a column per model, on logarithmic axes.

    A line marks the epoch whose weights are kept: that of the lowest held-out loss. The file's field Description is
    the text for readers who do not see the picture.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    models = list(dict.fromkeys(row["model"] for row in history))
    columns = max(1, len(models))
    figure = Figure(figsize=(5.5 * columns, 6.5), layout="constrained")
    axes = figure.subplots(2, columns, squeeze=False, sharex="col")
    described = []
    for column, model in enumerate(models):
        rows = [row for row in history if row["model"] == model]
        epochs = [row["epoch"] for row in rows]
        kept = min(rows, key=lambda row: float(row["held_out_loss"]))
        for axis, (key, title) in zip(axes[:, column], MEASURES.items(), strict=True):
            axis.plot(epochs, [row[key] for row in rows], "--", color=TRAINING, label="training")
            axis.plot(epochs, [row[f"held_out_{key}"] for row in rows], color=HELD_OUT, label="held out")
            axis.axvline(kept["epoch"], color="black", linewidth=0.8, linestyle=":", label="weights that are kept")
            axis.set_yscale("log")
            axis.yaxis.set_major_formatter(LogFormatter())
            axis.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
            axis.set_ylabel(title)
            axis.grid(alpha=0.3)
        axes[0][column].set_title(label(model))
        axes[0][column].legend()
        axes[1][column].set_xlabel("epoch")
        values = ", ".join(f"{title} {kept[f'held_out_{key}']:.3g}" for key, title in MEASURES.items())
        described.append(f"{one_line(model)}: {len(rows)} epochs, weights of epoch {kept['epoch']}, held out {values}")
    text = f"Training curves. {'; '.join(described)}."
    with atomic_write(path, "wb") as handle:
        figure.savefig(handle, format="png", dpi=110, metadata={"Software": "", "Description": text})
