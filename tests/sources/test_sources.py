"""Embedded sources and Hub datasets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.hostile import LINES
from skillshot.bank.checks import first_failure
from skillshot.bank.convert import to_record
from skillshot.common.errors import InputError
from skillshot.common.params import IngestParams, ValidateParams
from skillshot.common.record import normalise_question
from skillshot.sources import open_source
from skillshot.sources.gsm_symbolic import CLOSING, LEFT_OUT, generate


def test_gsm_symbolic_is_valid_and_reproducible() -> None:
    rows = list(generate(120, 7))
    assert rows == list(generate(120, 7))
    records = [to_record(row) for row in rows]
    assert [first_failure(record, ValidateParams()) for record in records].count(None) >= 118
    assert len({normalise_question(record.question) for record in records}) == 120
    assert not any(CLOSING.strip() in record.question or "####" in record.rationale for record in records)
    assert not {record.metadata["skill_label"] for record in records} & {f"template-{i}" for i in LEFT_OUT}
    assert all(record.answer_type == "number" and record.answer.isascii() for record in records)


def test_seeds_of_gsm_symbolic_share_no_item() -> None:
    assert not {row["question"] for row in generate(100, 1)} & {row["question"] for row in generate(100, 2)}


def test_storyskills_passes_the_same_checks() -> None:
    source = open_source(IngestParams(size=100), seed=7)
    records = [to_record(raw.row) for raw in source.bank]
    assert len(records) == 100
    assert [first_failure(record, ValidateParams()) for record in records] == [None] * 100


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a Hub source switches on is switched off after the test, or later ones would wait for the network."""
    import datasets.config
    import huggingface_hub.constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for module in (datasets.config, huggingface_hub.constants):
        monkeypatch.setattr(module, "HF_HUB_OFFLINE", True)


@pytest.mark.usefixtures("offline")
def test_hub_dataset_may_be_a_local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "train.jsonl").write_text(LINES)
    (folder / "test.jsonl").write_text(LINES.split("\n")[0] + "\n")
    source = open_source(IngestParams(source="hub", name=str(folder), queries_split="test"), seed=7)
    rows = list(source.bank)
    assert len(rows) == 30 and rows[0].line == 1 and rows[0].file.endswith("/train")
    assert source.queries is not None and len(list(source.queries)) == 1
    assert os.environ["HF_HUB_OFFLINE"] == "0"


@pytest.mark.usefixtures("offline")
def test_hub_dataset_that_cannot_be_loaded(tmp_path: Path) -> None:
    source = open_source(IngestParams(source="hub", name=str(tmp_path / "none" / "such")), seed=7)
    with pytest.raises(InputError, match=r"cannot load .*such.*\n.*ingest.source: file"):
        list(source.bank)
