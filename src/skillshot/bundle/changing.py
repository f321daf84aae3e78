"""The one way to change a bundle's folder: alone, in a work folder next to it, after removing what a kill left behind.

Everything that a change writes has a new name until one rename or one replaced file makes it visible.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from skillshot.common.io import swap_folders
from skillshot.common.locks import WAIT, locked
from skillshot.common.space import writing
from skillshot.runtime.layout import BANK_NAME, CARD
from skillshot.runtime.manifest import NAME

NEW = "bundle"  # in the work folder: what will replace the whole bundle
_TEMPORARY = re.compile(rf"\.({re.escape(NAME)}|{re.escape(CARD)})\.[a-z0-9_]{{8}}")  # of `atomic_write`


@contextlib.contextmanager
def changing(folder: str | os.PathLike[str], wait: float = WAIT) -> Iterator[tuple[Path, Path]]:
    """Hold the lock of a bundle; yields its folder, links resolved, and an empty work folder on the same disk.

    Args:
        wait: seconds until it gives up waiting for another process.

    Raises:
        BundleError: another process has held the lock for that long, or the parent folder cannot be written.
        DiskError: the disk is full.
    """
    place = Path(folder).resolve()
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    work = place.with_name(f".{place.name}.partial")
    with locked(place, wait), writing(place):
        old = work / f"{NEW}.old"  # where `swap_folders` cannot exchange, a kill between its two renames leaves this
        if old.is_dir() and not place.exists():
            old.rename(place)
        _discard(work)
        work.mkdir()
        try:
            yield place, work
        finally:
            _discard(work)


def put(work: Path, folder: Path) -> None:
    """Put `work / NEW` in the place of the bundle, in one step."""
    (work / NEW).chmod(0o755)
    swap_folders(work / NEW, folder)


def clean(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Remove the banks that the manifest does not name and temporary files: what a kill leaves. Needs the lock."""
    for path in folder.iterdir():
        if _TEMPORARY.fullmatch(path.name) or (
            re.fullmatch(BANK_NAME, path.name) and path.name != manifest["bank"] and not path.is_symlink()
        ):
            _discard(path)


def _discard(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
