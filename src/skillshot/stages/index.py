"""Stage index: exported model and bank vectors -> the bundle that `Selector.load` opens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skillshot.bundle.build import build_bundle, bundle_facts
from skillshot.common.io import read_json, write_json
from skillshot.common.params import load_params
from skillshot.common.record import read_records
from skillshot.common.structure import structure_of
from skillshot.model.fitted import Fitted
from skillshot.runtime.selector import Selector
from skillshot.stages._runner import stage_main


@stage_main
def main() -> None:
    """Write models/index and reports/index.json."""
    params = load_params()
    folder = Path("models/index")
    records = list(read_records("data/validate/bank.jsonl"))
    fitted = Fitted.load("models/train")
    vectors = dict(fitted.vectors)
    for side in ("question", "rationale"):
        vectors[side] = np.load(f"data/embed/bank_{side}.npy", allow_pickle=False)
    source, prior = structure_of(records).source, fitted.rationale_view.prior
    facts = bundle_facts(records, params, fitted.diagnostics, fitted.score, fitted.verdict, source, prior)
    build_bundle(Path("models/export"), vectors, records, facts, params, folder)
    selector = Selector.load(folder)
    files = read_json(folder / "manifest.json")["files"]
    write_json(
        "reports/index.json",
        {
            "demonstrations": len(selector),
            "mode": selector.mode,
            "bytes": sum(entry["bytes"] for entry in files.values()),
            "files": len(files),
        },
    )


if __name__ == "__main__":
    main()
