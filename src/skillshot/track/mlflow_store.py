"""Runs and versions in MLflow. Only `mlflow_show.py`, `pyfunc.py` and `signature.py` use MLflow too.

The tracking URI is `MLFLOW_TRACKING_URI`, or else the database `mlflow.db` in the repository. It is an absolute URI,
because a relative one would change when DVC runs an experiment in another folder. Artifacts of a local database are in
`mlartifacts/` next to it; a server has its own place. MLflow stores their path as an absolute one: a copied or moved
database names the original's folder, and is refused.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

import skillshot
from skillshot.common.errors import TrackError
from skillshot.track.location import ARTIFACTS, database_uri, local_path, tracking_uri
from skillshot.track.shared_files import share
from skillshot.track.signature import SIGNATURE

T = TypeVar("T")
PARENT = "mlflow.parentRunId"
DESCRIPTION = "Picks demonstrations by reasoning skill"  # of a registered model, until a pipeline is published
RUNTIME = ("mlflow", "numpy", "onnxruntime", "tokenizers", "pandas")  # packages that serving imports


class MlflowStore:
    """Runs and model versions of one experiment.

    Raises:
        TrackError: the tracking server cannot be reached, its experiment was deleted, or a local database keeps its
            artifacts elsewhere than next to it.
    """

    def __init__(self, root: Path, experiment: str = "skillshot", model: str = "skillshot-selector") -> None:
        self.uri = tracking_uri(root)
        self.model = model
        for name in ("alembic", "mlflow.store.db.utils", "mlflow.tracking", "mlflow.models.model"):
            logging.getLogger(name).setLevel(logging.WARNING)  # dozens of lines on migrations and URIs
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # a bar for each file that is read
        given = os.environ.get("MLFLOW_TRACKING_URI")
        mlflow.set_tracking_uri(self.uri)
        if given is None:  # MLflow sets it: another repository in this process would get this one's
            os.environ.pop("MLFLOW_TRACKING_URI", None)
        database = self._database()
        try:
            if database and not database.exists():
                _create(database)
            self.client = MlflowClient()
            if database and "%" in self.uri:  # MLflow also makes the folder whose name still has the escapes
                with suppress(OSError):
                    Path(self.uri.removeprefix("sqlite:///")).parent.rmdir()
            found = self.client.get_experiment_by_name(experiment)
            if found is None:
                self.experiment_id = str(self.client.create_experiment(experiment, artifact_location=self._location()))
            elif found.lifecycle_stage != "active":
                raise TrackError(
                    f"MLflow experiment {experiment!r} was deleted\nrestore it: mlflow experiments restore"
                )
            else:
                self._check_place(str(found.artifact_location))
                self.experiment_id = str(found.experiment_id)
        except (MlflowException, SQLAlchemyError) as error:
            fix = (
                f"\nif {database} is incomplete after a kill, move it away: dvc repro publishes again"
                if database
                else ""
            )
            raise TrackError(f"MLflow at {self.uri}: {str(error).splitlines()[0][:300]}{fix}") from error

    def _database(self) -> Path | None:
        if not self.uri.startswith("sqlite:///"):
            return None
        name = make_url(self.uri).database
        return Path(name).resolve() if name else None

    def _location(self) -> str | None:
        database = self._database()
        return (database.parent / ARTIFACTS).as_uri() if database else None

    def _check_place(self, location: str) -> None:
        """Artifacts that this module placed next to a database must still be there."""
        database, folder = self._database(), local_path(location)
        if database and folder and folder.name == ARTIFACTS and folder.resolve() != database.parent / ARTIFACTS:
            raise TrackError(
                f"{database} keeps its files in {folder}, the folder of another repository: it was copied or moved\n"
                f"move {database.name} away (`dvc repro` publishes into a new one), or set MLFLOW_TRACKING_URI"
            )

    # runs

    def find_runs(self, tags: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """Tags of the active runs that have all of `tags`, by run id, newest first."""
        query = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        runs = self.client.search_runs([self.experiment_id], query, order_by=["attributes.start_time DESC"])
        return {run.info.run_id: dict(run.data.tags) for run in runs}

    def create_run(self, name: str, tags: Mapping[str, str], parent: str | None = None) -> str:
        """Create a run, nested under `parent` where given, and return its id."""
        extra = {PARENT: parent} if parent else {}
        run = self.client.create_run(self.experiment_id, run_name=name, tags={**tags, **extra})
        return str(run.info.run_id)

    def log(
        self,
        run: str,
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        curves: Iterable[tuple[str, float, int]] = (),
        model_id: str | None = None,
    ) -> None:
        """Log in few calls; metrics are linked to the logged model `model_id` where given."""
        now = int(time.time() * 1000)
        for part in _chunks([Param(key, value) for key, value in (params or {}).items()], 100):
            self.client.log_batch(run, params=part)
        points = [Metric(key, value, now, 0, model_id=model_id) for key, value in (metrics or {}).items()]
        points += [Metric(key, value, now, step) for key, value, step in curves]
        for part in _chunks(points, 1000):
            self.client.log_batch(run, metrics=part)

    def log_files(self, run: str, files: Iterable[tuple[str, Path]]) -> None:
        """Upload files, each into its artifact folder."""
        for folder, path in files:
            self.client.log_artifact(run, str(path), folder)

    def delete_tag(self, run: str, key: str) -> None:
        """Delete a tag of a run, where it is set."""
        if key in self.client.get_run(run).data.tags:
            self.client.delete_tag(run, key)

    def set_tags(self, run: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        self.client.log_batch(run, tags=[RunTag(key, value) for key, value in tags.items()])

    def read_artifact(self, run: str, path: str) -> str | None:
        """Text of an artifact, line ends as they are, or None where there is no such artifact."""
        if path not in {item.path for item in self.client.list_artifacts(run, str(Path(path).parent))}:
            return None
        with tempfile.TemporaryDirectory() as folder:
            return Path(self.client.download_artifacts(run, path, folder)).read_bytes().decode()

    def download_bundle(self, number: str, folder: Path) -> Path:
        """A copy of a version's bundle in `folder`.

        Raises:
            TrackError: the version holds none, or its files cannot be read.
        """
        try:
            uri = f"models:/{self.model}/{number}/artifacts"
            found = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
        except (MlflowException, OSError) as error:
            raise TrackError(
                f"version {number}: its files cannot be read: {str(error).splitlines()[0][:200]}"
            ) from error
        bundles = [path.parent for path in found.glob("*/manifest.json")]
        if len(bundles) != 1:
            raise TrackError(f"version {number}: holds no bundle\npublish it again: `dvc repro register`")
        return bundles[0]

    def params(self, run: str) -> dict[str, str]:
        """Params of a run."""
        return dict(self.client.get_run(run).data.params)

    def claim(self, run: str, key: str, value: str) -> bool:
        """Write a param and return whether this writer won: MLflow never changes a param that is already written."""
        try:
            self.client.log_param(run, key, value)
        except MlflowException as error:
            if error.error_code != "INVALID_PARAMETER_VALUE":
                raise
        return bool(self.params(run).get(key) == value)

    def rename(self, run: str, name: str) -> None:
        """Give a run another name."""
        self.client.update_run(run, name=name)

    def finish(self, run: str) -> None:
        """Mark a run as finished."""
        self.client.set_terminated(run, "FINISHED")

    def discard(self, run: str) -> None:
        """Delete a run of a killed publication, with its children, traces, logged models and model versions."""
        for made in self.client.search_model_versions(f"run_id = '{run}'"):
            self.client.delete_model_version(made.name, made.version)
        for model in self.client.search_logged_models([self.experiment_id], f"source_run_id = '{run}'"):
            self.client.delete_logged_model(model.model_id)
        for child in self.find_runs({PARENT: run}):
            self.client.delete_run(child)
        traces = self.client.search_traces(locations=[self.experiment_id], run_id=run, include_spans=False)
        if traces:
            self.client.delete_traces(self.experiment_id, trace_ids=[trace.info.trace_id for trace in traces])
        self.client.delete_run(run)

    # models

    def log_model(self, run: str, bundle: Path, tags: Mapping[str, str]) -> tuple[str, str]:
        """Log the bundle with this package's source as a pyfunc; returns the logged model's id and URI."""
        package = Path(skillshot.__file__).parent
        with mlflow.start_run(run_id=run), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # asks for an example; the signature is given
            info = mlflow.pyfunc.log_model(
                name="selector",
                python_model=str(package / "track" / "pyfunc.py"),
                artifacts={"bundle": str(bundle)},
                code_paths=[str(package)],  # a served version runs the code that made it
                signature=SIGNATURE,
                pip_requirements=[f"{name}=={version(name)}" for name in RUNTIME],  # inference took 13.8 s
                tags=dict(tags),
            )
        self.client.update_run(run, status="RUNNING")
        folder = local_path(str(self.client.get_logged_model(info.model_id).artifact_location))
        store = local_path(str(self.client.get_experiment(self.experiment_id).artifact_location))
        if folder and store and folder.is_relative_to(store):
            share(folder, store)
        return str(info.model_id), str(info.model_uri)

    def register(self, run: str, uri: str, tags: Mapping[str, str], description: str = DESCRIPTION) -> str:
        """Create a version of the registered model from a logged model or a run's files; returns its number."""
        try:
            self.client.create_registered_model(self.model, description=description)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        model_id = uri.removeprefix("models:/") if uri.startswith("models:/") else None
        made = self.client.create_model_version(self.model, uri, run, tags=dict(tags), model_id=model_id)
        if model_id is None:
            return str(made.version)
        # the run list then names the version, as after `mlflow.register_model`
        named = json.dumps([{"name": self.model, "version": str(made.version)}])
        self.client.set_logged_model_tags(model_id, {"mlflow.modelVersions": named})
        return str(made.version)

    def versions(self) -> dict[str, Any]:
        """Model versions (MLflow's entities) by number."""
        return {str(made.version): made for made in self.client.search_model_versions(f"name = '{self.model}'")}

    def version_of(self, run: str) -> str | None:
        """The model version that a run registered."""
        return next((number for number, made in self.versions().items() if made.run_id == run), None)

    def aliases(self) -> dict[str, str]:
        """Version numbers by alias, empty where the model does not exist yet."""
        try:
            found = self.client.get_registered_model(self.model).aliases
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
        return {str(alias): str(number) for alias, number in found.items()}

    def set_alias(self, alias: str, number: str) -> None:
        """Point an alias at a version."""
        self.client.set_registered_model_alias(self.model, alias, number)

    def tag_version(self, number: str, tags: Mapping[str, str]) -> None:
        """Set tags of a model version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(self.model, number, key, value)


def _chunks(items: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _create(database: Path) -> None:
    """Have MLflow create its SQLite database under another name, then move it to its path.

    Creation takes dozens of steps that SQLite cannot roll back. A database left incomplete by a kill can never be
    opened again.
    """
    descriptor, name = tempfile.mkstemp(dir=database.parent, prefix=f"{database.name}.")
    os.close(descriptor)
    try:
        MlflowClient(database_uri(Path(name))).search_experiments()
        Path(name).chmod(0o644)
        with suppress(FileExistsError):  # another process was faster
            os.link(name, database)
    finally:
        os.unlink(name)
