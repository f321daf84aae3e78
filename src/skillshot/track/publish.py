"""Publish a pipeline state to MLflow once and completely, whether its stages ran or came from a cache.

A state, the digest of all stages in `dvc.lock`, has one parent run, with a child run per selector, and one model
version, under the same names of metrics. The tag `skillshot.complete` is set last: a run without it was killed, and is
deleted and published again. The version of a dirty tree never has an alias, and is replaced by the one of a clean tree.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from skillshot.common.errors import TrackError
from skillshot.common.params import Params
from skillshot.track.answers import read_answers
from skillshot.track.baseline import BASELINE
from skillshot.track.changes import source_of
from skillshot.track.collect import StateReport, collect, pipeline_files
from skillshot.track.comparison import Compared, compared
from skillshot.track.describe import VERSION, commands, run_text, tuning_text
from skillshot.track.location import home
from skillshot.track.machine import describe
from skillshot.track.overview import CHALLENGER, CHAMPION, COMPARED_TAG, refresh
from skillshot.track.secrets import refuse_secrets
from skillshot.track.snapshot import of_published, of_tree
from skillshot.track.state import PipelineState, read_state

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore

COMPLETE, DIRTY = "skillshot.complete", "skillshot.dirty"
STATE, KIND = "skillshot.bundle.build", "skillshot.kind"
COMMIT = "mlflow.source.git.commit"
MACHINE_FILE = "pipeline/machine.json"
BUNDLE = "models/selector"
INPUTS = {"data/validate/bank.jsonl": "training", "data/validate/queries.jsonl": "evaluation"}


@dataclass(frozen=True)
class Published:
    """Where a state is in MLflow. new: whether this call published it. page: path of the run list on a server."""

    run: str
    version: str
    new: bool
    state: PipelineState
    report: StateReport
    page: str


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
    shipped += [root / path for path in INPUTS if (root / path).is_file()]
    refuse_secrets(report.params, shipped, extra=[params.llm.api_key_env])

    from skillshot.track.mlflow_show import page
    from skillshot.track.mlflow_store import MlflowStore

    store = MlflowStore(root, params.register.experiment, params.register.model_name)
    found = _find(store, state)
    run, version = found or _publish(store, state, report, bundle)
    # no candidate: a dirty tree, or an experiment in a temporary copy
    if not state.dirty and home(root) == root and store.aliases().get(CHALLENGER) != version:
        store.set_alias(CHALLENGER, version)
    refresh(store)
    return Published(run, version, found is None, state, report, page(store))


def _find(store: MlflowStore, state: PipelineState) -> tuple[str, str] | None:
    """The complete run of this state; what a killed publication or a dirty tree left of it is deleted."""
    runs = store.find_runs({KIND: "pipeline", STATE: state.digest})
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
        from skillshot.track.mlflow_show import replace_in_descriptions

        store.set_tags(run, {COMMIT: state.commit, **_unrecorded(state)})
        store.tag_version(version, {COMMIT: state.commit})
        replace_in_descriptions(store, run, version, tags.get(COMMIT, ""), state.commit)
        if not state.unrecorded:
            store.delete_tag(run, "skillshot.unrecorded")


def _publish(store: MlflowStore, state: PipelineState, report: StateReport, bundle: Path) -> tuple[str, str]:
    from skillshot.track import mlflow_show as show

    answers = read_answers(state.root)
    against = _compared(store, state.root)
    experiment, tuned = os.environ.get("DVC_EXP_NAME"), tuning_text(report.tuning)
    marks = {
        DIRTY: str(bool(state.dirty)).lower(),
        COMMIT: state.commit,
        **({"skillshot.tuned": tuned} if tuned else {}),
        **({"skillshot.experiment": experiment} if experiment else {}),
    }
    kind = {KIND: "pipeline", STATE: state.digest, "mlflow.source.name": "skillshot"}
    name = _name(state, report, against, experiment)
    run = store.create_run(name, {**marks, **kind, **_unrecorded(state)})
    if state.dirty:
        store.set_tags(run, {"skillshot.dirty_paths": ", ".join(state.dirty)[:5000]})
    model_id, model_uri = store.log_model(run, bundle, marks)
    store.log(run, report.params, report.metrics, report.curves, model_id)
    store.log_files(run, report.files)
    store.client.log_dict(run, describe(), MACHINE_FILE)
    digests = {out["path"]: out["md5"] for _, out in state.outs()}
    show.log_data(store, run, [(p, digests[p], state.root / p, use) for p, use in INPUTS.items() if p in digests])
    pictures = [path for path in digests if path.endswith(".png")]
    show.log_pictures(store, run, [state.root / path for path in pictures])
    show.log_answers(store, run, answers)
    for selector, metrics in report.selectors.items():
        child = store.create_run(selector, {KIND: "selector", "skillshot.selector": selector}, parent=run)
        store.log(child, {"selector": selector}, metrics)
        store.finish(child)
    version = store.register(run, model_uri, marks)
    again = commands(state.commit, dirty=bool(state.dirty))
    urls = {Path(path).stem: f"get-artifact?path={path}&run_uuid={run}" for path in pictures}
    show.describe_run(store, run, run_text(report.evaluation, against, again, urls, tuned=tuned))
    show.describe_version(store, version, run_text(report.evaluation, against, again, {}, VERSION, tuned))
    store.rename(run, f"v{version} {name}")
    store.finish(run)
    verdict = {COMPARED_TAG: against.verdict()} if against else {}
    store.set_tags(run, {COMPLETE: "true", "skillshot.version": version, **verdict})
    return run, version


def _name(state: PipelineState, report: StateReport, against: Compared | None, experiment: str | None) -> str:
    """What a run is called: its experiment, what was changed, the source of the bank."""
    changed = against.changes.brief() if against else "first run"
    name = f"{experiment}: {changed}" if experiment else changed
    return f"{name}{', not committed' * bool(state.dirty)} ({source_of(report.params)})"[:240]


def _compared(store: MlflowStore, root: Path) -> Compared | None:
    """The state in `root` against the champion, or else the version published last; None where there is neither."""
    versions, champion = store.versions(), store.aliases().get(CHAMPION)
    for number in sorted(versions, key=lambda number: (number == champion, int(number)), reverse=True):
        run = versions[number].run_id
        tags = store.client.get_run(run).data.tags if run else {}
        if COMPLETE in tags:
            name = f"version {number}" + f" ({CHAMPION})" * (number == champion)
            then = of_published(partial(store.read_artifact, run), name)
            return compared(name, then, of_tree(root))
    return None


def _unrecorded(state: PipelineState) -> dict[str, str]:
    return {"skillshot.unrecorded": ", ".join(state.unrecorded)[:5000]} if state.unrecorded else {}
