"""Temporary folders of bundles that were pulled, or fitted without `out`."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path


class TemporaryFolder:
    """A new folder that is removed with its last owner; whatever reads files in it keeps a reference to it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="skillshot-"))
        weakref.finalize(self, _remove, self.path, os.getpid())
        _LIVING[self.path] = self


_LIVING: weakref.WeakValueDictionary[Path, TemporaryFolder] = weakref.WeakValueDictionary()


def owner_of(folder: Path) -> TemporaryFolder | None:
    """The temporary folder of this process that holds `folder`; None where it is not temporary."""
    return _LIVING.get(folder.parent)


def _remove(path: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child must not remove what its parent still reads
        shutil.rmtree(path, ignore_errors=True)
