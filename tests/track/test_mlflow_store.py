"""The MLflow store: where it is, what a kill leaves, files that versions share."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from helpers import track_bed as bed
from skillshot.common.errors import TrackError
from skillshot.track.shared_files import share


@pytest.mark.slow
def test_kill_during_creation_leaves_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skillshot.track.mlflow_store import MlflowClient, MlflowStore

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    kills, real = [KeyboardInterrupt], MlflowClient.search_experiments

    def killed(self: Any, *arguments: Any) -> Any:
        real(self, *arguments)
        if kills:
            raise kills.pop()

    monkeypatch.setattr(MlflowClient, "search_experiments", killed)
    with pytest.raises(KeyboardInterrupt):
        MlflowStore(tmp_path)
    assert not list(tmp_path.iterdir())
    assert MlflowStore(tmp_path).find_runs({"skillshot.kind": "pipeline"}) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_damaged_database_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skillshot.track.mlflow_store import MlflowStore

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as half:
        half.execute("create table experiments (experiment_id integer)")
    with pytest.raises(TrackError, match=r"mlflow\.db: .*\n.*incomplete after a kill, move it away"):
        MlflowStore(tmp_path)


def test_what_was_edited_in_place_is_not_shared(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name / "weights.bin" for name in ("1", "2", "3"))
    for path in (first, second, third):
        bed.write(tmp_path, str(path.relative_to(tmp_path)), "w" * 100_000)
    store = tmp_path / "store"
    assert share(first.parent, store) == 0
    with first.open("r+") as handle:
        handle.write("damaged")
    assert share(second.parent, store) == 0
    assert share(third.parent, store) == 100_000
    assert second.read_text() == third.read_text() == "w" * 100_000 and second.samefile(third)
    for path in (second, third):
        path.unlink()
    share(first.parent, store)
    assert len(list((store / "shared").iterdir())) == 1, "what no version has any more is gone"


@pytest.mark.parametrize("name", ["a ?b", "a#b", "a%20b", "a b", "ü=+&@:;", "file:x", "?", "100%"])
def test_repository_path_may_hold_any_character(
    name: str, tmp_path: Path, tracking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skillshot.track.mlflow_store import MlflowStore

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / name
    folder.mkdir()
    shutil.copyfile(tracking.removeprefix("sqlite:///"), folder / "mlflow.db")
    store = MlflowStore(folder, f"experiment {name}")
    run = store.create_run("one", {"kind": "x"})
    bed.write(folder, "file.txt", "text\r\n")
    store.log_files(run, [("files", folder / "file.txt")])
    assert MlflowStore(folder, f"experiment {name}").read_artifact(run, "files/file.txt") == "text\r\n"
    assert {path.name for path in folder.iterdir()} == {"mlflow.db", "mlartifacts", "file.txt"}
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing is written elsewhere"


def test_copy_of_an_experiment_publishes_to_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    from skillshot.track.location import tracking_uri

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(Path("/home/me/repo")) == "sqlite:////home/me/repo/mlflow.db"
    assert tracking_uri(Path("/home/me/repo/.dvc/tmp/exps/tmpabc")) == "sqlite:////home/me/repo/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri(Path("/home/me/repo")) == "http://127.0.0.1:5000"
