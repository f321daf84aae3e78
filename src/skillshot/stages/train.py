"""Stage train: data/validate/bank.jsonl + data/embed/bank_*.npy to models/train/, with curves and diagnostics."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from skillshot.common.io import write_json
from skillshot.common.params import load_params
from skillshot.common.parts import engine
from skillshot.common.record import read_records
from skillshot.common.structure import structure_of
from skillshot.common.verdict import FitVerdict
from skillshot.stages._runner import stage_main

LABELS = ("skill_label", "skill", "template")  # a comparison on the map only; training never reads them
CHECKPOINTS = Path("models/.train")


@stage_main
def main() -> None:
    """Run the stage in the repository's root."""
    from skillshot.training.curves import draw_curves, write_curves
    from skillshot.training.fit import fit
    from skillshot.training.map_views import draw_map, write_map
    from skillshot.training.skill_map import skill_map

    params = load_params()
    bank = list(read_records("data/validate/bank.jsonl"))
    question, rationale = (
        np.load(f"data/embed/bank_{side}.npy", allow_pickle=False) for side in ("question", "rationale")
    )
    with engine(params.engine):
        fitted = fit(bank, question, rationale, params.train, params.seed, work=CHECKPOINTS)
    fitted.save("models/train")
    # of use to a killed run only
    shutil.rmtree(CHECKPOINTS, ignore_errors=True)
    write_curves("reports/train_curves.csv", fitted.history)
    draw_curves("reports/plots/train_curves.png", fitted.history)
    # steps and latent; the blocks after them hold what a question is about
    width = sum(fitted.score["widths"][:2])
    found = skill_map(bank, fitted.vectors["skillshot"][:, :width], params.seed)
    label = next((name for name in LABELS if any(name in record.metadata for record in bank)), None)
    draw_map("reports/plots/skill_map.png", found)
    write_map("reports/plots/skill_map.html", bank, found, label)
    report: dict[str, object] = {
        "records": len(bank), "features": fitted.question_view.width, "suspicious": len(fitted.suspicious),
    }  # fmt: skip
    numbers = fitted.diagnostics | FitVerdict.from_dict(fitted.verdict).metrics()
    report |= {"structure": structure_of(bank).source, "decision": fitted.verdict["verdict"]}
    write_json("reports/train.json", report | {key: round(value, 6) for key, value in numbers.items()})


if __name__ == "__main__":
    main()
