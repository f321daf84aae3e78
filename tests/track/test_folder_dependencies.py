"""An edit inside a folder that a stage depends on is noticed: by the gate, before publishing, and as DVC notices it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import track_bed as bed
from skillshot.common.errors import TrackError
from skillshot.track.staleness import staleness
from skillshot.track.state import md5_of, read_state

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "src/package"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = bed.make(tmp_path / "repository")
    bed.write(root, f"{FOLDER}/a.py", "as it ran")
    bed.write(root, f"{FOLDER}/sub/b.py", "as it ran")
    lock = yaml.safe_load((root / "dvc.lock").read_text())
    lock["stages"]["train"]["deps"] = [{"path": FOLDER, "md5": md5_of(root / FOLDER)}]
    # written by another stage: checked as that stage's output, and not needed in a fresh clone
    lock["stages"]["evaluate"]["deps"] = [{"path": "models/train", "md5": "0.dir"}]
    bed.write(root, "dvc.lock", yaml.safe_dump(lock))
    bed.commit(root)
    return root


def status(root: Path) -> dict[str, str]:
    return {row.name: row.status for row in staleness(root)}


@pytest.mark.parametrize("path", ["a.py", "sub/b.py", "new.py"])
def test_a_planted_edit_is_stale_and_is_not_published(root: Path, path: str) -> None:
    assert set(status(root).values()) == {"same"}
    read_state(root).check_files()
    bed.write(root, f"{FOLDER}/{path}", "edited, not run")
    assert {name for name, found in status(root).items() if found == "stale"} == {"stage:train"}
    with pytest.raises(TrackError, match=rf"{FOLDER}: changed since stage train"):
        read_state(root).check_files()


def test_a_removed_file_is_stale(root: Path) -> None:
    (root / FOLDER / "a.py").unlink()
    assert status(root)["stage:train"] == "stale"


def test_what_python_compiles_into_a_folder_changes_nothing(root: Path) -> None:
    bed.write(root, f"{FOLDER}/__pycache__/a.cpython-311.pyc", "compiled")
    assert set(status(root).values()) == {"same"}
    read_state(root).check_files()


def changed_dependencies(root: Path) -> dict[str, set[str]]:
    """Stage -> dependencies that DVC holds for changed."""
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    report: dict[str, list[Any]] = json.loads(done.stdout)
    return {
        stage: {path for change in changes if isinstance(change, dict) for path in change.get("changed deps", ())}
        for stage, changes in report.items()
    }


@pytest.mark.slow
def test_an_edit_re_runs_the_stages_whose_packages_hold_it(tmp_path: Path) -> None:
    for name in ("dvc.yaml", "dvc.lock", "params.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    stages = yaml.safe_load((tmp_path / "dvc.yaml").read_text())["stages"]
    # whatever the last run saw, here the lock holds the source of this tree
    lock = yaml.safe_load((tmp_path / "dvc.lock").read_text())
    for name, entry in lock["stages"].items():
        sources = [path for path in stages[name]["deps"] if path.startswith("src/")]
        held = [{"path": path, "hash": "md5", "md5": md5_of(tmp_path / path)} for path in sources]
        entry["deps"] = held + [dep for dep in entry["deps"] if not dep["path"].startswith("src/")]
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump(lock))
    before = changed_dependencies(tmp_path)
    for file in ("training/ridge.py", "runtime/index.py", "common/io.py", "stages/embed.py", "cli/fit.py"):
        path = tmp_path / "src/skillshot" / file
        text = path.read_text()
        path.write_text(text + "# edited\n")
        after = changed_dependencies(tmp_path)
        package = f"src/skillshot/{file.split('/')[0]}"
        holds = {name for name, stage in stages.items() if {package, f"src/skillshot/{file}"} & set(stage["deps"])}
        assert {name for name in stages if after.get(name, set()) != before.get(name, set())} == holds, file
        path.write_text(text)
