"""Bank file to bundle folder: what is refused, what is kept, what is said. The parts that learn are stand-ins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from helpers.story import Story
from skillshot.api import fit_bundle
from skillshot.bundle import build as pipeline
from skillshot.common.errors import InputError, SkillshotError
from skillshot.common.io import write_jsonl
from skillshot.common.params import default_params
from skillshot.common.record import Record
from skillshot.encoder import Embedded
from skillshot.runtime.layout import LARGE


class Parts:
    """Stand-ins for encoder, training and export; what reached the bundle is in `seen`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[Record] = []
        monkeypatch.setattr("skillshot.encoder.load_encoder", lambda _: None)
        monkeypatch.setattr("skillshot.encoder.embed_texts", self.embed)
        fitted = SimpleNamespace(vectors={}, diagnostics={})
        monkeypatch.setattr("skillshot.training.fit.fit", lambda *_: fitted)
        monkeypatch.setattr("skillshot.export.model.export_model", lambda *_: {})
        monkeypatch.setattr("skillshot.bundle.build.build_bundle", self.build)

    def embed(self, _: Any, texts: Sequence[str], __: int, title: str) -> Embedded:
        return Embedded(np.zeros((len(texts), 2), np.float32), 3 if title == "questions" else 0, 256)

    def build(self, _: Path, __: Any, records: Sequence[Record], *___: Any) -> None:
        self.seen = list(records)


def write_bank(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    write_jsonl(path, rows)
    return path


ROWS = [
    {"id": str(i), "task": f"What is {i} + 1?", "rationale": f"Add: {i + 1}", "answer": str(i + 1)} for i in range(9)
]
COLUMNS = default_params(["ingest.columns={question: task}"])


def test_refused_rows_are_written_with_line_and_reason_and_cut_texts_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, said = Parts(monkeypatch), list[str]()
    bank = write_bank(tmp_path / "bank.jsonl", [*ROWS, {"id": "x", "task": "Why?", "rationale": "", "answer": "1"}])
    report = fit_bundle(bank, tmp_path / "out", COLUMNS, said.append)
    assert [record.question for record in parts.seen] == [row["task"] for row in ROWS]
    (row,) = map(json.loads, (tmp_path / "out.quarantine.jsonl").read_text().splitlines())
    assert row["line"] == 10 and row["reason"] == "empty_rationale" and report["reasons"] == {"empty_rationale": 1}
    assert "embed: 3 questions exceed the encoder's 256 tokens and were cut" in said
    assert not any("rationales exceed" in text for text in said)
    assert report["truncated"] == {"questions": 3, "rationales": 0}


def test_a_limit_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch)
    params = default_params(["ingest.columns={question: task}", "ingest.limit=4"])
    fit_bundle(write_bank(tmp_path / "bank.jsonl", ROWS), tmp_path / "out", params)
    assert len(parts.seen) == 4 and not (tmp_path / "out.quarantine.jsonl").exists()


@pytest.mark.parametrize("folder", [True, False])
def test_what_is_no_bundle_is_never_replaced(folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Parts(monkeypatch)
    out = tmp_path / "out"
    if folder:
        out.mkdir()
    kept = out / "thesis.tex" if folder else out
    kept.write_text("years of work")
    with pytest.raises(InputError, match="exists and is not a bundle"):
        fit_bundle(write_bank(tmp_path / "bank.jsonl", ROWS), out, COLUMNS)
    assert kept.read_text() == "years of work"


def test_a_replacement_that_fails_leaves_the_old_folder(tmp_path: Path) -> None:
    old = tmp_path / "bundle"
    old.mkdir()
    (old / "manifest.json").write_text("old")
    with pytest.raises(FileNotFoundError):
        pipeline.replace_folder(tmp_path / "never written", old)
    assert (old / "manifest.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def build(folder: Path, story: Story, most: int) -> Path:
    """A bundle of ten demonstrations with made-up vectors and no model."""
    (folder / "model").mkdir(parents=True)
    rows = np.eye(10, 16, dtype=np.float32)
    params = default_params([f"index.exact_below={most}"])
    facts = pipeline.bundle_facts(story[0][:10], params, {})
    pipeline.build_bundle(folder / "model", {"skillshot": rows}, story[0][:10], facts, params, folder / "selector")
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


def test_networks_that_differ_from_torch_stop_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.eye(4, dtype=np.float32)

    def read(texts: Sequence[str]) -> Any:
        return rows[["abcd".index(text) for text in texts]]

    view = SimpleNamespace(save=lambda _: None, transform=read, width=4)
    fitted: Any = SimpleNamespace(
        question_view=view, rationale_view=view, posteriors={}, vectors={"lars": rows},
        policies={"lars": SimpleNamespace(eval=lambda: lambda *feeds: feeds[0])},
    )  # fmt: skip

    class Session:
        inputs = ("sentence_embedding",)

        def __init__(self, path: Path) -> None: ...

        def run(self, feeds: Mapping[str, Any]) -> Any:
            return feeds["sentence_embedding"] + np.float32(error)

    class Encoder:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def encode(self, texts: Sequence[str]) -> Any:
            return read(texts)

    monkeypatch.setattr(pipeline, "export_encoder", lambda *_: {"dimension": 4})
    monkeypatch.setattr(pipeline, "quantise", lambda *_: None)
    monkeypatch.setattr(pipeline, "export_networks", lambda *_: None)
    monkeypatch.setattr("skillshot.runtime.onnx.Session", Session)
    monkeypatch.setattr("skillshot.runtime.onnx.TextEncoder", Encoder)
    params = default_params(["export.max_difference=0.001", "select.k=1"])
    error = 0.0005
    report = pipeline.export_model(None, fitted, list("abcd"), rows, params, tmp_path)
    assert report["lars"]["max_difference"] == pytest.approx(0.0005, rel=1e-2)
    error = 0.01
    with pytest.raises(SkillshotError, match=r"lars.onnx differs from torch by 1.00e-02, allowed .* 1e-03"):
        pipeline.export_model(None, fitted, list("abcd"), rows, params, tmp_path)
