"""Check that the reports in the working tree belong to its current source, params and stages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skillshot.track.gate import GateRow
from skillshot.track.state import PUBLISHER, changed_sources, lock_stages, md5_of, yaml_of


def staleness(root: Path) -> list[GateRow]:
    """One row per stage of the repository in `root`.

    `stale`: a source file or param is not the one in the stage's entry of `dvc.lock`. `missing`: the stage has not run.
    `edited`: an output is not what the stage wrote; this passes the gate, but `register` refuses it, and `dvc repro`
    restores it. Only files in the working tree are checked; data and models need not be there.
    """
    lock, declared = root / "dvc.lock", yaml_of(root / "dvc.yaml").get("stages", {})
    stages = lock_stages(lock.read_text(encoding="utf-8")) if lock.is_file() else {}
    params = yaml_of(root / "params.yaml") if (root / "params.yaml").is_file() else {}
    rows = []
    for name in (name for name in declared if name != PUBLISHER):
        if name not in stages:
            rows.append(GateRow(f"stage:{name}", "missing", detail=f"it has not run; run `dvc repro {name}`"))
            continue
        stage = stages[name]
        changed = changed_sources(root, stage, stages)
        known = stage.get("params", {}).get("params.yaml", {})
        changed += [f"params.yaml: {key}" for key, value in known.items() if _leaf(params, key) != value]
        outs = [(out["path"], out["md5"]) for out in stage.get("outs", ()) if out.get("md5")]
        edited = [path for path, md5 in outs if (root / path).is_file() and md5_of(root / path) != md5]
        if changed:
            rows.append(GateRow(f"stage:{name}", "stale", detail=f"{changed[0]} has changed; run `dvc repro {name}`"))
        elif edited:
            rows.append(GateRow(f"stage:{name}", "edited", detail=f"{edited[0]} is not what the stage wrote"))
        else:
            rows.append(GateRow(f"stage:{name}", "same"))
    return rows


def _leaf(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree
