"""The policy computes only the lexical features that the graph of its mode reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skillshot.common.errors import BundleError
from skillshot.features.lexical import LexicalView
from skillshot.runtime.layout import MODEL, QUESTION_VIEW
from skillshot.runtime.manifest import read_manifest
from skillshot.runtime.onnx import Session, TextEncoder
from skillshot.runtime.policy import Policy
from skillshot.runtime.scoring import Scoring

TEXTS = ["A baker sells 12 loaves an hour. How many in 5 hours?", "", "3개의 사과를 2명이 나눈다."]


@pytest.mark.parametrize("mode", ["full", "lite"])
def test_the_features_of_a_mode_give_the_same_vector(bundle: Path, mode: str) -> None:
    model = bundle / MODEL
    feeds = {
        "lexical": LexicalView.load(model / QUESTION_VIEW).transform(TEXTS),
        "sentence_embedding": TextEncoder(model, 1, "fp32").encode(TEXTS),
    }
    whole = Session(model / ("skillshot.onnx" if mode == "full" else "lite.onnx")).run(feeds)
    scoring = Scoring.of(read_manifest(bundle)["score"], mode)
    policy = Policy(model, mode, scoring, 1, "fp32")
    assert policy.width == scoring.row
    np.testing.assert_allclose(policy(TEXTS), whole, atol=1e-5)


@pytest.mark.parametrize("mode", ["full", "lite"])
def test_a_model_that_does_not_fit_the_score_is_refused(bundle: Path, mode: str) -> None:
    facts = read_manifest(bundle)["score"]
    t, z, e, w = facts["widths"]
    # the second pair reads as many lexical columns, and has a longer row
    for widths, reason in (([t + 1, z, e, w], "its question view gives"), ([t, z + 1, e, w], r"\.onnx: gives rows of")):
        with pytest.raises(BundleError, match=reason):
            Policy(bundle / MODEL, mode, Scoring.of(facts | {"widths": widths}, mode))
