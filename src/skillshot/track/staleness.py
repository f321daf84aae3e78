"""Check that the reports in the working tree belong to its current source, params and stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skillshot.track.rows import RECOMPUTED, GateRow
from skillshot.track.state import PUBLISHER, changed_files, changed_sources, lock_stages, md5_of, yaml_of


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
            rows.append(
                GateRow(
                    f"stage:{name}", "missing", None, None, None, f"it has not run; run `dvc repro {name}`", RECOMPUTED
                )
            )
            continue
        stage = stages[name]
        lacking = _lacking(declared[name], stage)
        if lacking:
            detail = f"dvc.lock has no {lacking[0]} for it; run `dvc repro {name}`"
            rows.append(GateRow(f"stage:{name}", "stale", detail=detail, source=RECOMPUTED))
            continue
        changed = changed_sources(root, stage, stages)
        if name == "source":
            changed += [f"the file that params.yaml names as {key}" for key in changed_files(root)]
        known = stage.get("params", {}).get("params.yaml", {})
        changed += [f"params.yaml: {key}" for key, value in known.items() if _leaf(params, key) != value]
        outs = [(out["path"], out["md5"]) for out in stage.get("outs", ()) if out.get("md5")]
        edited = [path for path, md5 in outs if (root / path).is_file() and md5_of(root / path) != md5]
        if changed:
            rows.append(
                GateRow(
                    f"stage:{name}",
                    "stale",
                    detail=f"{changed[0]} has changed; run `dvc repro {name}`",
                    source=RECOMPUTED,
                )
            )
        elif edited:
            rows.append(
                GateRow(f"stage:{name}", "edited", detail=f"{edited[0]} is not what the stage wrote", source=RECOMPUTED)
            )
        else:
            rows.append(GateRow(f"stage:{name}", "same", source=RECOMPUTED))
    return rows


def _lacking(declared: Mapping[str, Any], stage: Mapping[str, Any]) -> list[str]:
    """Dependencies, outputs and params that dvc.yaml names and the stage's entry of `dvc.lock` lacks."""
    outs = {name for part in ("outs", "metrics", "plots") for name in _names(declared.get(part, ()))}
    lacking = _names(declared.get("deps", ())) - {dep["path"] for dep in stage.get("deps", ())}
    lacking |= outs - {out["path"] for out in stage.get("outs", ())}
    return sorted(
        lacking | (_names(declared.get("params", ())) - stage.get("params", {}).get("params.yaml", {}).keys())
    )


def _names(entries: Iterable[Any]) -> set[str]:
    """Paths or keys of a list in dvc.yaml, whose entries may have options."""
    return {str(name) for entry in entries for name in ([entry] if isinstance(entry, str) else entry)}


def _leaf(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree
