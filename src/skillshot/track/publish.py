"""Publish a pipeline state to MLflow once and completely, whether its stages ran or came from a cache.

A state has one parent run per fingerprint, with a child run per selector, and one model version. The tag
`skillshot.complete` is set last: a run without it was killed, and is deleted and published again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skillshot.common.errors import TrackError
from skillshot.common.params import Params
from skillshot.track.collect import StateReport, collect
from skillshot.track.machine import describe
from skillshot.track.secrets import refuse_secrets
from skillshot.track.state import PipelineState, read_state

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore

FINGERPRINT, COMPLETE, DIRTY = "skillshot.fingerprint", "skillshot.complete", "skillshot.dirty"
CHALLENGER = "challenger"
BUNDLE = "models/selector"
INPUTS = {"data/validate/bank.jsonl": "training", "data/validate/queries.jsonl": "evaluation"}


@dataclass(frozen=True)
class Published:
    """Where a state is in MLflow. new: whether this call published it."""

    run: str
    version: str
    new: bool
    state: PipelineState
    report: StateReport


def publish(root: Path, params: Params) -> Published:
    """Publish the pipeline state of the repository in `root` to MLflow, unless it is already there.

    Raises:
        TrackError: the state is incomplete, its files are not those of `dvc.lock`, or a file contains a secret.
    """
    state = read_state(root)
    state.check_files()
    report = collect(root, params.to_dict())
    bundle = root / BUNDLE
    if not bundle.is_dir():
        raise TrackError(f"{BUNDLE}: no bundle to publish\nrun `dvc repro index`")
    shipped = [path for _, path in report.files] + [path for path in bundle.rglob("*") if path.is_file()]
    refuse_secrets(report.params, shipped, extra=[params.llm.api_key_env])

    from skillshot.track.mlflow_store import MlflowStore, home

    store = MlflowStore(root, params.register.experiment, params.register.model_name)
    found = _find(store, state)
    run, version = found or _publish(store, state, report, bundle)
    # an experiment in a temporary copy is not a candidate
    if home(root) == root and store.aliases().get(CHALLENGER) != version:
        store.set_alias(CHALLENGER, version)
    return Published(run, version, found is None, state, report)


def _find(store: MlflowStore, state: PipelineState) -> tuple[str, str] | None:
    """The complete run of this state; incomplete runs of killed publications are deleted."""
    clean = PipelineState(state.root, state.commit, (), state.stages)
    runs = store.find_runs({"skillshot.kind": "pipeline", "skillshot.bundle.build": state.digest})
    complete: dict[str, tuple[str, str]] = {}
    for run, tags in runs.items():
        version = store.version_of(run)
        if COMPLETE in tags and version:
            complete[tags[FINGERPRINT]] = run, version
        else:
            store.discard(run)
    # a clean run of the same commit and stages replaces a dirty one
    return complete.get(clean.fingerprint) or complete.get(state.fingerprint)


def _publish(store: MlflowStore, state: PipelineState, report: StateReport, bundle: Path) -> tuple[str, str]:
    experiment = os.environ.get("DVC_EXP_NAME")
    marks = {
        FINGERPRINT: state.fingerprint,
        DIRTY: str(bool(state.dirty)).lower(),
        "skillshot.bundle.build": state.digest,
        "mlflow.source.git.commit": state.commit,
        **({"skillshot.experiment": experiment} if experiment else {}),
    }
    name = experiment or f"{state.commit[:7] or 'no-git'}{'-dirty' * bool(state.dirty)}-{state.digest[:6]}"
    run = store.create_run(name, {**marks, "mlflow.source.name": "skillshot", "skillshot.kind": "pipeline"})
    store.set_tags(run, _details(state))
    model_id, model_uri = store.log_model(run, bundle, marks)
    store.log(run, report.params, report.metrics, report.curves, model_id)
    store.log_files(run, report.files)
    digests = {out["path"]: out["md5"] for _, out in state.outs()}
    store.log_inputs(run, [(Path(p).stem, digests[p], p, use) for p, use in INPUTS.items() if p in digests])
    for selector, metrics in report.selectors.items():
        child = store.create_run(selector, {"skillshot.kind": "selector", "skillshot.selector": selector}, parent=run)
        store.log(child, {"selector": selector}, metrics)
        store.finish(child)
    version = store.register(run, model_uri, marks)
    store.finish(run)
    store.set_tags(run, {COMPLETE: "true", "skillshot.version": version})
    return run, version


def _details(state: PipelineState) -> dict[str, str]:
    """Tags that lead from the run back to lock, commit and machine."""
    outs: dict[str, dict[str, str]] = {}
    for stage, out in state.outs():
        outs.setdefault(stage, {})[out["path"]] = out["md5"]
    return {
        **{f"skillshot.outs.{stage}": json.dumps(found)[:5000] for stage, found in outs.items()},
        **{f"skillshot.machine.{fact}": value for fact, value in describe().items()},
        **({"skillshot.unrecorded": ", ".join(state.unrecorded)[:5000]} if state.unrecorded else {}),
        **({"skillshot.dirty_paths": ", ".join(state.dirty)[:5000]} if state.dirty else {}),
    }
