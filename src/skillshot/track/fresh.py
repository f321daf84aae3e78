"""Are the results in the working tree those of the source, params and stages that lie beside them?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skillshot.track.gate import Row
from skillshot.track.state import PUBLISHER, lock_stages, md5_of, yaml_of


def fresh(root: Path) -> list[Row]:
    """One row per stage of the repository in `root`: reports of other code say nothing about this code.

    `stale`: a source file or param is not the one that `dvc.lock` names for the stage; `missing`: it has not run.
    `edited`: an output is not what the stage wrote; that is told, `register` refuses it and `dvc repro` makes it again.
    Only what lies in the working tree is looked at: data and models need not be there.
    """
    lock, declared = root / "dvc.lock", yaml_of(root / "dvc.yaml").get("stages", {})
    stages = lock_stages(lock.read_text(encoding="utf-8")) if lock.is_file() else {}
    params = yaml_of(root / "params.yaml") if (root / "params.yaml").is_file() else {}
    rows = []
    for name in (name for name in declared if name != PUBLISHER):
        if name not in stages:
            rows.append(Row(f"stage:{name}", "missing", detail=f"it has not run; run `dvc repro {name}`"))
            continue
        stage = stages[name]
        changed = [
            path for path, md5 in _files(stage, "deps") if (root / path).is_file() and md5_of(root / path) != md5
        ]
        known = stage.get("params", {}).get("params.yaml", {})
        changed += [f"params.yaml: {key}" for key, value in known.items() if _leaf(params, key) != value]
        edited = [path for path, md5 in _files(stage, "outs") if (root / path).is_file() and md5_of(root / path) != md5]
        if changed:
            rows.append(Row(f"stage:{name}", "stale", detail=f"{changed[0]} is another now; run `dvc repro {name}`"))
        elif edited:
            rows.append(Row(f"stage:{name}", "edited", detail=f"{edited[0]} is not what the stage wrote"))
        else:
            rows.append(Row(f"stage:{name}", "same"))
    return rows


def _files(stage: Mapping[str, Any], part: str) -> list[tuple[str, str]]:
    return [(entry["path"], entry["md5"]) for entry in stage.get(part, ()) if entry.get("md5")]


def _leaf(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree
