"""Changes by several processes and changes that are killed: no row is lost, and the bundle stays usable."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conftest import Shared
from helpers import tiny_bundle
from skillshot import Selector
from skillshot.bundle import changing, edit
from skillshot.bundle.edit import add, remove
from skillshot.bundle.hub import push
from skillshot.common.errors import BundleError, SkillshotError
from skillshot.common.locks import locked
from skillshot.common.space import DiskError
from skillshot.runtime.manifest import check_files, read_manifest

HERE = Path(__file__).parent


@pytest.fixture
def tiny(shared: Shared, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared("tiny", tiny_bundle.make), tmp_path / "tiny"))


def run(script: str, *arguments: object) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)], capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_of_two_adds_at_once_both_rows_are_there(tiny: Path) -> None:
    for round_ in range(12):
        pair = [tiny_bundle.records(1, 100 + 2 * round_ + i) for i in range(2)]
        threads = [threading.Thread(target=add, args=(tiny, records)) for records in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    selector = Selector.load(tiny, "lite")
    ids = {selector.record(row).id for row in range(len(selector))}
    assert len(selector) == len(ids) == tiny_bundle.ROWS + 24


def test_processes_lose_and_double_no_row(tiny: Path) -> None:
    found = run("crowd.py", tiny, 2, 2)
    assert found["errors"] == [] and found["same"] and found["done"] >= 2
    assert not list(tiny.parent.glob(".tiny*"))


@pytest.mark.slow
def test_four_processes_lose_and_double_no_row(tiny: Path) -> None:
    found = run("crowd.py", tiny, 10, 4)
    assert found["errors"] == [] and found["same"] and found["done"] >= 8


@pytest.mark.slow
def test_add_killed_at_each_of_its_changes_of_a_file(tiny: Path, tmp_path: Path) -> None:
    found = run("kills.py", tiny, tmp_path, "events", 1000)
    assert found["kills"] > 30 and found["old"] > 20 and found["new"] > 3


@pytest.mark.slow
def test_add_killed_at_random_moments(tiny: Path, tmp_path: Path) -> None:
    assert run("kills.py", tiny, tmp_path, "random", 100)["kills"] == 100


def test_add_killed_at_some_random_moments(tiny: Path, tmp_path: Path) -> None:
    assert run("kills.py", tiny, tmp_path, "random", 8)["kills"] == 8


def test_a_card_that_a_kill_left_old_stops_nothing(tiny: Path, tmp_path: Path) -> None:
    (tiny / "README.md").write_text("old")
    check_files(tiny, read_manifest(tiny))
    push(tiny, str(tmp_path / "pushed"))
    assert (tmp_path / "pushed/README.md").read_text().startswith("---\nlibrary_name: skillshot")
    add(tiny, tiny_bundle.records(1, 100))
    assert f"| demonstrations | {tiny_bundle.ROWS + 1} |" in (tiny / "README.md").read_text()
    manifest = read_manifest(tiny)
    assert manifest["files"]["README.md"]["bytes"] == (tiny / "README.md").stat().st_size


def test_what_a_kill_leaves_is_removed_by_the_next_change_and_nothing_else(tiny: Path) -> None:
    ours = [tiny / "bank-2", tiny / "bank-77", tiny.parent / ".tiny.partial"]
    theirs = [
        tiny / "bank-notes",
        tiny.parent / ".tiny.settings",
        tiny.parent / ".tiny.partial2",
        tiny.parent / "bank-5",
    ]
    for folder in (*ours, *theirs):
        folder.mkdir()
        (folder / "file").touch()
    (tiny / ".manifest.json.ab12cd_x").touch()
    (tiny.parent / ".tiny.lock").touch()
    remove(tiny, ["row-1"])
    assert [path for path in (*ours, tiny / ".manifest.json.ab12cd_x") if path.exists() and path.name != "bank-2"] == []
    assert all(path.exists() for path in theirs) and Selector.load(tiny, "lite").facts["bank"] == "bank-2"
    assert not (tiny / "bank-2/file").exists(), "the new bank takes nothing over"


def test_where_folders_cannot_be_exchanged_a_killed_swap_is_undone(tiny: Path) -> None:
    work = tiny.parent / ".tiny.partial"
    work.mkdir()
    tiny.rename(work / "bundle.old")
    with changing.changing(tiny) as (place, _):
        assert len(Selector.load(place, "lite")) == tiny_bundle.ROWS


def test_a_change_through_a_link_takes_the_same_lock(tiny: Path) -> None:
    (tiny.parent / "other").symlink_to(tiny)
    refused = pytest.raises(BundleError, match="has been changing it")
    with locked(tiny), refused, changing.changing(tiny.parent / "other", wait=0.1):
        pass
    assert add(tiny.parent / "other", tiny_bundle.records(1, 100)) == tiny_bundle.ROWS + 1
    assert (tiny.parent / "other").is_symlink() and len(Selector.load(tiny)) == tiny_bundle.ROWS + 1


def test_a_full_disk_is_found_before_the_work(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_manifest(tiny)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    for change in (lambda: add(tiny, tiny_bundle.records(1, 100)), lambda: tiny_bundle.make(tiny)):
        with pytest.raises(DiskError, match=r"needs [\d,]+ bytes, 1,000 are free"):
            change()
    assert read_manifest(tiny) == manifest and len(Selector.load(tiny)) == tiny_bundle.ROWS


@pytest.mark.parametrize("place", ["write_store", "write_json", "write_card", "describe"])
def test_a_disk_that_fills_up_leaves_the_old_bundle_or_the_new_one(
    place: str, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(edit, place, full)
        with pytest.raises(DiskError, match="the disk is full"):
            add(tiny, tiny_bundle.records(1, 100))
    assert len(Selector.load(tiny)) == tiny_bundle.ROWS + (place == "write_card")
    remove(tiny, ["row-1"])
    assert not list(tiny.parent.glob(".tiny*"))


def test_a_read_only_bundle_is_used_and_a_change_says_what_is_not_writable(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skillshot.common import locks

    real = locks.os.open

    def read_only(path: Any, flags: int, *more: Any, **options: Any) -> int:
        if flags & 3 and Path(path).is_relative_to(tiny.parent):
            raise OSError(30, "Read-only file system", str(path))
        return real(path, flags, *more, **options)

    monkeypatch.setattr(locks.os, "open", read_only)
    assert len(Selector.load(tiny).select("How many pens?")) == 4
    for change in (lambda: add(tiny, tiny_bundle.records(1, 100)), lambda: remove(tiny, ["row-1"])):
        with pytest.raises(SkillshotError, match="Read-only file system"):
            change()
