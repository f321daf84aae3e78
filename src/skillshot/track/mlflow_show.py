"""What people look at in MLflow: descriptions, data sets, pictures, the table of answers, traces."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag

from skillshot.track.answers import Asked, documents, table
from skillshot.track.mlflow_store import DESCRIPTION, MlflowStore
from skillshot.track.overview import BEGINNING

NOTE = "mlflow.note.content"  # the description of a run or an experiment
ANSWERS = "evaluation.json"
TRACED = 50  # queries that become traces: each takes about 0.1 s
VIEW = "overview"  # the columns of the run list, opened by ?viewStateShareKey=overview
WIDE = 480  # pixels of the last column
COLUMNS = ("metrics.`hit_at_k`", "metrics.`nll`", "metrics.`accuracy`", "tags.`compared`")


def describe_run(store: MlflowStore, run: str, text: str) -> None:
    """Set the description of a run."""
    store.set_tags(run, {NOTE: text})


def describe_version(store: MlflowStore, number: str, text: str) -> None:
    """Set the description of a model version."""
    store.client.update_model_version(store.model, number, text)


def replace_in_descriptions(store: MlflowStore, run: str, number: str, old: str, new: str) -> None:
    """Exchange a text, such as a commit, in the descriptions of a run and its version."""
    note = store.client.get_run(run).data.tags.get(NOTE, "")
    if old and old in note:
        describe_run(store, run, note.replace(old, new))
    text = store.versions()[number].description or ""
    if old and old in text:
        describe_version(store, number, text.replace(old, new))


def describe_all(store: MlflowStore, text: str) -> None:
    """Set the description of the registered model and of the experiment, and the columns of its run list.

    A description that a person wrote stays.
    """
    known = store.client.get_experiment(store.experiment_id).tags
    if _ours(store.client.get_registered_model(store.model).description):
        store.client.update_registered_model(store.model, text)
    # plain JSON in this tag is what the button "Share" of the run list writes
    view = json.dumps({"selectedColumns": COLUMNS, "columnOrder": COLUMNS, "columnWidths": {COLUMNS[-1]: WIDE}})
    tags = {f"mlflow.sharedViewState.{VIEW}": view, "mlflow.experimentKind": "custom_model_development"}
    if _ours(known.get(NOTE)):
        tags[NOTE] = text
    for key, value in tags.items():
        if known.get(key) != value:
            store.client.set_experiment_tag(store.experiment_id, key, value)


def _ours(text: str | None) -> bool:
    return not text or text.startswith((BEGINNING, DESCRIPTION))


def page(store: MlflowStore) -> str:
    """Path of the run list with its columns, to append to the address of the server."""
    return f"/#/experiments/{store.experiment_id}/runs?viewStateShareKey={VIEW}"


def log_data(store: MlflowStore, run: str, inputs: Iterable[tuple[str, str, Path, str]]) -> None:
    """Log files of JSON lines as input data sets.

    Args:
        inputs: path in the repository, digest, the file, and what it was used for.
    """
    store.client.log_inputs(
        run,
        [
            DatasetInput(
                Dataset(
                    Path(path).stem,
                    digest,
                    source_type="local",
                    source=json.dumps({"uri": path}),
                    profile=json.dumps({"num_rows": _rows(file)}),
                ),
                [InputTag("mlflow.data.context", use)],
            )
            for path, digest, file, use in inputs
        ],
    )


def _rows(file: Path) -> int:
    with file.open("rb") as handle:
        return sum(1 for line in handle if line.strip())


def log_pictures(store: MlflowStore, run: str, pictures: Iterable[Path]) -> None:
    """Log PNG files as images, which the comparison of runs shows next to each other."""
    for path in pictures:
        store.client.log_image(run, mlflow.Image(str(path)), key=path.stem)


def log_answers(store: MlflowStore, run: str, asked: Sequence[Asked]) -> None:
    """Log an evaluation table of all queries, and a trace of each of the first `TRACED` ones."""
    if not asked:
        return
    store.client.log_table(run, table(asked), ANSWERS)
    for one in asked[:TRACED]:
        _trace(store, run, one)
    mlflow.flush_trace_async_logging()


def _trace(store: MlflowStore, run: str, one: Asked) -> None:
    """A trace with a span per selector: demonstrations as retrieved documents, answer and figures as attributes.

    Nothing is timed: all begins and ends at one time.
    """
    inputs, now = {"question": one.question}, time.time_ns()
    root = store.client.start_trace(
        one.id, span_type="CHAIN", inputs=inputs, tags={"gold": one.gold[:500]},
        experiment_id=store.experiment_id, run_id=run, start_time_ns=now,
    )  # fmt: skip
    for name, found in one.answers.items():
        span = store.client.start_span(
            name, root.trace_id, root.span_id, span_type="RETRIEVER", inputs=inputs, start_time_ns=now
        )
        measured: dict[str, Any] = {"answer": found.answer, "correct": found.correct, "nll": found.nll}
        store.client.end_span(root.trace_id, span.span_id, documents(found), measured, end_time_ns=now)
    answers = {name: found.answer for name, found in one.answers.items()}
    store.client.end_trace(root.trace_id, {"gold": one.gold, **answers}, end_time_ns=now)
