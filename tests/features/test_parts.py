"""What each word adds to the features: sums, and the Shapley value of each n-gram."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.features.channels import LETTERS, QUESTION, owners, read, span, take
from skillshot.features.lexical import LexicalView
from skillshot.features.parts import word_parts
from skillshot.runtime.attribution import cut

BANK = [
    "How many apples are left in the box after 3 of 12 are eaten?",
    "How many pears are left in the basket after 4 of 9 are sold?",
    "A train travels 60 miles in 2 hours. How far does it travel in 5 hours?",
    "A bus travels 80 miles in 4 hours. How far does it travel in 3 hours?\nA table of stops follows here.",
    "How far is it from here?\nA table of stops follows here.",
]
KOREAN = [
    "사과가 세 개 있습니다. 모두 몇 개입니까?",
    "배가 네 개 있습니다. 모두 몇 개입니까?",
    "책이 두 권 있습니다. 모두 몇 권입니까?",
]
VIEWS = [LexicalView.learn(bank, QUESTION, buckets=512) for bank in (BANK, KOREAN)]


def targets(width: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(width, 4)).astype(np.float32)


@pytest.mark.parametrize("text", [*BANK, *KOREAN, "unknown", "a a a a a a a a", "miles 三十五 miles"])
def test_the_parts_sum_to_what_the_features_give(text: str) -> None:
    for view in VIEWS:
        values = word_parts(view, text, cut(text), targets(512))
        marks = view.transform([text]) @ targets(512) - values.sum(0)
        # what no word owns: the marks of begin and end alone, one of each at most in a channel
        bare = np.abs(view.weights).max() * np.abs(targets(512)).max() * 2 * len(view.channels)
        assert np.abs(marks).max() < bare
        known = view.reader.read(text)
        assert view.keys.searchsorted(known).max(initial=0) <= len(view.keys)


@pytest.mark.parametrize("projected", [False, True])
def test_without_marks_the_sum_is_exact(projected: bool) -> None:
    """Channels of whole texts, in which the marks alone are unknown n-grams."""
    view = LexicalView.learn(BANK, QUESTION, buckets=512)
    singles = [block for text in BANK for _, length, block in view.reader.placed(text) if length == 1]
    kept = ~np.isin(view.keys, np.concatenate([block[:, [0, -1]].ravel() for block in singles]))
    view = LexicalView(
        view.channels, view.buckets, view.shares, view.vocabulary, view.keys[kept], view.weights[kept], view.slots[kept]
    )
    if projected:
        view = view.onto(np.random.default_rng(1).normal(size=(512, 16)).astype(np.float32))
    for text in BANK:
        expected = view.transform([text])[0] @ targets(view.width)
        np.testing.assert_allclose(word_parts(view, text, cut(text), targets(view.width)).sum(0), expected, atol=1e-4)


def test_an_ngram_is_divided_equally_among_its_words() -> None:
    view = VIEWS[0]
    text = "travel in 5 hours"  # one n-gram is kept: "travel in 0 hours" of the words' longest run has three tokens
    codes = {length: block for part, length, block in view.reader.placed(text) if part == "head"}
    code = codes[3][0][1]  # channel "words", the run that starts at the first word: travel in 0
    at = int(view.keys.searchsorted(code))
    assert view.keys[at] == code
    one = LexicalView(
        view.channels, view.buckets, view.shares, view.vocabulary,
        view.keys[at : at + 1], view.weights[at : at + 1], view.slots[at : at + 1],
    )  # fmt: skip
    values = word_parts(one, text, cut(text), targets(512))
    np.testing.assert_allclose(values[:3], np.tile(values.sum(0) / 3, (3, 1)), atol=1e-12)
    np.testing.assert_allclose(values.sum(0), (one.transform([text]) @ targets(512))[0], atol=1e-6)
    assert not values[3].any()


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from("ab é\n.,3 가나 三十\u0301漢"), max_size=60),
    st.sampled_from(["all", "head", "rest", *LETTERS]),
)
def test_every_token_has_its_piece_or_the_part_is_left_out(text: str, part: str) -> None:
    pieces = cut(text)
    assert "".join(pieces) == text and text[span(text, part)] == take(text, part)
    found = owners(text, pieces, part)
    if found is not None:
        assert len(found) == len(read(text, part)) and found[0] == found[-1] == -1
        assert found[1:-1] == sorted(found[1:-1]) and set(found[1:-1]) <= set(range(len(pieces)))
