"""Sentence embeddings: unit rows in the order of the texts, and the number of truncated texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skillshot.encoder import embed_texts, load_encoder, weights_folder
from skillshot.export.ready import ready_encoder
from skillshot.runtime.onnx import TextEncoder


@pytest.fixture(scope="module")
def encoder() -> Any:
    return load_encoder()


@pytest.fixture(scope="module")
def exported() -> TextEncoder:
    return ready_encoder("minilm").encoder()


def words(tokens: int) -> str:
    """A text of `tokens` tokens, including [CLS] and [SEP]."""
    return " ".join(["apple"] * (tokens - 2))


def test_texts_over_the_window_are_counted_each_time_they_occur(encoder: Any, exported: TextEncoder) -> None:
    window = encoder.max_seq_length
    fits, over = words(window), words(window + 1)
    assert len(encoder.tokenizer(fits)["input_ids"]) == window
    found = embed_texts(encoder, [fits, over, "short", over, words(window + 50)], batch_size=2)
    assert (found.window, found.truncated) == (256, 3)
    assert embed_texts(exported, [fits, over, "short", over]).truncated == 2


def test_rows_are_unit_and_in_the_order_of_the_texts(encoder: Any, exported: TextEncoder) -> None:
    texts = ["How many apples are left?", words(40), "Tom", "How many apples are left?", ""]
    found = embed_texts(encoder, texts, batch_size=2).vectors
    assert found.dtype == np.float32 and found.shape == (5, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(found[0], found[3])
    alone = np.vstack([embed_texts(encoder, [text]).vectors for text in texts])
    np.testing.assert_allclose(found, alone, atol=1e-5)
    np.testing.assert_allclose(embed_texts(exported, texts, batch_size=2).vectors, found, atol=1e-5)


def test_model_without_a_norm_layer_gives_unit_rows(encoder: Any) -> None:
    from sentence_transformers import SentenceTransformer

    bare = SentenceTransformer(modules=[encoder[0], encoder[1]])
    assert np.linalg.norm(bare.encode(["Tom"])) > 1.1
    np.testing.assert_allclose(np.linalg.norm(embed_texts(bare, ["Tom"]).vectors), 1, atol=1e-5)


def test_no_texts_give_no_rows(encoder: Any, exported: TextEncoder) -> None:
    for one in (encoder, exported):
        found = embed_texts(one, [])
        assert found.vectors.shape == (0, 384) and found.truncated == 0


def test_the_folder_of_the_weights(tmp_path: Path) -> None:
    assert (folder := weights_folder()) is not None and next(folder.rglob("*.safetensors")).is_file()
    assert weights_folder(str(tmp_path)) == tmp_path
    assert weights_folder("no/such-model") is None and weights_folder("no such name!") is None
