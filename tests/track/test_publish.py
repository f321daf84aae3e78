"""Publication is complete, happens once, is repaired after a kill, and has no secret. All tests share a store."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from helpers import track_bed as bed
from skillshot.cli.lineage import lines
from skillshot.common.errors import TrackError
from skillshot.common.io import read_json
from skillshot.common.params import Params
from skillshot.track import publish as publishing
from skillshot.track.describe import tuning_text
from skillshot.track.lineage import lineage
from skillshot.track.publish import COMPLETE, publish
from skillshot.track.state import read_state


@pytest.fixture
def root(tmp_path: Path, tracking: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished pipeline with its own commit."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    made = bed.make(tmp_path / "repository")
    bed.write(made, "README.md", str(tmp_path))
    bed.commit(made)
    return made


@pytest.fixture
def params(request: pytest.FixtureRequest) -> Params:
    """An experiment and a registered model of this test."""
    name = re.sub(r"[^\w-]", "-", request.node.name)
    return Params().changed(register={"experiment": f"experiment {name}", "model_name": f"model-{name}"})


def store_of(root: Path, params: Params) -> Any:
    from skillshot.track.mlflow_store import MlflowStore

    return MlflowStore(root, params.register.experiment, params.register.model_name)


def test_a_tuned_bundle_is_named_by_its_version_and_lineage(
    root: Path, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bed.STAGES, "tune", ["reports/tune.json"])
    report = {
        "finding": "tuned", "accepted": True, "llm": "stub/1", "calls": 283, "queries": 50,
        "change": {"diff": -0.013, "low": -0.029, "high": -0.001},
    }  # fmt: skip
    bed.write(root, "reports/tune.json", report)
    bed.write(root, "dvc.yaml", {"stages": {name: {"cmd": "true"} for name in [*bed.STAGES, "register"]}})
    bed.lock(root)
    bed.commit(root)
    text = "tuned: 283 calls of stub/1, 50 questions of the bank, gold NLL -0.013 [-0.029, -0.001] cross-validated"
    published, store = publish(root, params), store_of(root, params)
    made, run = store.versions()[published.version], store.client.get_run(published.run)
    assert made.tags["skillshot.tuned"] == text
    assert run.data.metrics["reports/tune/change.high"] == -0.001
    assert "Weights: tuned: 283 calls" in run.data.tags["mlflow.note.content"]
    found = lineage(store, published.version)
    assert found["tuned"] == text and f"  weights   {text}" in lines(found)
    assert tuning_text({"finding": "not tuned: tune.budget is 0", "accepted": False, "calls": 0}) == ""


def test_state_is_published_once_and_completely(root: Path, params: Params) -> None:
    published = publish(root, params)
    assert published.new
    store = store_of(root, params)
    run = store.client.get_run(published.run)
    assert run.info.status == "FINISHED"
    assert run.data.params["train.beta"] == "0.1"
    assert run.data.metrics["nll"] == 0.6
    assert run.data.metrics["reports/validate/quarantined.empty"] == 0
    assert "reports/train/early" not in run.data.metrics  # a bool is no measurement
    curve = store.client.get_metric_history(published.run, "reports/curves/loss")
    assert [(point.step, point.value) for point in curve] == [(1, 0.9), (2, 0.8)]
    assert run.data.tags["mlflow.source.git.commit"] == bed.git(root, "rev-parse", "HEAD").strip()
    assert run.data.tags["skillshot.dirty"] == "false"
    digest = run.inputs.dataset_inputs[0].dataset.digest
    assert digest == read_state(root).stages["validate"]["outs"][0]["md5"]
    assert {item.path for item in store.client.list_artifacts(published.run, "pipeline")} == {
        "pipeline/dvc.lock", "pipeline/dvc.yaml", "pipeline/machine.json", "pipeline/params.yaml",
    }  # fmt: skip
    assert "reports/evaluate_rows.csv" in {item.path for item in store.client.list_artifacts(published.run, "reports")}
    children = store.find_runs({"mlflow.parentRunId": published.run})
    assert {tags["skillshot.selector"] for tags in children.values()} == {"lars", "question", "skillshot"}
    assert store.aliases() == {"challenger": published.version}
    assert store.versions()[published.version].tags["skillshot.dirty"] == "false"

    again = publish(root, params)
    assert (again.new, again.run, again.version) == (False, published.run, published.version)
    assert len(store.find_runs({"skillshot.kind": "pipeline"})) == 1
    assert len(store.find_runs({"skillshot.kind": "selector"})) == 3


@pytest.mark.parametrize("killed_in", ["log_model", "log_files", "register", "set_tags"])
def test_killed_publication_is_repaired(
    root: Path, params: Params, killed_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(root, params)
    whole = getattr(type(store), killed_in)

    def killed(self: Any, *arguments: Any) -> Any:
        if killed_in != "set_tags" or COMPLETE in arguments[1]:
            raise KeyboardInterrupt
        return whole(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(type(store), killed_in, killed)
        with pytest.raises(KeyboardInterrupt):
            publish(root, params)
    assert not store.find_runs({COMPLETE: "true"})
    assert publish(root, params).new
    assert len(store.find_runs({"skillshot.kind": "pipeline"})) == 1
    assert len(store.find_runs({"skillshot.kind": "selector"})) == 3
    assert len(store.versions()) == 1
    assert len(store.client.search_logged_models([store.experiment_id])) == 1
    assert not publish(root, params).new


def test_dirty_tree_is_reported_and_does_not_replace_a_clean_state(root: Path, params: Params) -> None:
    bed.write(root, "notes.txt", "uncommitted")
    dirty = publish(root, params)
    tags = store_of(root, params).versions()[dirty.version].tags
    assert tags["skillshot.dirty"] == "true"
    assert store_of(root, params).aliases() == {}, "an alias names clean versions only"
    assert not publish(root, params).new
    (root / "notes.txt").unlink()
    clean = publish(root, params)
    assert clean.new and clean.version != dirty.version
    bed.write(root, "notes.txt", "uncommitted")
    again = publish(root, params)
    assert not again.new and again.version == clean.version
    store = store_of(root, params)
    assert store.aliases() == {"challenger": clean.version}
    assert list(store.versions()) == [clean.version], "one version per state"


@pytest.mark.parametrize("path", ["README.md", "docs/new page.md", "reports/register.json", "tests/test_new.py"])
def test_commit_that_changes_no_stage_makes_no_version(root: Path, params: Params, path: str) -> None:
    first = publish(root, params)
    bed.write(root, path, "another text")
    bed.commit(root, "pages only")
    again = publish(root, params)
    store = store_of(root, params)
    assert (again.new, again.version, list(store.versions())) == (False, first.version, [first.version])
    assert store.aliases() == {"challenger": first.version}


def test_version_names_the_commit_that_holds_its_results_and_rules(root: Path, params: Params) -> None:
    bed.write(root, "reports/index.json", {"vectors": 9})
    bed.lock(root)
    first = publish(root, params)  # the results are committed after the run
    store = store_of(root, params)
    assert "skillshot.unrecorded" in store.client.get_run(first.run).data.tags
    for change, text in (("dvc.lock", None), ("gates.yaml", "metrics: {index.vectors: {direction: higher}}\n")):
        if text:
            bed.write(root, change, text)
        commit = bed.commit(root, change)
        assert publish(root, params).version == first.version
        tags = store.client.get_run(first.run).data.tags
        assert tags["mlflow.source.git.commit"] == commit and "skillshot.unrecorded" not in tags
    assert store.read_artifact(first.run, "pipeline/gates.yaml") == text
    store.tag_version(first.version, {"skillshot.champion_since": "now"})
    bed.write(root, "gates.yaml", "metrics: {index.vectors: {direction: lower}}\n")
    bed.commit(root, "rules turned round")
    publish(root, params)
    assert store.read_artifact(first.run, "pipeline/gates.yaml") == text, "a champion's rules stay"


def test_versions_share_what_they_have_in_common(root: Path, params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root / 'mlflow.db'}")
    encoder = bytes(range(256)) * 4096  # 1 MiB
    (root / "models/selector/model").mkdir()
    (root / "models/selector/model/encoder.onnx").write_bytes(encoder)
    for number in range(3):
        bed.write(root, "models/selector/manifest.json", {"demos": [str(number)]})
        bed.lock(root)
        bed.commit(root, f"bank {number}")
        publish(root, params)
    store = store_of(root, params)
    assert len(store.versions()) == 3
    copies = list((root / "mlartifacts").rglob("encoder.onnx"))
    assert len(copies) == 3 and len({path.stat().st_ino for path in copies}) == 1
    assert all(path.read_bytes() == encoder for path in copies)


@pytest.mark.slow
def test_copied_repository_does_not_publish_into_the_original(
    root: Path, params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    publish(root, params)
    before = sorted(path.relative_to(root) for path in (root / "mlartifacts").rglob("*"))
    copy = tmp_path / "copy"
    shutil.copytree(root, copy, symlinks=True)
    bed.write(copy, "reports/index.json", {"vectors": 3})
    bed.lock(copy)
    bed.commit(copy)
    with pytest.raises(
        TrackError, match=r"(?s)copy/mlflow\.db keeps its files in .*repository/mlartifacts.*move mlflow"
    ):
        publish(copy, params)
    assert sorted(path.relative_to(root) for path in (root / "mlartifacts").rglob("*")) == before
    fresh = tmp_path / "fresh"
    shutil.copytree(copy, fresh, symlinks=True, ignore=shutil.ignore_patterns("mlflow.db*"))
    assert publish(fresh, params).version == "1"
    assert sorted(path.relative_to(root) for path in (root / "mlartifacts").rglob("*")) == before
    link = tmp_path / "link"
    link.symlink_to(root)
    assert not publish(link, params).new, "the same folder by another name"


def test_stage_report_is_the_same_in_every_clone(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from skillshot.stages import register

    monkeypatch.chdir(root)
    monkeypatch.setattr(register, "describe", lambda: {"cpu.model": "first machine"})
    register.main()
    report = read_json(root / "reports/register.json")
    assert report["pipeline"] == read_state(root).digest
    assert report["selectors"] == 3
    assert not read_state(root).dirty, "the publisher's own report is no dirt"
    monkeypatch.setattr(register, "describe", lambda: {"cpu.model": "second machine"})
    register.main()
    assert read_json(root / "reports/register.json") == report
    assert "already published" in capsys.readouterr().err


def test_registered_model_predicts(root: Path, params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow
    import pandas as pd
    from mlflow.exceptions import MlflowException

    import skillshot
    from skillshot import Demonstration
    from skillshot.common.errors import InputError

    class Stub:
        def __init__(self, folder: str) -> None:
            self.demos = json.loads((Path(folder) / "manifest.json").read_text())["demos"]

        @classmethod
        def load(cls, folder: str, audit: str | None, bank: str | None) -> Stub:
            assert audit is None, "nothing is recorded unless the environment names a file"
            assert bank is None, "the rows are those of the folder unless the environment names a database"
            return cls(folder)

        def select_batch(self, questions: list[str], k: int = 4) -> list[list[Demonstration]]:
            if k < 1:
                raise InputError(f"k={k}: expected at least 1")
            return [
                [Demonstration(name, question, "because", "7", 0.5) for name in self.demos[:k]]
                for question in questions
            ]

        def prompt(self, question: str, k: int = 4) -> str:
            return f"{k} demonstrations, then {question}"

    monkeypatch.setattr(skillshot, "Selector", Stub, raising=False)
    publish(root, params)
    model = mlflow.pyfunc.load_model(f"models:/{params.register.model_name}@challenger")
    logged = Path(mlflow.artifacts.download_artifacts(f"models:/{params.register.model_name}@challenger"))
    files = [path for path in logged.rglob("*") if path.is_file()]
    assert files and not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".pt", ".bin")]
    asked = pd.DataFrame({"question": ["q1", "q2"]})
    answer = model.predict(asked)
    assert [[demo["id"] for demo in found] for found in answer] == [["first", "second"]] * 2
    fields = {"id": "first", "question": "q2", "rationale": "because", "answer": "7", "score": 0.5}
    assert (fields | {"context": "", "options": [], "metadata": {}}).items() <= answer[1][0].items()
    assert len(model.predict(asked, params={"k": 1})[0]) == 1
    assert model.predict(asked, params={"prompt": True}) == ["4 demonstrations, then q1", "4 demonstrations, then q2"]
    with pytest.raises(MlflowException, match="question"):
        model.predict(pd.DataFrame({"query": ["q1"]}))
    with pytest.raises(MlflowException, match="expected at least 1"):
        model.predict(asked, params={"k": 0})


def test_secret_is_not_published(root: Path, params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_GATEWAY", "s3cret-value-9")
    params = params.changed(llm={"api_key_env": "MY_GATEWAY"})
    bed.write(root, "reports/evaluate_rows.csv", "query,answer\nq1,Bearer s3cret-value-9\n")
    bed.lock(root)
    with pytest.raises(TrackError, match=r"evaluate_rows\.csv: holds the value of \$MY_GATEWAY") as caught:
        publish(root, params)
    assert "s3cret-value-9" not in str(caught.value)
    with pytest.raises(TrackError, match=r"ingest\.path is a URL with a password"):
        publish(root, params.changed(ingest={"path": "https://me:hunter22@host/bank.jsonl"}))


def test_state_that_differs_from_the_lock_is_not_published(root: Path, params: Params) -> None:
    bed.write(root, "reports/index.json", {"vectors": 3})
    with pytest.raises(TrackError, match=r"reports/index\.json: changed since stage index"):
        publish(root, params)
    (root / "reports/index.json").unlink()
    with pytest.raises(TrackError, match=r"reports/index\.json: missing"):
        publish(root, params)
    bed.lock(bed.make(root))
    bed.write(root, "src/train.py", "edited after the stage ran")
    text = (
        (root / "dvc.lock").read_text().replace("  train:\n", "  train:\n    deps: [{path: src/train.py, md5: '0'}]\n")
    )
    bed.write(root, "dvc.lock", text)
    with pytest.raises(TrackError, match=r"src/train\.py: changed since stage train read it"):
        publish(root, params)


def test_experiment_in_a_copy_is_not_a_challenger(root: Path, params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "beta-0.3")
    monkeypatch.setattr(publishing, "home", lambda copy: copy.parent)
    published = publishing.publish(root, params)
    store = store_of(root, params)
    assert store.client.get_run(published.run).info.run_name == "v1 beta-0.3: first run (storyskills)"
    assert store.aliases() == {}
