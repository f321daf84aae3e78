"""What a manifest says of the score: refusals, weights, confidence, and the nearest question."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.tiny_bundle import BLOCKS, LEXICAL, SCORE, Z, rows_of_blocks
from skillshot.common.arrays import Floats
from skillshot.common.evidence import evidence
from skillshot.runtime.scoring import RARE, Scoring, check_score

NAN, INF = float("nan"), float("inf")
MODES = ("full", "lite")
STARTS = np.cumsum([0, *BLOCKS]).tolist()
PARTS = [slice(start, end) for start, end in pairwise(STARTS)]


def facts(mode: str, **changes: Any) -> dict[str, Any]:
    """The tiny bundle's score with keys of a mode changed, offset, slope and near being keys of its curve."""
    found = json.loads(json.dumps(SCORE))
    for key, value in changes.items():
        (found[mode]["confidence"] if key in ("offset", "slope", "near") else found[mode])[key] = value
    return found


def query(rng: np.random.Generator, scoring: Scoring, lengths: tuple[float, ...] = (1, 1, 1, 1)) -> Floats:
    """A query row as `Skillshot` makes it: each block is at most as long as twice its share."""
    row = np.zeros(Z, np.float32)
    for part, share, length in zip(PARTS, scoring.shares, lengths, strict=True):
        block = rng.standard_normal(part.stop - part.start)
        row[part] = 2 * share * length * block / np.linalg.norm(block)
    return row


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "changes",
    [
        {"shares": [0.5, 0.5]},
        {"shares": [0.4, 0.2, 0.3, 0.2]},
        {"shares": [0, 0, 0, 0]},
        {"shares": [NAN, 0.5, 0.25, 0.25]},
        {"shares": [1.5, -0.5, 0, 0]},
        {"shares": "1000"},
        {"doubt": NAN},
        {"doubt": INF},
        {"doubt": 0},
        {"doubt": -0.1},
        {"doubt": True},
        {"offset": NAN},
        {"offset": 1e7},
        {"slope": -1},
        {"slope": INF},
        {"slope": None},
        {"near": []},
        {"near": [0.5, 0.1]},
        {"near": [0.0, INF]},
        {"near": [0.5] * 257},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_what_does_not_fit_together_is_refused(mode: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"score[.:] ?{mode}|score: 4 widths"):
        check_score(facts(mode, **changes), "score")


@pytest.mark.parametrize(
    "widths", [[], [2, 3, 2], [2, 3, 2, 2, 1], [0, 3, 2, 2], [2, 3.0, 2, 2], [10**30, 1, 1, 1], None]
)
def test_widths_are_four_positive_whole_numbers(widths: Any) -> None:
    with pytest.raises(ValueError, match="widths"):
        check_score(SCORE | {"widths": widths}, "score")


@pytest.mark.parametrize("missing", ["widths", "full", "lite"])
def test_a_missing_key_is_named(missing: str) -> None:
    with pytest.raises(ValueError, match=rf"score\.{missing} is missing"):
        check_score({key: value for key, value in SCORE.items() if key != missing}, "score")


@pytest.mark.parametrize("mode", MODES)
def test_the_intact_one_is_read(mode: str) -> None:
    check_score(SCORE | {"later": None}, "score")
    scoring = Scoring.of(SCORE, mode)
    assert (scoring.row, scoring.lexical) == (Z, LEXICAL)
    assert list(scoring.shares) == SCORE[mode]["shares"] and scoring.doubt == SCORE[mode]["doubt"]
    read = np.arange(LEXICAL)[scoring.lexical_part(mode)]
    t, _, e, w = BLOCKS
    assert len(read) == {"full": t + w, "lite": t + w + e}[mode]
    assert set(range(t, t + w)) <= set(read.tolist()), "both modes read the words"


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_weights_give_the_shares_sum_of_the_blocks_similarities(seed: int) -> None:
    scoring = Scoring.of(SCORE, "full")
    one, two = rows_of_blocks(2, np.random.default_rng(seed))
    expected = sum(share * float(one[part] @ two[part]) * 4 for part, share in zip(PARTS, scoring.shares, strict=True))
    assert float((one * scoring.weights) @ two) == pytest.approx(expected, abs=1e-6)
    assert float((one * scoring.weights) @ one) == pytest.approx(1, abs=1e-6)
    assert scoring.weights[-1] == 0, "the coordinate that fills a row counts nothing"


@given(st.integers(0, 10_000), st.sampled_from(MODES))
@settings(max_examples=40, deadline=None)
def test_confidence_is_logistic_in_the_evidence(seed: int, mode: str) -> None:
    rng = np.random.default_rng(seed)
    scoring = Scoring.of(facts(mode, shares=[0.5, 0.0, 0.4, 0.1]), mode)  # without a latent, the score is what is known
    asked, near = query(rng, scoring), rows_of_blocks(12, rng)
    found = scoring.confidence(asked, near[:5], near)
    assert found.shape == (5,) and (found >= 0).all() and (found <= 1).all()
    scores, structure = near @ asked, near[:, PARTS[0]]
    unit = structure / np.linalg.norm(structure, axis=1, keepdims=True)
    expected = scoring.offset + scoring.slope * evidence(scores[:5], scores, unit[:5] @ unit.T, scoring.doubt)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-expected)), atol=1e-5)


