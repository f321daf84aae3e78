"""The exported encoder is made once, checked when opened, and made again where it was damaged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skillshot.export import ready
from skillshot.export.ready import FILES, KEPT, ready_encoder


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Names of the encoders that were exported; the files are stand-ins, kept below `tmp_path`."""
    names: list[str] = []

    def write(encoder: str, folder: Path) -> None:
        names.append(encoder)
        for name in FILES:
            (folder / name).write_text(f"{name} of {encoder}")

    class Encoder:
        def __init__(self, *_: object) -> None: ...

        def encode(self, texts: Any) -> Any:
            return np.full((len(texts), 2), 0.25, np.float32)

    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "model.safetensors").write_text("one")
    monkeypatch.setenv("SKILLSHOT_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(ready, "weights_folder", lambda name: None if name == "unknown" else weights)
    monkeypatch.setattr(ready, "load_encoder", lambda name: name)
    monkeypatch.setattr(ready, "write_encoder", write)
    monkeypatch.setattr(ready, "TextEncoder", Encoder)
    embedded = type("Embedded", (), {"vectors": np.full((1, 2), 0.5, np.float32)})
    monkeypatch.setattr(ready, "embed_texts", lambda *_: embedded)
    return names


def test_it_is_made_once_and_says_how_far_it_is_from_torch(made: list[str], tmp_path: Path) -> None:
    first, second = ready_encoder("mine"), ready_encoder("mine")
    assert made == ["mine"] and first == second and first.max_difference == 0.25
    assert first.folder.parent == tmp_path / "models" and [path.name for path in first.files] == list(FILES)
    assert all(path.read_text() == f"{path.name} of mine" for path in first.files)
    assert [path.name for path in first.folder.parent.iterdir()] == [first.folder.name], "nothing half made is left"


def test_other_weights_or_versions_are_another_encoder(
    made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [ready_encoder("mine").folder]
    (tmp_path / "weights/model.safetensors").write_text("two")
    folders.append(ready_encoder("mine").folder)
    monkeypatch.setattr("importlib.metadata.version", lambda _: "99")
    folders.append(ready_encoder("mine").folder)
    assert len(set(folders)) == 3 and made == ["mine"] * 3


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_one_is_made_again_and_logged(name: str, made: list[str], caplog: pytest.LogCaptureFixture) -> None:
    folder = ready_encoder("mine").folder
    (folder / name).write_text("other")
    assert ready_encoder("mine").folder == folder and made == ["mine", "mine"]
    assert "its files have changed; the encoder is exported again" in caplog.text
    assert (folder / name).read_text() == f"{name} of mine"


def test_only_the_last_ones_stay(made: list[str], tmp_path: Path) -> None:
    folders = []
    for i in range(KEPT + 1):
        (tmp_path / "weights/model.safetensors").write_text(str(i))
        folders.append(ready_encoder("mine").folder)
        os.utime(folders[-1], (i, i))
    assert [folder.exists() for folder in folders] == [False] + [True] * KEPT
    assert len(made) == KEPT + 1


@pytest.mark.usefixtures("made")
def test_a_cache_that_can_only_be_read_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ready_encoder("mine")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.utime", refuse)
    assert ready_encoder("mine") == first


@pytest.mark.parametrize("why", ["no folder of weights", "no home", "not writable"])
def test_what_cannot_be_kept_is_temporary(
    why: str, made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if why == "no home":
        monkeypatch.setattr(ready, "cache_folder", lambda: None)
    if why == "not writable":
        monkeypatch.setenv("SKILLSHOT_MODELS", "/proc/version/models")
    found = ready_encoder("unknown" if why == "no folder of weights" else "mine")
    assert len(made) == 1 and found.max_difference == 0.25 and not (tmp_path / "models").exists()
    assert ("cannot be kept" in caplog.text) == (why == "not writable")
    folder = found.folder
    assert folder.is_dir()
    del found
    assert not folder.exists()
