"""Space on a disk: checked before the work, and a full disk is an error that says so."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from skillshot.common.errors import SkillshotError

SPARE = 2**20  # bytes for folders, manifest and card
_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class DiskError(SkillshotError):
    """A disk is full, or a folder cannot be written."""


def need(folder: Path, size: int, what: str) -> None:
    """Check that `size` bytes are free where `folder` is or will be.

    Raises:
        DiskError: they are not; names both numbers.
    """
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < size + SPARE:
        raise DiskError(
            f"{place}: {what} needs {size + SPARE:,} bytes, {free:,} are free\n"
            "free some space, or choose a folder on another disk"
        )


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn the errors of a full or read-only disk into one that names the folder.

    Raises:
        DiskError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:  # shutil.Error is one: it holds a list of (source, target, message)
        full = error.errno in _FULL or "No space left" in str(error) or "quota exceeded" in str(error)
        if full:
            raise DiskError(
                f"{folder}: the disk is full; what was there before is unchanged\nfree some space"
            ) from error
        if error.errno in _READ_ONLY:
            raise DiskError(
                f"{folder}: no access ({error.strerror}: {error.filename})\n"
                "give this user access, or work on a copy of the bundle"
            ) from error
        raise


def bytes_under(folder: Path) -> int:
    """Bytes of the files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
