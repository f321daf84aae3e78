"""Training curves as a table and as a picture."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from skillshot.common.io import atomic_write
from skillshot.common.sinks import csv_cell, label


def write_curves(path: str | PathLike[str], history: Sequence[Mapping[str, Any]]) -> None:
    """One row per model and epoch, six significant digits."""
    with atomic_write(path) as handle:
        table = csv.DictWriter(handle, list(history[0]) if history else ["model", "epoch"], lineterminator="\n")
        table.writeheader()
        for row in history:
            table.writerow({k: f"{v:.6g}" if isinstance(v, float) else csv_cell(v) for k, v in row.items()})


def draw_curves(path: str | PathLike[str], history: Sequence[Mapping[str, Any]]) -> None:
    """Loss and KL by epoch, learned and held-out, one column per model."""
    import matplotlib.pyplot as plt

    models = list(dict.fromkeys(row["model"] for row in history))
    figure, axes = plt.subplots(
        2, max(1, len(models)), figsize=(5 * max(1, len(models)), 6), squeeze=False, sharex="col"
    )
    for column, model in enumerate(models):
        rows = [row for row in history if row["model"] == model]
        for line, name in enumerate(("reconstruction", "kl")):
            axis = axes[line][column]
            for key, legend in ((name, "training"), (f"held_out_{name}", "held out")):
                axis.plot([row["epoch"] for row in rows], [row[key] for row in rows], label=legend)
            axis.set_title(f"{label(model)}: {name}")
            axis.legend()
        axes[1][column].set_xlabel("epoch")
    figure.tight_layout()
    with atomic_write(path, "wb") as handle:
        figure.savefig(handle, format="png", dpi=110, metadata={"Software": ""})
    plt.close(figure)
