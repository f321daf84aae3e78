"""A bundle folder is put together whole or not at all. Vectors are made up; there is no model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.story import Story
from skillshot.bundle.build import build_bundle, bundle_facts
from skillshot.bundle.card import card
from skillshot.common.io import read_json
from skillshot.common.params import default_params
from skillshot.runtime.layout import LARGE
from skillshot.training.verdict import judge


def build(folder: Path, story: Story, most: int) -> Path:
    """A bundle of ten demonstrations with made-up vectors and no model."""
    (folder / "model").mkdir(parents=True)
    rows = np.eye(10, 16, dtype=np.float32)
    params = default_params([f"index.exact_below={most}"])
    facts = bundle_facts(story[0][:10], params, {}, {})
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
    assert found == {"mode": "full", "precision": "int8", "k": 4}


FACTS: dict[str, Any] = {
    "skillshot": "0.1.0",
    "seed": 0,
    "data": {"records": 200, "sha256": "0" * 64},
    "embed": {"model": "minilm"},
    "select": {"mode": "lite", "precision": "int8", "k": 4},
    "index": {"exact_below": 100_000},
    "metrics": {},
}


def verdict() -> dict[str, Any]:
    question = np.random.default_rng(0).uniform(0.2, 0.6, 200)
    similarity = question + 0.1
    return judge(similarity, question, question, source="answer", mode="lite", trust=0.5, seed=0).to_dict()


def test_the_card_holds_the_verdict() -> None:
    text = card(FACTS | {"verdict": verdict()})
    section = text.split("## Verdict\n\n")[1].split("\n\n## Measured")[0].splitlines()
    assert section == [
        "**use it**",
        "",
        "| selector | similarity of its demonstrations: structure of answers | skillshot minus it, 95 %, paired |",
        "|---|---|---|",
        "| skillshot | 0.516 | |",
        "| question n-grams | 0.416 | +0.100 (+0.100 to +0.100) |",
        "| BM25 | 0.416 | +0.100 (+0.100 to +0.100) |",
        "",
        "* 200 cross-fitted rows, no labels of skill; mode lite; learned skill is 50 % of the score, wording 50 %.",
        "* What helps: check it on labelled queries of your own: skillshot score. "
        "Rationales show more of the skill than the answer does.",
    ]


def test_the_card_of_an_older_bundle_has_no_verdict() -> None:
    text = card(FACTS)
    assert "Verdict" not in text and "\n\n## Measured" in text and "\n\n\n" not in text


def test_texts_of_a_verdict_add_no_markdown_to_the_card() -> None:
    hostile = "x` <script>alert(1)</script> [a](javascript:b) | **c**\n# d"
    plain = card(FACTS | {"verdict": verdict()})
    found = card(FACTS | {"verdict": verdict() | dict.fromkeys(("verdict", "source", "mode", "advice"), hostile)})
    assert "<script" not in found and "](" not in found and "\n# d" not in found and "**c**" not in found
    assert len(found.splitlines()) == len(plain.splitlines())
