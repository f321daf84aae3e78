"""A bundle to and from a folder, a Hugging Face repository or the MLflow registry.

A bundle is a Hugging Face repository as it is: model card in README.md, files next to it. Targets and sources:
`hf:OWNER/NAME` (a revision may follow: `hf:OWNER/NAME@v2`), `models:/NAME` (a source also `models:/NAME@ALIAS` or
`models:/NAME/VERSION`), or the path of a folder.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from pathlib import Path

from skillshot.bundle import database
from skillshot.bundle.card import write_card
from skillshot.bundle.changing import NEW, changing, put
from skillshot.common.environment import repository
from skillshot.common.errors import BundleError, InputError
from skillshot.common.extras import extras_named
from skillshot.common.schema import door, regular
from skillshot.common.space import bytes_under, need, writing
from skillshot.runtime.layout import CARD, resolve
from skillshot.runtime.manifest import NAME, check_files, read_manifest
from skillshot.runtime.options import REMOTE
from skillshot.runtime.postgres import SCHEMES

HUGGING_FACE, REGISTRY = REMOTE
logger = logging.getLogger("skillshot")
_TRIES = 5  # copies of a bundle that is being changed meanwhile


def push(bundle: str | os.PathLike[str], target: str) -> str:
    """Check a bundle, then send exactly the files of its manifest; returns where it went.

    The model card is made anew from the manifest. To a database (postgresql://...) the bank alone is sent: see
    `skillshot.bundle.database`.

    Raises:
        BundleError: the bundle is damaged.
        InputError: the target exists and is no bundle, or the hub refused.
        MissingPackageError: the package that writes to the hub is not installed.
    """
    if target.startswith(SCHEMES):
        return database.fill(bundle, target)
    with tempfile.TemporaryDirectory() as work:
        copy = _checked(Path(bundle), Path(work) / "bundle")
        if target.startswith(HUGGING_FACE):
            return _to_hugging_face(copy, *_named(target))
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
        return _placed(_checked(found, Path(work) / "checked"), Path(folder))


def _named(text: str) -> tuple[str, str | None]:
    name, _, revision = text.removeprefix(HUGGING_FACE).partition("@")
    if name.count("/") != 1:
        raise InputError(f"{text}: expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION")
    return name, revision or None


def _checked(folder: Path, target: Path) -> Path:
    """A copy of the files that the manifest lists, and no other, each checked in the copy."""
    for _ in range(_TRIES):
        manifest = read_manifest(folder)
        need(target, sum(entry["bytes"] for entry in manifest["files"].values()), "the copy")
        try:
            with door(folder), writing(target):
                target.mkdir(parents=True, exist_ok=True)
                for name in manifest["files"].keys() - {CARD}:
                    source, path = resolve(folder, name), target / name
                    regular(source)  # a pipe is never opened
                    path.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, path)
                shutil.copyfile(folder / NAME, target / NAME)
            if read_manifest(target) == manifest:
                check_files(target, manifest)
                write_card(target, manifest)
                return target
        except BundleError:
            # `add` or `remove` may have put another bank in the place of the one that was being copied
            if read_manifest(folder) == manifest:
                raise
        shutil.rmtree(target, ignore_errors=True)
    raise BundleError(f"{folder}: changed {_TRIES} times while it was copied; try again")


def _placed(bundle: Path, folder: Path) -> Path:
    if folder.exists() and not (folder / NAME).exists():
        raise InputError(f"{folder}: exists and is not a bundle; choose another folder")
    need(folder, bytes_under(bundle), "the bundle")
    with changing(folder) as (place, work):
        shutil.copytree(bundle, work / NEW)
        put(work, place)
    return folder


def _to_hugging_face(folder: Path, name: str, revision: str | None) -> str:
    with extras_named():
        from huggingface_hub import HfApi

    api = HfApi()
    try:
        api.create_repo(name, exist_ok=True)
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
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
        from skillshot.track.location import tracking_uri
        from skillshot.track.mlflow_store import MlflowStore

    if (place := tracking_uri(repository())).startswith("sqlite:"):  # that of a server may hold a password
        logger.info("push: the MLflow store is %s (MLFLOW_TRACKING_URI names another)", place)
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
        raise InputError(f"{source}: {_short(error)}{_versions(source)}") from error
    bundles = sorted(found.glob(f"artifacts/*/{NAME}"))
    if not bundles:
        raise BundleError(f"{source}: holds no bundle; push one with `skillshot push BUNDLE {source}`")
    return bundles[0].parent


def _versions(source: str) -> str:
    """The versions that the registry has of the model that a source names."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    name = re.split("[@/]", source.removeprefix(REGISTRY))[0]
    if not re.fullmatch(r"[\w .-]+", name):  # it becomes part of a query
        return ""
    try:
        found = sorted(int(made.version) for made in MlflowClient().search_model_versions(f"name = '{name}'"))
    except MlflowException:
        return ""
    listed = ", ".join(f"{REGISTRY}{name}/{number}" for number in found[-5:])
    return f"\nit has {listed}; `skillshot promote VERSION` sets the alias champion" if found else ""


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
