"""BM25: shared rare words count for a text, unknown ones for none."""

from __future__ import annotations

import numpy as np
import pytest

from skillshot.features.bm25 import BM25

TEXTS = ["the red train leaves at noon", "the baker sells the bread", "a train and a red bus and a red car"]


def test_the_text_that_shares_rare_words_scores_highest() -> None:
    scores = BM25(TEXTS).scores(["When does the red train leave?", "bread of the baker", "zzz"])
    assert scores.shape == (3, 3) and scores.dtype == np.float32
    assert scores[0].argmax() == 0 and scores[1].argmax() == 1
    assert scores[0, 0] > scores[0, 2] > scores[0, 1] >= 0, "two words, two words in a longer text, one common word"
    assert not scores[2].any(), "no word is known"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("texts", [["?!", "..."], ["", ""], ["a"]])
def test_texts_without_a_word_score_nothing(texts: list[str]) -> None:
    scores = BM25(texts).scores(["When?", "?!", ""])
    assert scores.shape == (3, len(texts)) and not scores.any()
