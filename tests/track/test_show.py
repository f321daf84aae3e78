"""What people see in MLflow: names, descriptions, answers next to each other; also of runs published before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers import track_bed as bed
from skillshot.common.errors import TrackError
from skillshot.common.params import Params
from skillshot.track.answers import read_answers, table
from skillshot.track.lineage import lineage
from skillshot.track.overview import overview, refresh
from skillshot.track.publish import BUNDLE, publish

NOTE = "mlflow.note.content"
HEAD = "query,selector,correct,nll,answer,found,demonstrations\n"
ROWS = f"{HEAD}q1,question,0,0.9,7,6,a\nq1,skillshot,1,0.6,7,7,b a\n"
BANK = [
    {"id": name, "question": f"question {name}?", "rationale": "so", "answer": "1", "answer_type": "number"}
    for name in "ab"
]
QUERY = {"id": "q1", "question": "<script>alert(1)</script>?", "rationale": "", "answer": "7", "answer_type": "number"}


@pytest.fixture
def root(tmp_path: Path, tracking: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished pipeline whose rows name demonstrations."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    monkeypatch.setitem(bed.STAGES, "validate", [*bed.STAGES["validate"], "data/validate/queries.jsonl"])
    made = tmp_path / "repository"
    bed.write(made, "data/validate/queries.jsonl", json.dumps(QUERY) + "\n")
    bed.make(made)
    bed.write(made, "data/validate/bank.jsonl", "".join(json.dumps(row) + "\n" for row in BANK))
    bed.write(made, "reports/evaluate_rows.csv", ROWS)
    bed.lock(made)
    bed.commit(made)
    return made


def params_of(tmp_path: Path) -> Params:
    return Params().changed(register={"experiment": f"show {tmp_path.name}", "model_name": f"model-{tmp_path.name}"})


def store_of(root: Path, params: Params) -> Any:
    from skillshot.track.mlflow_store import MlflowStore

    return MlflowStore(root, params.register.experiment, params.register.model_name)


def test_a_run_shows_what_was_changed_and_what_was_answered(root: Path, tmp_path: Path) -> None:
    params = params_of(tmp_path)
    first = publish(root, params)
    bed.write(root, "params.yaml", (root / "params.yaml").read_text().replace("beta: 0.1", "beta: 0.3"))
    bed.write(root, "reports/evaluate_rows.csv", ROWS.replace("1,0.6", "1,0.5"))
    bed.lock(root)
    commit = bed.commit(root, "beta")
    second, store = publish(root, params), store_of(root, params)
    run, version = store.client.get_run(second.run), store.versions()[second.version]
    assert run.info.run_name == "v2 beta 0.1 → 0.3 (storyskills)"
    assert run.data.tags["compared"] == "better by NLL +0.100 [+0.100, +0.100] than version 1 on only 1 query"
    for text in (run.data.tags[NOTE], version.description):
        assert text.startswith("hit@k 0.900, NLL 0.600\n") and f"git worktree add ../again {commit}" in text
        assert "- `train.beta`: `0.1` → `0.3`" in text
    long = [key for key, value in run.data.tags.items() if len(value) > 31 and " " not in value]
    assert [key for key in long if not key.startswith("mlflow.")] == ["skillshot.bundle.build"], "one digest, to search"
    assert len([name for name in run.data.metrics if "/" not in name]) < 12
    model = store.client.get_logged_model(version.source.removeprefix("models:/"))
    assert {"nll", "nll_gain"} <= {metric.key for metric in model.metrics}, "the same names on the version"
    assert json.loads(model.tags["mlflow.modelVersions"])[0]["version"] == second.version
    assert json.loads(store.read_artifact(second.run, "evaluation.json"))["columns"][:4] == [
        "query", "question", "gold", "skillshot answer",
    ]  # fmt: skip
    trace = store.client.search_traces(locations=[store.experiment_id], run_id=second.run)[0]
    spans = {span.name: span for span in trace.data.spans}
    assert spans["skillshot"].outputs[0]["metadata"] == {"doc_uri": "b"} and spans["skillshot"].attributes["correct"]
    assert spans["q1"].outputs == {"gold": "7", "skillshot": "7", "question": "6"}
    assert run.inputs.dataset_inputs[0].dataset.profile == '{"num_rows": 2}'
    experiment = store.client.get_experiment(store.experiment_id)
    text = experiment.tags[NOTE]
    assert text == store.client.get_registered_model(store.model).description
    assert text.startswith("**Serving: none yet** (alias champion). Version 2 is the challenger: better by NLL")
    view = json.loads(experiment.tags["mlflow.sharedViewState.overview"])
    assert {"metrics.`nll`", "tags.`compared`"} <= set(view["selectedColumns"])
    assert second.page == f"/#/experiments/{store.experiment_id}/runs?viewStateShareKey=overview"
    store.set_alias("champion", first.version)
    store.client.set_experiment_tag(store.experiment_id, NOTE, "a text of mine")
    refresh(store)
    assert store.client.get_experiment(store.experiment_id).tags[NOTE] == "a text of mine"
    assert store.client.get_registered_model(store.model).description.startswith("**Serving: version 1**")


def test_a_description_names_the_commit_that_holds_the_results(root: Path, tmp_path: Path) -> None:
    params = params_of(tmp_path)
    bed.write(root, "reports/index.json", {"vectors": 9})
    bed.lock(root)
    first = publish(root, params)  # the results are committed after the run
    commit, store = bed.commit(root, "results"), store_of(root, params)
    publish(root, params)
    texts = store.client.get_run(first.run).data.tags[NOTE], store.versions()[first.version].description
    assert all(f"git worktree add ../again {commit}" in text for text in texts)


def test_a_killed_publication_leaves_no_trace(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = params_of(tmp_path)
    store = store_of(root, params)

    def killed(*_: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "register", killed)
        with pytest.raises(KeyboardInterrupt):
            publish(root, params)
    assert len(store.client.search_traces(locations=[store.experiment_id])) == 1
    publish(root, params)
    assert len(store.client.search_traces(locations=[store.experiment_id])) == 1, "of the whole publication alone"


def test_a_run_published_before_these_names_is_read_as_well(root: Path, tmp_path: Path) -> None:
    params = params_of(tmp_path)
    store = store_of(root, params)
    tags = {
        "skillshot.kind": "pipeline", "skillshot.complete": "true", "skillshot.dirty": "false",
        "skillshot.bundle.build": "0" * 64, "skillshot.machine.cpu.cores": "2", "skillshot.outs.train": "{}",
        "mlflow.source.git.commit": bed.git(root, "rev-parse", "HEAD").strip(),
    }  # fmt: skip
    run = store.create_run("a6fae77-a7d782", tags)
    store.log(run, {"train.beta": "0.1"}, {"evaluate.selectors.skillshot.nll": 0.6})
    store.log_files(run, [("pipeline", root / name) for name in ("dvc.lock", "params.yaml")])
    store.log_files(run, [("reports", root / f"reports/{name}") for name in ("evaluate.json", "evaluate_rows.csv")])
    _, uri = store.log_model(run, root / BUNDLE, {})
    old = store.register(run, uri, {})
    row = next(line for line in overview(store).splitlines() if "a6fae77" in line)
    assert "| 0.900 | 0.600 | +0.300 (+0.200) |" in row
    found = lineage(store, old)
    assert found["machine"] == {"cpu.cores": "2"} and len(found["fingerprint"]) == 32
    new = publish(root, params)
    assert store.client.get_run(new.run).data.tags["compared"] == f"same as version {old} on only 1 query"
    assert "cpu.cores" in lineage(store, new.version)["machine"]
    assert not [key for key in store.client.get_run(new.run).data.tags if key.startswith("skillshot.machine")]


def test_answers_are_next_to_each_other(root: Path) -> None:
    (one,) = read_answers(root)
    assert list(one.answers) == ["skillshot", "question"]
    found = table([one])
    assert found["skillshot correct"] == [True] and found["question nll"] == [0.9]
    assert found["skillshot demonstrations"] == ["question b?\nso\nAnswer: 1\n\nquestion a?\nso\nAnswer: 1"]
    bed.write(root, "reports/evaluate_rows.csv", ROWS.replace("b a", "c"))
    with pytest.raises(TrackError, match=r"evaluate_rows\.csv: c is not in bank\.jsonl\nrun `dvc repro evaluate`"):
        read_answers(root)
    bed.write(root, "reports/evaluate_rows.csv", ROWS)
    ids = ("a", "b", "b a")
    bed.write(root, "data/validate/bank.jsonl", "".join(json.dumps(BANK[0] | {"id": name}) + "\n" for name in ids))
    (one,) = read_answers(root)  # an id may have a blank
    assert [record.id for record in one.answers["skillshot"].demonstrations] == ["b a"]
    bed.write(root, "reports/evaluate_rows.csv", "query,selector,nll\nq1,skillshot,0.6\n")
    assert read_answers(root) == []


def test_a_secret_in_the_queries_is_not_published(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "alert(1)")
    with pytest.raises(TrackError, match=r"queries\.jsonl: holds the value of \$MY_TOKEN"):
        publish(root, params_of(tmp_path))