def test_a_row_that_other_likely_rows_agree_with_has_more_confidence() -> None:
    scoring = Scoring.of(facts("full", shares=[0.5, 0.0, 0.4, 0.1]), "full")
    rng = np.random.default_rng(4)
    asked, rows = query(rng, scoring), rows_of_blocks(2, rng)
    agreeing, opposed = rows.repeat(4, 0), rows.repeat(4, 0)
    agreeing[:, PARTS[0]], opposed[:, PARTS[0]] = rows[0, PARTS[0]], -rows[0, PARTS[0]]
    sure, unsure = (
        float(scoring.confidence(asked, rows[:1], np.vstack([rows[:1], near]))[0]) for near in (agreeing, opposed)
    )
    assert sure > unsure


def test_the_latent_does_not_change_a_confidence() -> None:
    rng = np.random.default_rng(0)
    scoring = Scoring.of(SCORE, "full")
    asked, rows = query(rng, scoring), rows_of_blocks(6, rng)
    other = asked.copy()
    other[PARTS[1]] = other[PARTS[1]][::-1] * 0.3
    np.testing.assert_allclose(scoring.confidence(asked, rows, rows), scoring.confidence(other, rows, rows), atol=1e-6)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("shares", [[0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]])
@pytest.mark.parametrize("slope", [0, 1e6])
def test_a_score_of_one_part_has_a_confidence(shares: list[float], slope: float) -> None:
    scoring = Scoring.of(facts("full", shares=shares, slope=slope), "full")
    rng = np.random.default_rng(0)
    rows = rows_of_blocks(3, rng)
    found = scoring.confidence(query(rng, scoring), rows, rows)
    assert np.isfinite(found).all() and (found >= 0).all() and (found <= 1).all()


def test_without_a_calibration_the_confidence_is_a_half() -> None:
    scoring = Scoring.of(facts("full", offset=0, slope=0, near=[]), "full")
    rng = np.random.default_rng(1)
    rows = rows_of_blocks(5, rng)
    assert scoring.confidence(query(rng, scoring), rows, rows).tolist() == [0.5] * 5
    for near in (rows, rows[:0]):
        assert scoring.confidence(query(rng, scoring), rows[:0], near).shape == (0,)


