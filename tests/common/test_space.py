"""A full or read-only disk ends in an error that names the folder."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from skillshot.common.space import DiskError, need, writing


def test_both_numbers_are_named_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    need(tmp_path, 3_000_000, "it")
    with pytest.raises(DiskError, match=r"it needs 8,048,576 bytes, 5,000,000 are free"):
        need(tmp_path / "not/yet/there", 7_000_000, "it")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk is full"),
        (shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]), "disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "/x/y"), r"no access \(Read-only file system: /x/y\)"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "no access"),
    ],
)
def test_errors_of_writing(error: OSError, message: str, tmp_path: Path) -> None:
    with pytest.raises(DiskError, match=message), writing(tmp_path):
        raise error


def test_another_error_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), writing(tmp_path):
        raise FileNotFoundError(errno.ENOENT, "no")
