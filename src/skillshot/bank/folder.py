"""A folder of outputs that changes as one: a killed writer leaves the old folder or the new one, never a mixture."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

_EXCHANGE = 2  # RENAME_EXCHANGE of Linux' renameat2
_HERE = -100  # AT_FDCWD


@contextlib.contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Yield an empty sibling folder that takes the place of `path` when the block succeeds.

    What an earlier, killed writer left behind is removed first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f".{path.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        swap(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def swap(new: Path, old: Path) -> None:
    """Put `new` where `old` is; on Linux in one step, elsewhere in two renames."""
    if not old.exists():
        new.rename(old)
        return
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(_HERE, os.fsencode(new), _HERE, os.fsencode(old), _EXCHANGE) == 0:
            return
    aside = new.with_name(new.name + ".old")
    old.rename(aside)
    new.rename(old)
    shutil.rmtree(aside)
