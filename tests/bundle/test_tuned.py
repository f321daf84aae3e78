"""Other weights in a bundle: what the selector does with them, what stays, and what a kill leaves."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from bundle.kills import die_at
from helpers import tiny_bundle
from skillshot import Selector
from skillshot.bundle.tuned import constant, write_tuned
from skillshot.common.errors import BundleError
from skillshot.runtime.manifest import read_manifest, write_manifest

SHARES = [0.2, 0.1, 0.6, 0.1]
FOUND: dict[str, Any] = {
    "llm": "model|x", "calls": 320, "queries": 50, "k": 4, "mode": "full", "before": [0.4, 0.2, 0.3, 0.1],
    "after": SHARES, "nll": {"diff": -0.1, "low": -0.2, "high": -0.01},
}  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A tiny bundle whose query network has the constant, which no node reads."""
    folder = tiny_bundle.make(tmp_path / "tiny")
    path = folder / "model/skillshot.onnx"
    proto = onnx.load(path)
    proto.graph.initializer.append(numpy_helper.from_array(np.array(SHARES[::-1], np.float32), "model.full_shares"))
    path.write_bytes(proto.SerializeToString())
    facts = {key: value for key, value in read_manifest(folder).items() if key not in ("format", "files")}
    write_manifest(folder, facts)
    return folder


def write(folder: Path, out: Path, mode: str = "full") -> None:
    manifest = read_manifest(folder)
    score = manifest["score"][mode] | {"shares": SHARES}
    write_tuned(folder, out, manifest, mode, score, FOUND)


@pytest.mark.parametrize("mode", ["full", "lite"])
def test_the_tuned_selector_weighs_the_same_similarities_otherwise(bundle: Path, tmp_path: Path, mode: str) -> None:
    write(bundle, tmp_path / "tuned", mode)
    before, after = Selector.load(bundle, mode=mode), Selector.load(tmp_path / "tuned", mode=mode)
    question = before.record(3).question
    old, new = (selector._bundle.policy([question])[0] for selector in (before, after))
    scoring = before._bundle.scoring
    for block, share, other in zip(scoring.blocks, scoring.shares, SHARES, strict=True):
        if share:
            assert np.allclose(new[block], old[block] / share * other, atol=1e-5)
    assert [one.id for one in after.select(question)] != [one.id for one in before.select(question)]
    assert before._bundle.vectors.tolist() == after._bundle.vectors.tolist()
    why = after.explain(question).to_dict()["reasons"][0]
    assert sum(part["value"] for part in why["contributions"]) == pytest.approx(why["demonstration"]["score"], abs=1e-3)


def test_only_the_network_the_manifest_and_the_card_change(tiny: Path, tmp_path: Path) -> None:
    old = read_manifest(tiny)
    write(tiny, tmp_path / "tuned")
    new = read_manifest(tmp_path / "tuned")
    changed = {name for name in old["files"] if old["files"][name] != new["files"][name]}
    assert changed == {"README.md", "model/skillshot.onnx"} and set(old["files"]) == set(new["files"])
    assert {key for key in new if old.get(key) != new[key]} == {"files", "score", "tuned"}
    assert constant(tmp_path / "tuned/model/skillshot.onnx", "model.full_shares") == pytest.approx(SHARES)
    assert read_manifest(tiny) == old


def test_the_card_says_how_it_was_tuned(tiny: Path) -> None:
    write(tiny, tiny)
    card = (tiny / "README.md").read_text()
    assert "320 answers of model&#124;x to 50 questions" in card and "-0.100 [-0.200, -0.010]" in card
    assert "| after | 0.200 | 0.100 | 0.600 | 0.100 |" in card


def test_a_tuned_bundle_stays_one_when_its_bank_changes(tiny: Path) -> None:
    write(tiny, tiny)
    Selector.load(tiny).add(tiny_bundle.records(1, 100))
    assert read_manifest(tiny)["tuned"] == FOUND
    assert Selector.load(tiny)._bundle.scoring.shares == tuple(SHARES)


def test_a_bundle_that_changed_meanwhile_is_left_alone(tiny: Path) -> None:
    manifest = read_manifest(tiny)
    Selector.load(tiny).add(tiny_bundle.records(1, 100))
    now = read_manifest(tiny)
    with pytest.raises(BundleError, match="changed while it was tuned; run the same command again"):
        write_tuned(tiny, tiny, manifest, "full", manifest["score"]["full"], FOUND)
    assert read_manifest(tiny) == now


def test_a_network_without_the_constant_is_refused(tmp_path: Path) -> None:
    folder = tiny_bundle.make(tmp_path / "tiny")
    with pytest.raises(BundleError, match=r"skillshot.onnx: has no constant 'model.full_shares'; fit the bank again"):
        write(folder, folder)


def test_a_kill_leaves_the_old_bundle_or_the_new_one(tiny: Path, tmp_path: Path) -> None:
    states = []
    for event in range(1, 400, 4):
        folder = tmp_path / "killed" / "selector"
        shutil.rmtree(folder.parent, ignore_errors=True)
        shutil.copytree(tiny, folder)
        child = os.fork()
        if child == 0:
            die_at(event)
            write(folder, folder)
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        shares = Selector.load(folder)._bundle.scoring.shares
        states.append(shares == tuple(SHARES))
        assert states[-1] or shares == tuple(tiny_bundle.SCORE["full"]["shares"])
        if ended:
            break
    assert ended and states[-1] and not states[0]
    write(folder, folder)
    assert json.loads((folder / "manifest.json").read_text())["tuned"] == FOUND
    assert sorted(path.name for path in folder.parent.iterdir() if "partial" in path.name) == []
