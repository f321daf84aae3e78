"""The index of a large bank, compared with exact search, and after changes of its bundle."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from skillshot import Selector
from skillshot.bundle.edit import add, remove
from skillshot.common.errors import BundleError, SkillshotError
from skillshot.common.record import Record
from skillshot.runtime import large
from skillshot.runtime.index import ExactIndex, Floats
from skillshot.runtime.layout import LARGE

QUESTION = "A train covers 60 miles in 3 hours. How many miles does it cover in one hour?"


def clouds(count: int, seed: int, width: int = 24) -> Floats:
    """Unit rows around 60 centres, similar to skills."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).standard_normal((60, width))
    rows = centres[rng.integers(0, 60, count)] + 0.5 * rng.standard_normal((count, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Floats]:
    pytest.importorskip("faiss", reason="faiss is the extra `large`; not in the lock")
    path, vectors = tmp_path_factory.mktemp("large") / LARGE, clouds(20_000, 0)
    large.build(vectors, path)
    return path, vectors


def recall(index: large.LargeIndex, vectors: Floats, queries: Floats, allowed: np.ndarray | None = None) -> float:
    exact, hits = ExactIndex(vectors), 0
    for query in queries:
        rows, scores = index.search(query, 4, allowed)
        np.testing.assert_allclose(scores, vectors[rows] @ query, atol=1e-6)
        assert list(scores) == sorted(scores, reverse=True) and len(set(rows.tolist())) == 4
        hits += len(set(rows.tolist()) & set(exact.search(query, 4, allowed)[0].tolist()))
    return hits / (4 * len(queries))


def test_recall_against_exact(built: tuple[Path, Floats]) -> None:
    index = large.LargeIndex(*built)
    assert recall(index, built[1], clouds(100, 1)) >= 0.99


@pytest.mark.parametrize("share", [0.5, 0.01])
def test_filters_hold(built: tuple[Path, Floats], share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "DENSE", 1000)  # both searches: by lists and exact
    index = large.LargeIndex(*built)
    allowed = np.random.default_rng(2).random(len(built[1])) < share
    assert recall(index, built[1], clouds(50, 3), allowed) >= 0.99
    rows, _ = index.search(clouds(1, 4)[0], 10, allowed)
    assert allowed[rows].all()


def test_filters_that_leave_out_what_is_nearest(built: tuple[Path, Floats], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "DENSE", 100)
    (index, vectors), centres = (large.LargeIndex(*built), built[1]), np.random.default_rng(7).standard_normal((60, 24))
    label = (vectors @ centres.T).argmax(1)
    for step in (1, 2, 8):
        for query in clouds(20, 8):
            allowed = (label != (centres @ query).argmax()) & (label % step == 0)
            assert allowed.sum() > large.DENSE
            rows, scores = index.search(query, 300, allowed)
            assert len(rows) == 300 and allowed[rows].all()
            best = ExactIndex(vectors).search(query, 4, allowed)[1]
            np.testing.assert_allclose(scores[:4], best, atol=1e-6)


def test_k_larger_than_the_bank(built: tuple[Path, Floats]) -> None:
    index, query = large.LargeIndex(*built), clouds(1, 5)[0]
    for k in (3000, 30_000):
        rows, _ = index.search(query, k)
        assert rows.tolist() == ExactIndex(built[1]).search(query, k)[0].tolist()


def test_changed_bank_keeps_its_lists(built: tuple[Path, Floats], tmp_path: Path) -> None:
    path, vectors = built
    kept = np.flatnonzero(np.arange(len(vectors)) % 3)
    added = clouds(500, 6)
    large.change(path, tmp_path / LARGE, kept, added)
    now = np.vstack([vectors[kept], added])
    index = large.LargeIndex(tmp_path / LARGE, now)
    assert recall(index, now, np.vstack([clouds(50, 7), added[:50]])) >= 0.99
    assert index.search(added[3], 1)[0].tolist() == [len(kept) + 3]
    with pytest.raises(BundleError, match="build the bundle again"):
        large.LargeIndex(path, now)


def test_bundle_gets_an_index_when_it_grows(bundle: Path, tmp_path: Path) -> None:
    pytest.importorskip("faiss", reason="faiss is the extra `large`; not in the lock")
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    before = Selector.load(copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["index"]["exact_below"] = len(before)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    record = before.record(0)
    new = Record("new", "How many kites fly if 3 of 8 kites fall down?", "8 - 3 = 5", "5", metadata=record.metadata)
    add(copy, [new])
    grown = before.reload()
    assert (copy / grown.facts["bank"] / LARGE).is_file() and len(grown) == len(before) + 1
    asked = grown.select(new.question + " ", k=len(grown))
    assert len(asked) == len(grown) - 1 and "new" not in {d.id for d in asked}
    assert grown.recall([before.record(row).question for row in range(40)]) >= 0.99
    remove(copy, [record.id])
    shrunk = grown.reload()
    chosen = shrunk.select(QUESTION, k=len(shrunk), where={"skill": record.metadata["skill"]})
    assert "new" in {d.id for d in chosen} and record.id not in {d.id for d in chosen}
    assert shrunk.recall([before.record(row).question for row in range(40)]) >= 0.99
    index = copy / shrunk.facts["bank"] / LARGE
    index.write_bytes(index.read_bytes()[:-9])
    with pytest.raises(BundleError, match=LARGE):
        Selector.load(copy)


def test_without_the_extra_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(SkillshotError, match=r"pip install 'skillshot\[large\]'"):
        large.LargeIndex(tmp_path / LARGE, clouds(10, 0))
    with pytest.raises(SkillshotError, match="needs an index"):
        large.build(clouds(10, 0), tmp_path / LARGE)