def test_confidence_fades_for_a_question_that_is_foreign_to_the_bank() -> None:
    near = np.linspace(0.3, 0.9, 101).tolist()
    rng = np.random.default_rng(2)
    rows = rows_of_blocks(5, rng)
    asked = query(rng, Scoring.of(SCORE, "full"))
    similar = Scoring.of(SCORE, "full").nearest(asked, rows)
    shares = []
    for shift in (-1, 0.0, 0.3, 0.4, 1):  # how near the nearest question is, among banks whose questions are nearer
        at = (np.array(near) + similar - shift).tolist()
        found = Scoring.of(facts("full", near=at), "full").confidence(asked, rows, rows)
        shares.append(
            float(np.mean(found / Scoring.of(facts("full", near=[-2, -2]), "full").confidence(asked, rows, rows)))
        )
    assert shares == sorted(shares) and shares[0] == 0 and shares[-2:] == pytest.approx([1, 1])
    usual = (np.array(near) + similar - near[int(100 * RARE) + 1]).tolist()
    whole = Scoring.of(facts("full", near=[-2, -2]), "full").confidence(asked, rows, rows)
    np.testing.assert_allclose(Scoring.of(facts("full", near=usual), "full").confidence(asked, rows, rows), whole)


@given(st.integers(0, 10_000), st.floats(0.1, 1))
@settings(max_examples=25, deadline=None)
def test_nearest_is_the_highest_similarity_of_the_sentences(seed: int, length: float) -> None:
    rng = np.random.default_rng(seed)
    scoring = Scoring.of(SCORE, "full")
    asked, rows = query(rng, scoring, (1, 1, length, 1)), rows_of_blocks(9, rng)
    part = PARTS[2]
    unit = asked[part] / np.linalg.norm(asked[part])
    expected = length * max(float(row[part] @ unit) / float(np.linalg.norm(row[part])) for row in rows)
    assert scoring.nearest(asked, rows) == pytest.approx(expected, abs=1e-5)


def test_nearest_is_unknown_without_candidates_or_sentence() -> None:
    rng = np.random.default_rng(0)
    scoring = Scoring.of(SCORE, "full")
    assert np.isnan(scoring.nearest(query(rng, scoring), np.zeros((0, Z), np.float32)))
    silent = Scoring.of(facts("full", shares=[0.6, 0, 0, 0.4]), "full")
    assert np.isnan(silent.nearest(query(rng, silent), rows_of_blocks(3, rng)))


LITE = {
    "widths": [2, 0, 0, 3],
    "lite": {"shares": [0.6, 0.0, 0.0, 0.4], "doubt": 0.1, "confidence": SCORE["lite"]["confidence"]},
}


def test_without_a_text_encoder_two_blocks_are_left() -> None:
    check_score(LITE, "score")
    scoring = Scoring.of(LITE, "lite")
    assert (scoring.row, scoring.lexical, scoring.lexical_part("lite")) == (6, 5, slice(0, None))
    query, rows = np.arange(1, 7, dtype=np.float32), np.ones((2, 6), np.float32)
    assert scoring.parts(query, rows).tolist() == [[3, 0, 0, 12]] * 2
    assert scoring.nearest(query, rows) == pytest.approx(12 / 0.4), "of the words"
    assert [(columns, block) for columns, block in scoring.linear("lite") if columns.start < columns.stop] == [
        (slice(0, 3), slice(2, 5)), (slice(3, 5), slice(0, 2)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [{"widths": [2, 0, 1, 3]}, {"widths": [0, 0, 0, 3]}, {"lite": {**LITE["lite"], "shares": [0.5, 0.1, 0, 0.4]}}],
)
def test_what_only_an_encoder_gives_is_refused_without_one(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"score\.full is missing, and score\.widths|a block of width 0 has a share"):
        check_score(LITE | changes, "score")


def test_a_slim_bundle_keeps_what_counts_of_a_full_one() -> None:
    check_score(LITE | {"widths": [2, 0, 1, 3], "rows": "int8"}, "score")
    with pytest.raises(ValueError, match="a slim bundle has a structure"):
        check_score(LITE | {"widths": [0, 0, 1, 3], "rows": "int8"}, "score")
