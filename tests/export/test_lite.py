"""Graphs written node by node: the numbers of torch, whatever blocks a row has, and the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from skillshot.common.arrays import Floats
from skillshot.export.lite import write_lite, write_lite_posterior
from skillshot.model.arrays import Lite, LiteBank, Widths
from skillshot.model.combined import LitePolicy, SkillPosterior, Skillshot
from skillshot.model.fitted import run
from skillshot.model.nets import SkillCVAE, Standardise
from skillshot.runtime.onnx import Session

T, Z, E, W, D = 6, 4, 3, 5, 7


def model(latent_share: float, steps: int = 2) -> Skillshot:
    """Untrained, with random arrays and a network of the given sizes."""
    torch.manual_seed(0)
    views = [Standardise.of([torch.randn(50, T)]) for _ in range(2)]
    made = Skillshot(SkillCVAE(*views, Z, 16, 2, 0.2, False), D, 8, Widths(T, Z, E, W, steps))
    for name in ("words_offset", "lite_offset", "lite_sentence_offset", "target_centre", "sentence_centre"):
        getattr(made, name).normal_()
    made.step_share.fill_(0.3)
    made.lite_shares.copy_(torch.tensor([0.5 - latent_share, latent_share, 0.2, 0.3]))
    return made.eval()


def rows(count: int, width: int) -> Floats:
    """Random rows; the first is zero, as of a text without a known word."""
    found = np.random.default_rng(1).standard_normal((count, width)).astype(np.float32)
    found[0] = 0
    return found


@pytest.mark.parametrize("latent_share", [0.25, 0.0])
def test_the_policy_equals_torch(latent_share: float, tmp_path: Path) -> None:
    made, lexical = model(latent_share), rows(40, 2 * T + W + E)
    write_lite(made.lite_arrays, tmp_path / "lite.onnx")
    session = Session(tmp_path / "lite.onnx", widths={"lexical": 2 * T + W + E}, width=T + Z + E + W + 1)
    np.testing.assert_allclose(session.run({"lexical": lexical}), run(LitePolicy(made), lexical), atol=1e-6)
    write_lite(made.lite_arrays, tmp_path / "again.onnx")
    assert (tmp_path / "lite.onnx").read_bytes() == (tmp_path / "again.onnx").read_bytes()


@pytest.mark.parametrize("steps", [0, 2])
def test_without_an_encoder_rows_are_the_blocks_that_are_left(steps: int, tmp_path: Path) -> None:
    made, lexical, skeleton = model(0.0, steps), rows(40, 2 * T + W + E), rows(40, T)
    words, alone = lexical[:, T : T + W], lexical[:, T + W : 2 * T + W]
    theirs = run(SkillPosterior(made), rows(40, D), lexical, skeleton)
    wanted = np.hstack([theirs[:, :T], theirs[:, -W - 1 : -1]])
    arrays, widths = made.lite_arrays, Widths(T, 0, 0, W, steps)
    bank = LiteBank(widths, arrays.words, made.target_centre.numpy(), 0.3)
    write_lite_posterior(bank, tmp_path / "posterior.onnx")
    feeds = {"question_lexical": np.hstack([words, alone]), "rationale_lexical": skeleton}
    mine = Session(tmp_path / "posterior.onnx").run(feeds)
    np.testing.assert_allclose(mine[:, :-1], wanted, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(mine, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(bank.rows(feeds["question_lexical"], skeleton), mine, atol=1e-6)

    query = run(LitePolicy(made), lexical)
    small = Lite(widths, 0, arrays.words, arrays.structure, arrays.sentence[:0], (0.5, 0.0, 0.0, 0.3))
    write_lite(small, tmp_path / "lite.onnx")
    found = Session(tmp_path / "lite.onnx").run({"lexical": feeds["question_lexical"]})
    np.testing.assert_allclose(found, np.hstack([query[:, :T], query[:, -W - 1 :]]), atol=1e-6)
