"""A bundle to and from a folder, a Hugging Face repository or the MLflow registry.

A bundle is a Hugging Face repository as it is: model card in README.md, files next to it. Targets and sources:
`hf:OWNER/NAME` (a revision may follow: `hf:OWNER/NAME@v2`), `models:/NAME` (a source also `models:/NAME@ALIAS` or
`models:/NAME/VERSION`), or the path of a folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from skillshot.common.environment import repository
from skillshot.common.errors import BundleError, InputError
from skillshot.common.extras import extras_named
from skillshot.common.io import swap_folders
from skillshot.runtime.manifest import NAME, check_files, read_manifest
from skillshot.runtime.options import REMOTE

HUGGING_FACE, REGISTRY = REMOTE


def push(bundle: str | os.PathLike[str], target: str) -> str:
    """Check a bundle, then send exactly the files of its manifest; returns where it went.

    Raises:
        BundleError: the bundle is damaged.
        InputError: the target exists and is no bundle, or the hub refused.
        MissingPackageError: the package that writes to the hub is not installed.
    """
    folder = Path(bundle)
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    names = [NAME, *manifest["files"]]
    if target.startswith(HUGGING_FACE):
        return _to_hugging_face(folder, names, *_named(target))
    with tempfile.TemporaryDirectory() as work:
        copy = _copied(folder, names, Path(work) / "bundle")
        if target.startswith(REGISTRY):
            return _to_registry(copy, target.removeprefix(REGISTRY))
        return str(_placed(copy, Path(target)))


def pull(source: str, folder: str | os.PathLike[str]) -> Path:
    """Fetch a bundle, check every file, and only then put it in its place; returns the folder.

    Raises:
        BundleError: what came is no bundle, or damaged.
        InputError: the folder exists and is no bundle, or the hub has no such thing.
        MissingPackageError: the package that reads the hub is not installed.
    """
    with tempfile.TemporaryDirectory() as work:
        if source.startswith(HUGGING_FACE):
            found = _from_hugging_face(*_named(source), Path(work))
        elif source.startswith(REGISTRY):
            found = _from_registry(source, Path(work))
        else:
            found = Path(source)
        manifest = read_manifest(found)
        check_files(found, manifest)
        return _placed(_copied(found, [NAME, *manifest["files"]], Path(work) / "checked"), Path(folder))


def _named(text: str) -> tuple[str, str | None]:
    name, _, revision = text.removeprefix(HUGGING_FACE).partition("@")
    if name.count("/") != 1:
        raise InputError(f"{text}: expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION")
    return name, revision or None


def _copied(folder: Path, names: list[str], target: Path) -> Path:
    for name in names:  # not the whole folder: a bank that is being replaced, or an unrelated file, stays behind
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, path)
    return target


def _placed(bundle: Path, folder: Path) -> Path:
    if folder.exists() and not (folder / NAME).exists():
        raise InputError(f"{folder}: exists and is not a bundle; choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    sibling = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        shutil.copytree(bundle, sibling / "bundle")
        swap_folders(sibling / "bundle", folder)
    finally:
        shutil.rmtree(sibling, ignore_errors=True)
    return folder


def _to_hugging_face(folder: Path, names: list[str], name: str, revision: str | None) -> str:
    with extras_named():
        from huggingface_hub import HfApi

    api = HfApi()
    try:
        api.create_repo(name, exist_ok=True)
        made = api.upload_folder(repo_id=name, folder_path=folder, revision=revision, allow_patterns=names,
                                 delete_patterns=["bank-*"], commit_message="skillshot bundle")  # fmt: skip
    except (OSError, ValueError) as error:
        raise InputError(f"hf:{name}: {_short(error)}; log in with `hf auth login`, set HF_HUB_OFFLINE=0") from error
    return str(made)


def _from_hugging_face(name: str, revision: str | None, work: Path) -> Path:
    with extras_named():
        from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, local_dir=work / "hub"))
    except (OSError, ValueError) as error:
        raise InputError(f"hf:{name}: {_short(error)}; is the name right, and HF_HUB_OFFLINE=0 set?") from error


def _to_registry(bundle: Path, name: str) -> str:
    with extras_named():
        from skillshot.track.mlflow_store import MlflowStore

    store = MlflowStore(repository(), model=name)
    digest = str(read_manifest(bundle)["data"]["sha256"])
    run = store.create_run(f"push {name}", {"skillshot.kind": "bundle", "skillshot.bank": digest})
    _, uri = store.log_model(run, bundle, {"skillshot.bank": digest})
    version = store.register(run, uri, {"skillshot.bank": digest})
    store.finish(run)
    return f"{REGISTRY}{name}/{version}"


def _from_registry(source: str, work: Path) -> Path:
    with extras_named():
        import mlflow
        from mlflow.exceptions import MlflowException

        from skillshot.track.location import tracking_uri

    mlflow.set_tracking_uri(tracking_uri(repository()))
    try:
        found = Path(mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=str(work / "registry")))
    except MlflowException as error:
        raise InputError(f"{source}: {_short(error)}") from error
    bundles = sorted(found.glob(f"artifacts/*/{NAME}"))
    if not bundles:
        raise BundleError(f"{source}: holds no bundle; push one with `skillshot push BUNDLE {source}`")
    return bundles[0].parent


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
