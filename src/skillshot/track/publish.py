"""Publish a pipeline state to MLflow once and completely, whether its stages ran or came from a cache.

A state, the digest of all stages in `dvc.lock`, has one parent run, with a child run per selector, and one model
version. The tag `skillshot.complete` is set last: a run without it was killed, and is deleted and published again. The
version of a dirty tree never has an alias, and is replaced by the one of a clean tree.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skillshot.common.errors import TrackError
from skillshot.common.params import Params
from skillshot.track.baseline import BASELINE
from skillshot.track.collect import StateReport, collect, pipeline_files
from skillshot.track.location import home
from skillshot.track.machine import describe
from skillshot.track.secrets import refuse_secrets
from skillshot.track.state import PipelineState, read_state

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore

FINGERPRINT, COMPLETE, DIRTY = "skillshot.fingerprint", "skillshot.complete", "skillshot.dirty"
COMMIT = "mlflow.source.git.commit"
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

    from skillshot.track.mlflow_store import MlflowStore

    store = MlflowStore(root, params.register.experiment, params.register.model_name)
    found = _find(store, state)
    run, version = found or _publish(store, state, report, bundle)
    # no candidate: a dirty tree, or an experiment in a temporary copy
    if not state.dirty and home(root) == root and store.aliases().get(CHALLENGER) != version:
        store.set_alias(CHALLENGER, version)
    return Published(run, version, found is None, state, report)


def _find(store: MlflowStore, state: PipelineState) -> tuple[str, str] | None:
    """The complete run of this state; what a killed publication or a dirty tree left of it is deleted."""
    runs = store.find_runs({"skillshot.kind": "pipeline", "skillshot.bundle.build": state.digest})
    found: tuple[str, str] | None = None
    for run, tags in sorted(runs.items(), key=lambda item: item[1].get(DIRTY) != "false"):  # clean ones first
        version = store.version_of(run)
        if COMPLETE in tags and version and not found and (tags.get(DIRTY) == "false" or state.dirty):
            found = run, version
        elif COMPLETE not in tags or tags.get(DIRTY) != "false":
            store.discard(run)
    if found and not state.dirty:
        _at_commit(store, state, *found)
    return found


def _at_commit(store: MlflowStore, state: PipelineState, run: str, version: str) -> None:
    """Let a version name the commit that holds its results and its rules, where an earlier commit lacked them.

    What was champion once stays as it was judged: its rules are those that later versions are held to.
    """
    tags = store.client.get_run(run).data.tags
    rules = state.root / "gates.yaml"
    text = rules.read_bytes().decode() if rules.is_file() else None
    complete = "skillshot.unrecorded" in tags and not state.unrecorded
    if "skillshot.champion_since" in store.versions()[version].tags:
        return
    first = state.root / BASELINE  # recorded after the state was published
    if first.is_file() and store.read_artifact(run, BASELINE) != first.read_bytes().decode():
        store.log_files(run, [(Path(BASELINE).parent.as_posix(), first)])
        complete = True
    if complete or store.read_artifact(run, "pipeline/gates.yaml") != text:
        store.log_files(run, pipeline_files(state.root))
        store.set_tags(run, {COMMIT: state.commit, **_unrecorded(state)})
        store.tag_version(version, {COMMIT: state.commit})
        if not state.unrecorded:
            store.delete_tag(run, "skillshot.unrecorded")


def _publish(store: MlflowStore, state: PipelineState, report: StateReport, bundle: Path) -> tuple[str, str]:
    experiment = os.environ.get("DVC_EXP_NAME")
    marks = {
        FINGERPRINT: state.fingerprint,
        DIRTY: str(bool(state.dirty)).lower(),
        "skillshot.bundle.build": state.digest,
        COMMIT: state.commit,
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
        **_unrecorded(state),
        **({"skillshot.dirty_paths": ", ".join(state.dirty)[:5000]} if state.dirty else {}),
    }


def _unrecorded(state: PipelineState) -> dict[str, str]:
    return {"skillshot.unrecorded": ", ".join(state.unrecorded)[:5000]} if state.unrecorded else {}
