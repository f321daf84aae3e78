"""A bundle folder is put together whole or not at all. Vectors are made up; there is no model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.story import Story
from skillshot.bundle.build import build_bundle, bundle_facts
from skillshot.common.io import read_json
from skillshot.common.params import default_params
from skillshot.runtime.layout import LARGE


def build(folder: Path, story: Story, most: int) -> Path:
    """A bundle of ten demonstrations with made-up vectors and no model."""
    (folder / "model").mkdir(parents=True)
    rows = np.eye(10, 16, dtype=np.float32)
    params = default_params([f"index.exact_below={most}"])
    facts = bundle_facts(story[0][:10], params, {})
    build_bundle(folder / "model", {"skillshot": rows}, story[0][:10], facts, params, folder / "selector")
    return folder / "selector"


def test_a_large_bank_gets_its_index_and_a_small_one_none(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def index(vectors: Any, where: Path) -> None:
        where.mkdir()
        (where / "built").write_text(str(len(vectors)))

    monkeypatch.setattr("skillshot.runtime.large.build", index)
    large, small = build(tmp_path / "large", story, 9), build(tmp_path / "small", story, 10)
    assert (large / "bank-1" / LARGE / "built").read_text() == "10"
    assert not (small / "bank-1" / LARGE).exists()
    assert sorted(path.name for path in (tmp_path / "small").iterdir()) == ["model", "selector"]  # no work folder stays


def test_a_build_that_fails_leaves_nothing_behind(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("skillshot.runtime.large.build", full)
    with pytest.raises(OSError, match="disk full"):
        build(tmp_path / "one", story, 9)
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["model"]


def test_the_manifest_holds_the_load_options(story: Story, tmp_path: Path) -> None:
    found = read_json(build(tmp_path / "one", story, 10) / "manifest.json")["select"]
    assert found == {"mode": "full", "precision": "int8", "near_tie": 0.02, "k": 4}
