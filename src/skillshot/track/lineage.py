"""Lineage of a model version: data, code, params, machine, and the commands that reproduce it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from skillshot.track.describe import commands, tuning_text
from skillshot.track.promotion import read_history, resolve
from skillshot.track.publish import DIRTY, MACHINE_FILE, STATE
from skillshot.track.state import fingerprint, lock_stages

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore

MACHINE = "skillshot.machine."  # prefix of tags
TUNING = "reports/tune.json"


def lineage(store: MlflowStore, version: str) -> dict[str, Any]:
    """Everything recorded about a version, given by number or alias.

    Raises:
        TrackError: there is no such version.
    """
    number = resolve(store, version)
    made = store.versions()[number]
    run = store.client.get_run(made.run_id)
    tags = run.data.tags
    commit = tags.get("mlflow.source.git.commit", "")
    digest, dirty = tags.get(STATE, ""), tags.get(DIRTY) != "false"
    stages = lock_stages(store.read_artifact(made.run_id, "pipeline/dvc.lock") or "")
    return {
        "version": number,
        "aliases": sorted(alias for alias, of in store.aliases().items() if of == number),
        "model": store.model,
        "run": made.run_id,
        "tracking": store.uri,
        "commit": commit,
        "dirty": tags.get("skillshot.dirty_paths", "unknown").split(", ") if dirty else [],
        "unrecorded": tags["skillshot.unrecorded"].split(", ") if "skillshot.unrecorded" in tags else [],
        "pipeline": digest,
        "fingerprint": fingerprint(digest, dirty) if digest else "",
        "stages": {
            name: {
                part: {entry["path"]: entry.get("md5", "") for entry in stage.get(part, ())}
                for part in ("deps", "outs")
            }
            | {"params": stage.get("params", {}), "cmd": stage.get("cmd", "")}
            for name, stage in stages.items()
        },
        "data": {
            item.dataset.name: {"digest": item.dataset.digest, "source": item.dataset.source}
            for item in (run.inputs.dataset_inputs if run.inputs else ())
        },
        "tuned": tuning_text(json.loads(store.read_artifact(made.run_id, TUNING) or "{}")),
        "machine": _machine(store, made.run_id, tags),
        "gate": made.tags.get("skillshot.gate", "not judged"),
        "history": [asdict(move) for move in read_history(store) if number in (move.version, move.before)],
        "again": commands(commit, dirty=dirty),
    }


def _machine(store: MlflowStore, run: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Facts of the machine, sorted; earlier versions of this package kept them as tags."""
    text = store.read_artifact(run, MACHINE_FILE)
    facts = json.loads(text) if text else {k.removeprefix(MACHINE): v for k, v in tags.items() if k.startswith(MACHINE)}
    return dict(sorted(facts.items()))
