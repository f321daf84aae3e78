"""Parity of the exported networks with torch. The encoder and the networks are stand-ins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from skillshot.common.errors import SkillshotError
from skillshot.common.params import default_params
from skillshot.export import model


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

    monkeypatch.setattr(model, "export_networks", lambda *_: None)
    monkeypatch.setattr("skillshot.runtime.onnx.Session", Session)
    monkeypatch.setattr("skillshot.runtime.onnx.TextEncoder", Encoder)
    params = default_params(["export.max_difference=0.001", "select.k=1"])
    error = 0.0005
    report = model.export_model(fitted, list("abcd"), rows, params, tmp_path, 2e-7)
    assert report["lars"]["max_difference"] == pytest.approx(0.0005, rel=1e-2)
    error = 0.01
    with pytest.raises(SkillshotError, match=r"lars.onnx differs from torch by 1.00e-02, more than .* 1e-03"):
        model.export_model(fitted, list("abcd"), rows, params, tmp_path, 2e-7)
    error = 0.0
    assert report["encoder"] == {"max_difference": 2e-7}, "measured where the encoder was exported"
    with pytest.raises(SkillshotError, match=r"encoder.onnx differs from torch by 5.00e-03, more than .* 1e-03"):
        model.export_model(fitted, list("abcd"), rows, params, tmp_path, 0.005)
