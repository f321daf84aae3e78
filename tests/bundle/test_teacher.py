"""`skillshot adapt`: another bundle's examples teach, the bank's own are selected."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skillshot
from skillshot.bundle.edit import add
from skillshot.bundle.teacher import Teacher
from skillshot.cli.main import main
from skillshot.common.errors import InputError
from skillshot.common.io import write_jsonl
from skillshot.common.params import default_params
from skillshot.common.record import Record
from skillshot.runtime.manifest import read_manifest
from skillshot.sources.storyskills import generate
from skillshot.training.learned import TAUGHT as TAUGHT_SHARE
from skillshot.training.teachers import teach

TAUGHT, NEW = 150, 12


@pytest.fixture(scope="module")
def rows() -> list[Record]:
    return generate(TAUGHT + NEW + 60, 8)


@pytest.fixture(scope="module")
def source(rows: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "old"
    skillshot.fit(_dicts(rows[:TAUGHT]), lite=True, out=folder, k=3, params={"seed": 5})
    return folder


def _dicts(records: list[Record]) -> list[dict[str, Any]]:
    return [record.to_dict() for record in records]


def _blind(records: list[Record]) -> list[dict[str, Any]]:
    """Without rationales, and with answers that repeat nothing."""
    bare: dict[str, Any] = {"rationale": "", "options": (), "answer_type": "number", "metadata": {}}
    return _dicts([replace(record, answer=str(1000 + 7 * i), **bare) for i, record in enumerate(records)])


@pytest.fixture(scope="module")
def adapted(rows: list[Record], source: Path, tmp_path_factory: pytest.TempPathFactory) -> skillshot.Selector:
    return skillshot.adapt(source, _dicts(rows[TAUGHT : TAUGHT + NEW]), out=tmp_path_factory.mktemp("adapted") / "new")


def test_only_the_new_rows_are_demonstrations(rows: list[Record], source: Path, adapted: skillshot.Selector) -> None:
    new = {record.id for record in rows[TAUGHT : TAUGHT + NEW]}
    assert len(adapted) == NEW and len(Teacher.of(source).records) == TAUGHT
    chosen = adapted.select_batch([record.question for record in rows[TAUGHT + NEW :]])
    assert {demonstration.id for of_one in chosen for demonstration in of_one} <= new
    assert adapted.k == 3 and adapted.facts["seed"] == 5  # the bundle's settings
    assert np.allclose(np.linalg.norm(adapted.vectors.astype(np.float32), axis=1), 1, atol=1e-3)


def test_the_manifest_and_the_card_say_where_the_knowledge_came_from(source: Path, adapted: skillshot.Selector) -> None:
    old = read_manifest(source)["data"]
    assert adapted.facts["adapted"] == {"bundle": "old", "structure": "rationale", **old}
    text = (adapted.options.folder / "README.md").read_text()
    assert f"Learned together with the {TAUGHT} examples of the bundle old (bank sha256 `{old['sha256']}`)" in text
    assert adapted.report["adapted"]["records"] == TAUGHT


def test_a_bank_without_reasoning_leans_on_both_priors_and_takes_new_rows(
    rows: list[Record], source: Path, tmp_path: Path
) -> None:
    selector = skillshot.adapt(source, _blind(rows[TAUGHT : TAUGHT + NEW]), out=tmp_path / "new")
    assert selector.facts["structure"] == "question" and {"gsm8k"} < {bank["name"] for bank in selector.facts["prior"]}
    assert selector.report["diagnostics"]["prior_share"] == TAUGHT_SHARE
    assert "four fifths of the skill is a prior" in selector.report["verdict"]["advice"]
    assert "Four fifths of the skill is a prior" in (tmp_path / "new/README.md").read_text()
    again = Record.from_dict(_blind(rows[TAUGHT : TAUGHT + 1])[0] | {"id": "again"})
    add(tmp_path / "new", [again])
    vectors = selector.reload().vectors
    assert np.allclose(vectors[0], vectors[-1], atol=2e-3)  # a row that is added later has the same vector


def test_one_row_is_enough(rows: list[Record], source: Path) -> None:
    selector = skillshot.adapt(source, _dicts(rows[-1:]))
    assert [one.id for one in selector.select("How many are left?")] == [rows[-1].id]


def test_a_bundle_that_shows_no_reasoning_teaches_none(rows: list[Record], tmp_path: Path) -> None:
    skillshot.fit(_blind(rows[:20]), lite=True, out=tmp_path / "blind")
    with pytest.raises(InputError, match=r"blind: its bank shows no reasoning \(structure from question\)"):
        skillshot.adapt(tmp_path / "blind", _dicts(rows[20:30]))


def test_the_command_reports_the_source(
    rows: list[Record], source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_jsonl(tmp_path / "bank.jsonl", _dicts(rows[TAUGHT : TAUGHT + NEW]))
    words = ["adapt", str(source), str(tmp_path / "bank.jsonl"), "--out", str(tmp_path / "new")]
    assert main(words) == 0
    assert f"learned together with {TAUGHT} examples of old, sha256" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["accepted"] == NEW and report["adapted"]["bundle"] == "old"


def test_a_bank_that_teaches_the_wrong_thing_is_left_out(
    rows: list[Record],
) -> None:
    """The teacher's rationales are those of other questions."""
    taught = rows[:TAUGHT]
    shifted = [replace(record, rationale=other.rationale) for record, other in pairwise(taught)]
    new = rows[TAUGHT:]
    settings = default_params([]).train
    assert teach([*taught, *new], len(taught), settings, 0)
    assert not teach([*shifted * 3, *new], 3 * len(shifted), settings, 0)
