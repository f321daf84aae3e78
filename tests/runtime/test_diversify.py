"""Near ties go to the least similar rows; all others stay in the order of their scores."""

from __future__ import annotations

import dataclasses
import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.story import Story
from skillshot import Selector
from skillshot.common.io import read_json, write_json
from skillshot.runtime.diversify import diversify
from skillshot.selectors.choose import choose


def unit(rows: list[list[float]]) -> np.ndarray:
    out = np.array(rows, np.float32)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def test_of_near_ties_the_least_similar_are_taken() -> None:
    rows = unit([[1, 0.1, 0], [1, 0.09, 0], [1, 0, 0.1], [1, -0.1, 0], [0, 1, 0]])
    scores = np.array([0.999, 0.998, 0.99, 0.985, 0.4], np.float32)
    assert list(diversify(scores, rows, np.arange(len(rows)), 0.0)) == [0, 1, 2, 3, 4]
    # 1 is nearly equal to 0; 3 is on the other side; 4 has a much lower score, so it is last however different it is
    assert list(diversify(scores, rows, np.arange(len(rows)), 0.02)) == [0, 3, 2, 1, 4]


@given(st.integers(0, 40), st.floats(0, 2), st.integers(0, 10_000))
def test_every_position_is_yielded_once_and_the_best_first(n: int, margin: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, 5)).astype(np.float32)
    scores = -np.sort(-rng.random(n).astype(np.float32))
    order = list(diversify(scores, rows, np.arange(len(rows)), margin))
    assert sorted(order) == list(range(n))
    assert order[:1] == [0][:n]
    near = int((scores >= scores[0] - margin).sum()) if n else 0
    assert set(order[:near]) == set(range(near)), "what is outside the margin comes after"


def test_duplicates_do_not_displace_others() -> None:
    rows = unit([[1, 0], [1, 0], [1, 0], [1, 0.1]])
    assert list(islice(diversify(np.ones(4, np.float32), rows, np.arange(4), 0.02), 2)) == [0, 3]


def test_selector_uses_the_margin_of_its_bundle(bundle: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(bundle, plain)
    manifest = read_json(plain / "manifest.json")
    assert manifest["select"]["near_tie"] == 0.02
    manifest["select"]["near_tie"] = 0.0
    write_json(plain / "manifest.json", manifest)
    question = "A train covers 60 miles in 3 hours. How far does it get in 5 hours?"
    near, exact = (Selector.load(folder, "lite").select(question, 4) for folder in (bundle, plain))
    assert [d.score for d in exact] == sorted((d.score for d in exact), reverse=True)
    assert near[0].id == exact[0].id
    assert all(d.score >= near[0].score - 0.02 or d.id in {e.id for e in exact} for d in near)
    assert dataclasses.asdict(near[0]) == dataclasses.asdict(exact[0])


@pytest.mark.parametrize(("name", "mode"), [("skillshot", "full"), ("lite", "lite")])
def test_scored_choices_equal_those_of_a_selector(bundle: Path, story: Story, name: str, mode: str) -> None:
    queries = story[1][:20]
    scored = choose(bundle, queries, [name], 4)[name]
    served = Selector.load(bundle, mode).select_batch([query.question for query in queries], 4)
    assert [[r.id for r in rows] for rows in scored] == [[d.id for d in rows] for rows in served]
    assert any(len({d.score for d in rows}) > 1 for rows in served)
    assert all(rows == sorted(rows, key=lambda d: -d.score) for rows in served)
