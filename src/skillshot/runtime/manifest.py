"""The bundle's manifest: format version and SHA-256 per file, checked on load."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skillshot.common.errors import BundleError
from skillshot.common.io import read_json, sha256_file, write_json

FORMAT = 3  # 2: n-grams by their codes; 3: the number of buckets is stored in the view
NAME = "manifest.json"


def describe(folder: Path, parts: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file among or under `parts`, by path relative to `folder`."""
    found = [path for part in parts for path in ([part] if part.is_file() else part.rglob("*")) if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
        for path in sorted(found)
        if path.name != NAME
    }


def write_manifest(folder: str | os.PathLike[str], facts: Mapping[str, Any]) -> None:
    """Write the manifest of every file under `folder`, together with `facts` (model, bank, metrics)."""
    folder = Path(folder)
    write_json(folder / NAME, {"format": FORMAT, "files": describe(folder, [folder]), **facts})


def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the manifest.

    Raises:
        BundleError: there is no bundle, its manifest is unreadable, or it has another format version.
    """
    path = Path(folder) / NAME
    try:
        manifest = read_json(path)
    except FileNotFoundError as error:
        raise BundleError(
            f"{folder}: not a bundle, {NAME} is missing; make one with `skillshot fit BANK --out {folder}`"
        ) from error
    except (ValueError, OSError) as error:
        raise BundleError(f"{path}: unreadable ({error}); export the bundle again") from error
    version = manifest.get("format") if isinstance(manifest, dict) else None
    if version != FORMAT or not isinstance(manifest.get("files"), dict):
        raise BundleError(
            f"{path}: bundle format {version!r}, this skillshot reads {FORMAT}; install a matching version"
        )
    return dict(manifest)


def check_files(
    folder: str | os.PathLike[str],
    manifest: Mapping[str, Any],
    names: set[str] | None = None,
    digests: bool = True,
) -> None:
    """Compare files with the manifest, first by size, then by SHA-256.

    Args:
        names: only these files (None: all); a name that is not in the manifest is an error.
        digests: False compares only sizes.

    Raises:
        BundleError: a file is missing, truncated or changed; names the first one.
    """
    folder = Path(folder)
    files: dict[str, dict[str, Any]] = manifest["files"]
    for name in sorted(names if names is not None else files):
        path, wanted = folder / name, files.get(name)
        if wanted is None:
            raise BundleError(f"{folder / NAME}: does not list {name}; export the bundle again")
        if not path.is_file():
            raise BundleError(f"{path}: missing; copy the whole bundle again")
        size = path.stat().st_size
        if size != wanted["bytes"]:
            raise BundleError(f"{path}: {size} bytes instead of {wanted['bytes']}; copy the bundle again")
        if digests and sha256_file(path) != wanted["sha256"]:
            raise BundleError(f"{path}: its sha256 differs from the manifest's; copy the bundle again")
