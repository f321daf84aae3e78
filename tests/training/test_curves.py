"""Training curves: a picture that explains itself."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from skillshot.training.curves import draw_curves


def test_the_description_names_the_weights_that_are_kept(tmp_path: Path) -> None:
    history = [
        {"model": model, "epoch": epoch, "reconstruction": 9.0 - epoch, "held_out_reconstruction": 8.0,
         "kl": 1.0 + epoch, "held_out_kl": 1.0, "held_out_loss": abs(best - epoch)}
        for model, best in (("skillshot", 2), ("lars", 1))
        for epoch in range(4)
    ]  # fmt: skip
    for name in ("one.png", "two.png"):
        draw_curves(tmp_path / name, history)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    text = Image.open(tmp_path / "one.png").info["Description"]
    assert "skillshot: 4 epochs, weights of epoch 2, held out squared reconstruction error 8, KL in nats 1" in text
    assert "lars: 4 epochs, weights of epoch 1" in text


def test_no_history_draws_an_empty_picture(tmp_path: Path) -> None:
    draw_curves(tmp_path / "none.png", [])
    assert Image.open(tmp_path / "none.png").width > 300
