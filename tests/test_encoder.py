"""Sentence embeddings: unit rows in the order of the texts, and the number of truncated texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skillshot.encoder import embed_texts, load_encoder


@pytest.fixture(scope="module")
def encoder() -> Any:
    return load_encoder()


def words(tokens: int) -> str:
    """A text of `tokens` tokens, including [CLS] and [SEP]."""
    return " ".join(["apple"] * (tokens - 2))


def test_texts_over_the_window_are_counted_each_time_they_occur(encoder: Any) -> None:
    window = encoder.max_seq_length
    fits, over = words(window), words(window + 1)
    assert len(encoder.tokenizer(fits)["input_ids"]) == window
    found = embed_texts(encoder, [fits, over, "short", over, words(window + 50)], batch_size=2)
    assert (found.window, found.truncated) == (256, 3)


def test_rows_are_unit_and_in_the_order_of_the_texts(encoder: Any) -> None:
    texts = ["How many apples are left?", words(40), "Tom", "How many apples are left?", ""]
    found = embed_texts(encoder, texts, batch_size=2).vectors
    assert found.dtype == np.float32 and found.shape == (5, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(found[0], found[3])
    alone = np.vstack([embed_texts(encoder, [text]).vectors for text in texts])
    np.testing.assert_allclose(found, alone, atol=1e-5)


def test_model_without_a_norm_layer_gives_unit_rows(encoder: Any) -> None:
    from sentence_transformers import SentenceTransformer

    bare = SentenceTransformer(modules=[encoder[0], encoder[1]])
    assert np.linalg.norm(bare.encode(["Tom"])) > 1.1
    np.testing.assert_allclose(np.linalg.norm(embed_texts(bare, ["Tom"]).vectors), 1, atol=1e-5)


def test_no_texts_give_no_rows(encoder: Any) -> None:
    found = embed_texts(encoder, [])
    assert found.vectors.shape == (0, 384) and found.truncated == 0
