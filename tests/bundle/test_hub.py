"""Bundles to and from a folder, the Hugging Face layout and the MLflow registry."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from skillshot import Selector
from skillshot.bundle.hub import pull, push
from skillshot.common.errors import BundleError, InputError
from skillshot.common.extras import MissingPackageError
from skillshot.runtime.manifest import NAME, read_manifest

QUESTION = "How many apples are left?"


def answers(bundle: Path) -> list[str]:
    return [d.id for d in Selector.load(bundle, "lite").select(QUESTION)]


def test_a_folder_gets_the_files_of_the_manifest_and_no_other(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "mine")
    (tmp_path / "mine/notes.txt").write_text("private")
    assert push(tmp_path / "mine", str(tmp_path / "there")) == str(tmp_path / "there")
    found = {p.relative_to(tmp_path / "there").as_posix() for p in (tmp_path / "there").rglob("*") if p.is_file()}
    assert found == {NAME, *read_manifest(bundle)["files"]}
    assert pull(str(tmp_path / "there"), tmp_path / "back") == tmp_path / "back"
    assert answers(tmp_path / "back") == answers(bundle)


def test_what_is_damaged_is_not_sent_and_replaces_nothing(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "mine")
    shutil.copytree(bundle, tmp_path / "good")
    (tmp_path / "mine/model/lite.onnx").write_bytes(b"x")
    for call in (
        lambda: push(tmp_path / "mine", str(tmp_path / "good")),
        lambda: pull(str(tmp_path / "mine"), tmp_path / "good"),
    ):
        with pytest.raises(BundleError, match=r"lite\.onnx"):
            call()
    assert answers(tmp_path / "good") == answers(bundle)
    (tmp_path / "stranger").mkdir()
    with pytest.raises(InputError, match="not a bundle"):
        push(bundle, str(tmp_path / "stranger"))


def test_a_hugging_face_repository(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    remote = tmp_path / "remote"

    class Api:
        def create_repo(self, name: str, exist_ok: bool) -> None:
            assert name == "someone/selector" and exist_ok

        def upload_folder(self, **given: Any) -> str:
            for name in given["allow_patterns"]:
                (remote / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(given["folder_path"] / name, remote / name)
            return f"at {given['repo_id']} {given['revision']}"

    def download(name: str, revision: str | None, local_dir: Path) -> str:
        assert (name, revision) == ("someone/selector", "v2")
        return str(shutil.copytree(remote, local_dir))

    monkeypatch.setattr(hub, "HfApi", Api)
    monkeypatch.setattr(hub, "snapshot_download", download)
    assert push(bundle, "hf:someone/selector@v2") == "at someone/selector v2"
    assert (remote / "README.md").read_text().startswith("---\nlibrary_name: skillshot\n")
    assert answers(pull("hf:someone/selector@v2", tmp_path / "back")) == answers(bundle)
    for wrong in ("hf:selector", "hf:a/b/c"):
        with pytest.raises(InputError, match="expected hf:OWNER/NAME"):
            push(bundle, wrong)


def test_without_a_network_the_setting_is_named(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match="HF_HUB_OFFLINE=0"):
        pull("hf:nobody/nothing", tmp_path / "x")
    assert bundle.is_dir() and not (tmp_path / "x").exists()


@pytest.mark.parametrize(("package", "address"), [("huggingface_hub", "hf:a/b"), ("mlflow", "models:/a/1")])
def test_a_missing_package_is_named(
    package: str, address: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "skillshot.track.mlflow_store", raising=False)  # imported by another test
    for call in (lambda: Selector.load(address), lambda: push(bundle, address.removesuffix("/1"))):
        with pytest.raises(MissingPackageError, match=f"{package.replace('_', '-')} is not installed: pip install"):
            call()
    assert not list(tmp_path.iterdir())


def test_the_mlflow_registry(
    bundle: Path, tmp_path: Path, tracking: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    caplog.set_level("INFO", "skillshot")
    where = push(bundle, "models:/pushed")
    assert f"push: the MLflow store is {tracking} (MLFLOW_TRACKING_URI names another)" in caplog.messages
    assert where == "models:/pushed/1"
    assert answers(pull(where, tmp_path / "back")) == answers(bundle)
    selector = Selector.load(where, "lite")
    assert [d.id for d in selector.select(QUESTION)] == answers(bundle)
    assert selector.remove(answers(bundle)[0]).push_to_hub("models:/pushed") == "models:/pushed/2"
    for missing in ("models:/pushed/9", "models:/pushed@champion"):
        with pytest.raises(InputError, match="it has models:/pushed/1, models:/pushed/2; `skillshot promote") as caught:
            pull(missing, tmp_path / "none")
        assert missing in str(caught.value)
    with pytest.raises(InputError) as caught:
        pull("models:/never/1", tmp_path / "none")
    assert "it has" not in str(caught.value)
