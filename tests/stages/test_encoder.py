"""The pipeline exports the sentence encoder once: the stages `embed` and `export` read what `encoder` wrote."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from skillshot.common.io import read_json, write_json
from skillshot.common.record import Record, write_records
from skillshot.encoder import Embedded
from skillshot.export.ready import FILES, ReadyEncoder
from skillshot.stages import embed, encoder, export

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a bank of two rows and an encoder that is ready; its files are stand-ins."""
    kept = tmp_path / "kept"
    kept.mkdir()
    for name in FILES:
        (kept / name).write_text(f"ready {name}")
    monkeypatch.setattr(encoder, "ready_encoder", lambda _: ReadyEncoder(kept, 2e-7))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    records = [Record(id=str(i), question=f"Question {i}?", rationale="1 + 1 = 2", answer="2") for i in range(2)]
    write_records(tmp_path / "data/validate/bank.jsonl", records)
    return tmp_path


def test_an_older_export_is_replaced(root: Path) -> None:
    old = root / "models/encoder/old.onnx"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    encoder.main()
    assert {path.name: path.read_text() for path in old.parent.iterdir()} == {name: f"ready {name}" for name in FILES}
    assert read_json("reports/encoder.json") == {"model": "minilm", "max_difference": 2e-7}


@pytest.mark.usefixtures("root")
def test_embed_and_export_read_the_encoder_of_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder.main()
    opened: list[tuple[str, int]] = []
    monkeypatch.setattr(embed, "TextEncoder", lambda folder, threads: opened.append((str(folder), threads)))
    monkeypatch.setattr(embed, "fastest", lambda _, exported: exported(3))
    monkeypatch.setattr(
        embed, "embed_texts", lambda _, texts, *__: Embedded(np.eye(len(texts), 4, dtype=np.float32), 0, 256)
    )
    embed.main()
    assert opened == [("models/encoder", 3)]
    assert {path.name for path in Path("data/embed").iterdir()} == {"bank_question.npy", "bank_rationale.npy"}
    assert read_json("reports/embed.json")["bank_question"]["texts"] == 2

    given: list[Any] = []
    monkeypatch.setattr(export, "Fitted", SimpleNamespace(load=lambda _: None))
    monkeypatch.setattr(export, "export_model", lambda *arguments: given.extend(arguments) or {"bytes": 1})
    write_json("models/export/old.onnx", {})
    export.main()
    folder, difference = given[-2:]
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES) and difference == 2e-7
    assert read_json("reports/export.json") == {"bytes": 1}
