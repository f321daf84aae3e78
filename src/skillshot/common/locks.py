"""One process at a time changes a folder.

The lock is the operating system's lock on a file next to the folder (the folder itself may be replaced), so a process
that is killed leaves none. The package filelock, which other packages bring, was not chosen: the runtime does not
depend on it, and it empties the file on opening, so a waiting process could not name the one that it waits for.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from skillshot.common.errors import BundleError

WAIT = 600.0  # seconds until a waiting process gives up; a change of a bank of a million takes two minutes
NOTICE = 1.0  # seconds of waiting until it is logged
PAUSE = 0.02  # seconds between two tries
_BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)  # another process has the lock, by platform
_REGION = 2**20  # offset of the byte that Windows locks, behind the text, which others can then read

logger = logging.getLogger("skillshot")


@contextlib.contextmanager
def locked(folder: Path, wait: float = WAIT) -> Iterator[None]:
    """Hold the lock of `folder`, which need not exist; its parent must.

    Raises:
        BundleError: the parent folder cannot be written, its file system has no locks, or another process has held the
            lock for `wait` seconds.
    """
    path = folder.with_name(f".{folder.name}.lock")
    started, noticed = time.monotonic(), False
    while (handle := _try(path, folder)) is None:
        waited = time.monotonic() - started
        if waited > wait:
            raise BundleError(
                f"{folder}: {_holder(path)} has been changing it for {waited:.0f} s\ntry again when it has ended"
            )
        if waited > NOTICE and not noticed:
            noticed = True
            logger.warning("waiting for %s, which changes %s", _holder(path), folder)
        time.sleep(PAUSE)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no open file: it stays, empty of harm
            path.unlink()
        os.close(handle)  # frees the lock


def lock(handle: int, path: Path, wait: float = WAIT) -> None:
    """Take the lock of an open file that is appended to and never replaced; threads exclude each other too.

    Functions instead of a context manager, because an audit record takes the lock at each selection.

    Raises:
        BundleError: its file system has no locks, or another process has held it for `wait` seconds.
    """
    started = time.monotonic()
    while True:
        try:
            return _lock(handle)
        except OSError as error:
            if error.errno not in _BUSY or time.monotonic() - started > wait:
                raise BundleError(f"{path}: cannot be locked ({error.strerror}); give a file that can be") from error
        time.sleep(PAUSE / 20)


def unlock(handle: int) -> None:
    """Give the lock of an open file back."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, _REGION, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_UN)


def _try(path: Path, folder: Path) -> int | None:
    """Descriptor of the locked file; None while another process has the lock."""
    handle = None
    try:
        # a link that another user put there is not followed
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        _lock(handle)
        # the process that had the lock removes the file: a lock on a removed file excludes nobody
        if os.fstat(handle).st_ino == path.stat().st_ino:
            os.truncate(handle, 0)
            os.write(handle, f"process {os.getpid()}".encode())
            return handle
    except FileNotFoundError:
        if not folder.parent.is_dir():
            raise BundleError(f"{folder.parent}: no such folder; make it first") from None
    except OSError as error:
        if handle is None or error.errno not in _BUSY:
            if handle is not None:
                os.close(handle)
            raise BundleError(
                f"{folder}: cannot be changed: {path.parent} allows no lock file ({error.strerror})\n"
                "make that folder writable, or change a copy of the bundle"
            ) from error
    if handle is not None:
        os.close(handle)
    return None


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, _REGION, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(path: Path) -> str:
    """What the holder wrote into the file, `process PID`."""
    with contextlib.suppress(OSError, ValueError):
        known = path.read_text(encoding="ascii")
        if known.removeprefix("process ").isdigit():
            return known
    return "another process"
