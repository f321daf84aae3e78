"""Tokens, skeletons, equations and the lexical view made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.lexical_reference import Reference
from helpers.story import Story
from skillshot.common.errors import BundleError, InputError
from skillshot.features.channels import QUESTION, RATIONALE, Channel, spelled, take
from skillshot.features.grams import ranked
from skillshot.features.lexical import BUCKETS, LexicalView
from skillshot.features.table import GramTable
from skillshot.features.tokens import equation_grams, numbered, operators, skeleton, tokenise
from skillshot.runtime.layout import VIEW_FILES

TEXTS = [f"Tom has {i} apples and buys {i + 2} more. How many apples has he?\nprice | {i}" for i in range(12)]


@pytest.fixture
def view() -> LexicalView:
    projection = np.random.default_rng(0).standard_normal((BUCKETS, 5), np.float32)
    return LexicalView.learn(TEXTS, QUESTION).onto(projection)


def test_numbers_are_one_token_and_line_ends_are_kept() -> None:
    assert tokenise("Pay $1,000.50\nNow") == ["<s>", "pay", "$", "0", "<br>", "now", "</s>"]


def test_skeleton_masks_rare_words_to_their_shape() -> None:
    masked = skeleton(tokenise("the baker kicked 3 balls"), {"the": 0.9, "baker": 0.01}, 0.1)
    assert masked == ["<s>", "the", "_er", "_ed", "0", "_s", "</s>"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Natalia sold 48/2 = 24 clips", ["/"]),
        ("14 pieces/house * 60 houses = 840 pieces\nThen 840 - 825 = $15", ["*", "-"]),
        ("12 x 6 = 72 and (4+2)*3 = 18", ["*", "+*"]),
        ("5 − 3 = 2, 2 × 1,000 ÷ 4 = 500", ["-", "*/"]),
        ("well-known year 2-3 without an equation", []),
        ("box = 3", []),
    ],
)
def test_operators_of_equations(text: str, expected: list[str]) -> None:
    assert operators(text) == expected


def test_equation_grams_do_not_depend_on_names_or_numbers() -> None:
    one, two = "Ann had 3 + 4 = 7 figs\n7 * 2 = 14", "Bo saw 30 + 1 = 31 cars\nso 31 * 9 = 279"
    assert list(equation_grams(one)) == list(equation_grams(two)) != list(equation_grams("3 * 4 = 12\n12 + 1 = 13"))


def test_numbered_grams_count_the_intersection_of_two_multisets() -> None:
    a, b = set(numbered("aab")), set(numbered("abb"))
    assert a == {"a", "a#2", "b"} and len(a & b) == 2


def test_context_is_the_rest_and_a_short_first_line_is_not_the_head() -> None:
    assert take("How many are there now?\nx | 1", "rest") == "x | 1"
    assert take("Note:\nHow many are there?", "head") == "Note:\nHow many are there?"


def test_transform_is_the_hashed_row_times_the_projection(view: LexicalView) -> None:
    assert view.projection is not None
    rows = replace(view, projection=None).transform(TEXTS)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=0.05)
    np.testing.assert_allclose(view.transform(TEXTS), rows @ view.projection, atol=1e-5)


def test_an_empty_text_is_a_row_of_zeros(view: LexicalView) -> None:
    assert not view.transform([""]).any()


def test_many_texts_give_the_same_bits_as_each_alone(view: LexicalView) -> None:
    odd = ["", "=", "a", "3 + 4 = 7 = 7", "has " * 9 + "apples", "Tom has\nx | 1 | 2", "사과 3개를 샀다", TEXTS[0] * 3]
    texts = [*odd, *TEXTS] * 7  # more than `lexical.BATCH`
    for channels in (QUESTION, spelled(RATIONALE)):
        learned = LexicalView.learn(texts, channels)
        alone = [learned.transform([text])[0] for text in texts]
        np.testing.assert_array_equal(learned.transform(texts), alone)
        np.testing.assert_allclose(learned.sparse(texts).toarray(), alone, atol=1e-6)
    np.testing.assert_array_equal(view.transform(texts), [view.transform([text])[0] for text in texts])


def test_equal_codes_are_counted_within_a_text_alone() -> None:
    codes = np.array([5, 5, 5, 9], np.uint64)  # the first text has 5 twice, the second 5 and 9
    np.testing.assert_array_equal(ranked(codes, np.array([2]))[1], [0, 1, 0, 0])
    np.testing.assert_array_equal(ranked(codes)[1], [0, 1, 2, 0])


def test_word_order_changes_the_features(view: LexicalView) -> None:
    a, b = view.transform(["Tom has 3 apples and buys 4 more.", "apples 3 has Tom more 4 buys and."])
    assert not np.allclose(a, b)


def test_save_and_load_give_the_same_bits(view: LexicalView, tmp_path: Path) -> None:
    view.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(VIEW_FILES)
    assert np.array_equal(LexicalView.load(tmp_path).transform(TEXTS), view.transform(TEXTS))


def test_damaged_folder_is_refused_with_the_shape(view: LexicalView, tmp_path: Path) -> None:
    view.save(tmp_path)
    np.save(tmp_path / "projection.npy", np.zeros((3, 2), np.float32))
    with pytest.raises(BundleError, match=r"projection\.npy: shape \(3, 2\)"):
        LexicalView.load(tmp_path)


def test_inconsistent_arrays_are_refused(view: LexicalView, tmp_path: Path) -> None:
    view.save(tmp_path)
    np.save(tmp_path / "weights.npy", view.weights[1:])
    with pytest.raises(BundleError, match=f"{len(view.keys)} n-grams, {len(view.keys) - 1} weights"):
        LexicalView.load(tmp_path)
    view.save(tmp_path)
    np.save(tmp_path / "slots.npy", view.slots + np.uint32(BUCKETS * len(view.channels)))
    with pytest.raises(BundleError, match="a channel that"):
        LexicalView.load(tmp_path)


def test_buckets_and_rarity_are_kept_by_the_view(tmp_path: Path) -> None:
    texts = [*TEXTS, *["A rare bird sings"] * 4]
    fine, usual = LexicalView.learn(texts, QUESTION, buckets=2**16, rarest=5), LexicalView.learn(texts, QUESTION)
    assert len(fine.keys) < len(usual.keys) and fine.width == 2**16
    np.testing.assert_allclose(fine.sparse(TEXTS).toarray(), fine.transform(TEXTS), atol=1e-6)
    projected = fine.onto(np.random.default_rng(0).standard_normal((2**16, 3), np.float32))
    projected.save(tmp_path)
    again = LexicalView.load(tmp_path)
    np.testing.assert_array_equal(again.transform(TEXTS), projected.transform(TEXTS))
    np.testing.assert_allclose(fine.sparse(TEXTS) @ projected.projection, again.transform(TEXTS), atol=1e-5)


ODD_TEXTS = [
    "",
    "A new sign ~ and ¿no? known word",
    "Tom Tom Tom " * 9,
    "has",
    "Note:\nx | 1",
    "_ 3 + 4 = 7\n7 * 2 = 14",
]


@pytest.mark.slow
@pytest.mark.parametrize("channels", [QUESTION, RATIONALE, QUESTION + RATIONALE])
def test_features_equal_the_reference(channels: tuple[Channel, ...], story: Story) -> None:
    bank, queries = ([record.text + "\n" + record.rationale for record in side] for side in story)
    mine, reference = LexicalView.learn(bank, channels), Reference(bank, channels)
    assert len(mine.keys) == len(reference.weights)
    texts = [*queries, *bank[:20], *ODD_TEXTS]
    np.testing.assert_allclose(mine.transform(texts), reference.transform(texts), atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*"ab.,?~", "cat", "cats", "running", "1.5", "\n", "é", "\ud800", "<s>"]), max_size=40))
def test_any_tokens_are_read_as_by_the_reference(words: list[str]) -> None:
    text = " ".join(words)
    learned = [*TEXTS, text[: len(text) // 2], text]
    channels = QUESTION + RATIONALE
    mine, reference = LexicalView.learn(learned, channels), Reference(learned, channels)
    new = [text, text[::-1], "cat " + text]
    np.testing.assert_allclose(mine.transform(new), reference.transform(new), atol=1e-6)


def test_texts_that_share_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="share no word"):
        LexicalView.learn(["", ""], RATIONALE[-1:])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    rows = LexicalView.learn([text, text, *TEXTS], QUESTION + RATIONALE).transform([text])
    assert np.isfinite(rows).all() and np.linalg.norm(rows) < 2  # 1, but for collisions


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60), st.lists(st.integers(0, 2**64 - 1), max_size=60))
def test_table_finds_what_a_binary_search_finds(known: list[int], others: list[int]) -> None:
    # edge cases of such a table: 0, the greatest code, many codes with the same leading bits
    keys = np.unique(np.array([*known, *(known[0] ^ low for low in range(8))], np.uint64))
    weights = np.arange(1, len(keys) + 1, dtype=np.float32)
    slots = np.arange(len(keys), dtype=np.uint32) * 7
    codes = np.array([*others, *known, 0, 2**64 - 1], np.uint64)
    found = GramTable(keys, weights, slots, BUCKETS).find(codes)
    wanted = [int(np.searchsorted(keys, code)) for code in codes if code in keys]
    assert found["key"].tolist() == keys[wanted].tolist()
    assert found["weight"].tolist() == weights[wanted].tolist()
    assert (found["channel"].astype(int) * BUCKETS + found["bucket"]).tolist() == slots[wanted].tolist()
