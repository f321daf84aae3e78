"""Names in a manifest lead to no file outside its bundle, whoever made it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Shared
from helpers import tiny_bundle
from skillshot import Selector
from skillshot.bundle.edit import add, remove
from skillshot.bundle.hub import pull, push
from skillshot.common.errors import BundleError
from skillshot.runtime.layout import resolve

NAMES = (
    "../outside.txt", "../../outside.txt", "/etc/passwd", "model/../../outside.txt", "..", ".", "", "model", "model/",
    "model//x", "./model/x", "model\\..\\x", "C:\\x", "C:x", "model/.x", "bank-1/a/b", "bank-x/a", "bank-/a",
    "notes.txt",
    "model/a/b/c", "README.md/x", "manifest.json", "model/x\x00", "model/x\n", "model/．．/x", "~/x", "model/é",
    "banks/x",
    "bank-1\n/x", "model/" + "x" * 200,
)  # fmt: skip


@pytest.fixture
def tiny(shared: Shared, tmp_path: Path) -> Path:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/precious").write_text("precious")
    return Path(shutil.copytree(shared("tiny", tiny_bundle.make), tmp_path / "a/b/tiny"))


def edited(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def state(folder: Path) -> dict[str, bytes | str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() and not path.is_symlink() else "-"
        for path in sorted(folder.rglob("*"))
    }


def ways(folder: Path, target: Path) -> list[Callable[[], object]]:
    return [
        lambda: Selector.load(folder),
        lambda: Selector.load(folder, "lite", check=False),
        lambda: pull(str(folder), target / "pulled"),
        lambda: push(folder, str(target / "pushed")),
        lambda: add(folder, tiny_bundle.records(1, 100)),
        lambda: remove(folder, ["row-1"]),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_another_form_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no name of a file in a bundle"):
        resolve(tmp_path, name)


def test_names_of_a_bundle_are_resolved(tmp_path: Path) -> None:
    for name in ("README.md", "model/lite.onnx", "model/question_view/keys.npy", "bank-12/bank.jsonl", "model/a..b"):
        assert resolve(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", ["../../precious", "/etc/hostname", "model/../../../precious", "model\\x"])
def test_a_listed_name_outside_is_refused_in_every_way(name: str, tiny: Path, tmp_path: Path) -> None:
    data = b"precious"
    files = json.loads((tiny / "manifest.json").read_text())["files"]
    edited(tiny, files=files | {name: {"bytes": len(data), "sha256": "0" * 64}})
    before = state(tmp_path)
    for way in ways(tiny, tmp_path / "a"):
        with pytest.raises(BundleError, match="files: the key is"):
            way()
    assert state(tmp_path) == before


@pytest.mark.parametrize(
    "bank", ["..", ".", "", "model", "/tmp", "bank-1/..", "bank-1/../..", "bank-1\n", "bank-٣", 1, None]
)
def test_a_bank_elsewhere_is_refused_and_nothing_is_deleted(bank: object, tiny: Path, tmp_path: Path) -> None:
    edited(tiny, bank=bank)
    before = state(tmp_path)
    for way in ways(tiny, tmp_path / "a"):
        with pytest.raises(BundleError, match="bank is"):
            way()
    assert state(tmp_path) == before


@pytest.mark.parametrize("name", ["model/lite.onnx", "bank-1/bank.jsonl", "model", "bank-1", "model/question_view"])
def test_a_link_is_not_followed(name: str, tiny: Path, tmp_path: Path) -> None:
    (tiny / name).rename(tmp_path / "away")
    (tiny / name).symlink_to(tmp_path / "away")
    before = state(tmp_path)
    refused = 0
    for way in ways(tiny, tmp_path / "a"):
        try:
            way()
        except BundleError as error:
            assert "is a link" in str(error)
            refused += 1
    assert refused >= (5 if name == "model/lite.onnx" else 6) - (2 if name.startswith("model") else 0)
    assert state(tmp_path / "away") == {k.removeprefix("away/"): v for k, v in before.items() if k.startswith("away/")}


def test_a_pipe_is_not_opened(tiny: Path, tmp_path: Path) -> None:
    (tiny / "model/lite.onnx").unlink()
    os.mkfifo(tiny / "model/lite.onnx")
    for way in (lambda: Selector.load(tiny, "lite"), lambda: push(tiny, str(tmp_path / "x"))):
        with pytest.raises(BundleError, match="not a regular file"):
            way()
    (tiny / "manifest.json").unlink()
    os.mkfifo(tiny / "manifest.json")
    with pytest.raises(BundleError, match="not a regular file"):
        Selector.load(tiny)


def test_a_file_that_is_not_listed_stays_behind(tiny: Path, tmp_path: Path) -> None:
    (tiny / "model/secret.txt").write_text("secret")
    (tiny / "link").symlink_to("/etc")
    push(tiny, str(tmp_path / "pushed"))
    assert sorted(path.name for path in (tmp_path / "pushed").iterdir()) == [
        "README.md",
        "bank-1",
        "manifest.json",
        "model",
    ]
    assert not (tmp_path / "pushed/model/secret.txt").exists()


def test_texts_of_a_manifest_add_no_markdown_to_the_card(tiny: Path, tmp_path: Path) -> None:
    edited(tiny, embed={"model": "x` <script>alert(1)</script> [a](javascript:b) | ![c](d)"}, metrics={"<b>": 1.0})
    push(tiny, str(tmp_path / "pushed"))
    card = (tmp_path / "pushed/README.md").read_text()
    assert "<script" not in card and "](" not in card.split("sentence encoder")[1] and "<b>" not in card
