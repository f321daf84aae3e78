"""The policy computes only the half of the lexical features that the graph of its mode reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skillshot.features.lexical import LexicalView
from skillshot.runtime.layout import MODEL, QUESTION_VIEW
from skillshot.runtime.onnx import Session, TextEncoder
from skillshot.runtime.policy import Policy

TEXTS = ["A baker sells 12 loaves an hour. How many in 5 hours?", "", "3개의 사과를 2명이 나눈다."]


@pytest.mark.parametrize("mode", ["full", "lite"])
def test_half_of_the_features_gives_the_same_vector(bundle: Path, mode: str) -> None:
    model = bundle / MODEL
    feeds = {
        "lexical": LexicalView.load(model / QUESTION_VIEW).transform(TEXTS),
        "sentence_embedding": TextEncoder(model, 1, "fp32").encode(TEXTS),
    }
    whole = Session(model / ("skillshot.onnx" if mode == "full" else "lite.onnx")).run(feeds)
    np.testing.assert_allclose(Policy(model, mode, 1, "fp32")(TEXTS), whole, atol=1e-5)
