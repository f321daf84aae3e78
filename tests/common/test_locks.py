"""One process at a time; a kill leaves no lock."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from skillshot.common import locks
from skillshot.common.errors import BundleError
from skillshot.common.locks import locked

HOLD = (
    "import sys, time; from pathlib import Path; from skillshot.common.locks import locked\n"
    "with locked(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of tmp_path/x."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "x")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_waiting_process_names_the_one_it_waits_for_and_gives_up(
    holder: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "NOTICE", 0.05)
    refused = pytest.raises(BundleError, match=f"process {holder.pid} has been changing it")
    with caplog.at_level(logging.WARNING, "skillshot"), refused, locked(tmp_path / "x", wait=0.3):
        pass
    assert [f"waiting for process {holder.pid}, which changes {tmp_path / 'x'}"] == caplog.messages


def test_a_killed_process_leaves_no_lock(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (tmp_path / ".x.lock").exists()
    started = time.monotonic()
    with locked(tmp_path / "x"):
        assert time.monotonic() - started < 5
    assert list(tmp_path.iterdir()) == [], "nor a file, at the end"


def test_threads_exclude_each_other_also_while_the_file_is_removed_and_made(tmp_path: Path) -> None:
    inside, most = [0], [0]

    def work() -> None:
        for _ in range(30):
            with locked(tmp_path / "x"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.0005)
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] and list(tmp_path.iterdir()) == []


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".x.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(BundleError, match="allows no lock file"), locked(tmp_path / "x"):
        pass
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(locks.os, "open", refused)
    with pytest.raises(BundleError, match=r"cannot be changed: .*Permission denied.*\n.*copy"), locked(tmp_path / "x"):
        pass


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"), locked(tmp_path / "a/x"):
        pass
