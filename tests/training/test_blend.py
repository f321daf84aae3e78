"""Shares of the score and doubt, on made-up similarities whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.common.arrays import Floats
from skillshot.training.blend import (
    DOUBT,
    LATENT,
    LATENT_ROWS,
    OWN,
    SENTENCE,
    TRACE,
    WORDING,
    Shares,
    Similarities,
    best,
    choose,
    doubt,
    qualities_of,
)

ROWS = 160


def noise(rng: np.random.Generator) -> Floats:
    return rng.uniform(-0.3, 1, (ROWS, ROWS)).astype(np.float32)


def bank(seed: int, **right: float) -> Similarities:
    """Similarities of which those named follow the truth but for some noise, and the others are noise alone."""
    rng = np.random.default_rng(seed)
    truth = noise(rng)
    parts = {name: noise(rng) for name in ("structure", "sentence", "words")}
    for name, spread in right.items():
        parts[name] = (truth + spread * rng.standard_normal(truth.shape)).astype(np.float32)
    return Similarities(**parts, truth=truth, same=np.eye(ROWS, dtype=bool))


@pytest.mark.parametrize("seed", range(3))
def test_where_only_structure_says_something_it_decides(seed: int) -> None:
    assert choose(qualities_of(bank(seed, structure=0.02)))[0] == 0


@pytest.mark.parametrize("seed", range(3))
def test_where_only_wording_says_something_it_decides(seed: int) -> None:
    assert choose(qualities_of(bank(seed, sentence=0.02))) == (1, 1)


@pytest.mark.parametrize("seed", range(3))
def test_words_decide_where_the_encoder_knows_nothing(seed: int) -> None:
    assert choose(qualities_of(bank(seed, words=0.02))) == (1, 0)


@pytest.mark.parametrize("seed", range(3))
def test_two_noisy_parts_are_mixed(seed: int) -> None:
    wording, sentence = choose(qualities_of(bank(seed, structure=0.4, sentence=0.4)))
    assert 0 < wording < 1 and sentence == 1


def test_words_that_are_no_better_leave_the_wording_to_the_encoder() -> None:
    found = bank(0, sentence=0.2)
    found = Similarities(found.structure, found.sentence, found.sentence.copy(), found.truth, found.same)
    assert choose(qualities_of(found)) == (1, SENTENCE[0]), "equal quality"


def test_words_count_only_where_they_are_better_with_certainty() -> None:
    """A gain of a tenth of its standard error leaves the wording to the encoder, one of five does not."""
    noise = np.random.default_rng(0).normal(0, 0.2, 400)
    base = np.full(400, 0.5)

    def mix(gain: float) -> float:
        words = base + gain + noise - noise.mean()
        return choose({s: dict.fromkeys(WORDING, words if s == 0.3 else base) for s in SENTENCE})[1]

    assert mix(0.002) == SENTENCE[0] and mix(0.05) == 0.3


def test_the_choice_rests_on_the_judged_questions_alone() -> None:
    """The first half of the questions is decided by structure, the second by wording."""
    structure, sentence = bank(1, structure=0.02), bank(1, sentence=0.02)
    first = np.arange(ROWS) < ROWS // 2
    mixed = Similarities(
        np.where(first[:, None], structure.structure, sentence.structure),
        np.where(first[:, None], structure.sentence, sentence.sentence),
        structure.words,
        structure.truth,
        structure.same,
    )
    assert choose(qualities_of(mixed), first)[0] == 0 and choose(qualities_of(mixed), ~first)[0] == 1


@given(st.sampled_from(WORDING), st.floats(0, 1), st.integers(1, 10_000), st.booleans())
def test_shares_sum_to_one(wording: float, sentence: float, rows: int, latent: bool) -> None:
    shares = Shares.of(wording, sentence, rows, latent)
    assert sum(shares.numbers) == pytest.approx(1) and min(shares.numbers) >= 0
    assert shares.sentence + shares.words == pytest.approx(wording, abs=TRACE + 1e-6) and shares.sentence >= TRACE
    assert shares.latent <= LATENT * (1 - wording) and (latent or shares.latent == 0)


def test_the_latent_counts_more_in_a_larger_bank() -> None:
    found = [Shares.of(0.0, 1.0, rows, True).latent for rows in (1, 40, LATENT_ROWS, 3000, 10**6)]
    assert found == sorted(found) and found[2] == pytest.approx((1 - TRACE) * LATENT / 2)
    assert found[-1] == pytest.approx((1 - TRACE) * LATENT, 1e-3)


@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 9), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_best_are_the_highest_scores(m: int, n: int, k: int, seed: int) -> None:
    scores = np.random.default_rng(seed).random((m, n)).astype(np.float32)
    rows = best(scores, k)
    assert rows.shape == (m, min(k, n))
    found = np.sort(np.take_along_axis(scores, rows, 1), 1)
    np.testing.assert_array_equal(found, np.sort(scores, 1)[:, -min(k, n) :])


def test_the_question_itself_scores_less_than_any_other() -> None:
    found = bank(0)
    scores = found.score(0.3, 0.6)
    assert (scores[found.same] == OWN).all() and scores[~found.same].min() > OWN
    assert not np.take_along_axis(found.same, best(scores), 1).any()
    rows = np.zeros((ROWS, 4), np.intp) + np.arange(4)
    np.testing.assert_allclose(found.mean(rows), found.truth[:, :4].mean(1), rtol=1e-5)
    quality = (3 * found.truth[:, :4].mean(1) + found.truth[:, :4].max(1)) / 4
    np.testing.assert_allclose(found.quality(rows), quality, rtol=1e-5)


def residuals(rng: np.random.Generator, deviations: list[float]) -> tuple[Floats, Floats]:
    """Targets, and predictions that differ by Gaussians of these standard deviations."""
    target = rng.standard_normal((20_000, len(deviations))).astype(np.float32)
    error = rng.standard_normal(target.shape) * np.array(deviations)
    return target, (target - error).astype(np.float32)


@pytest.mark.parametrize("deviation", [0.15, 0.2, 0.5])
def test_doubt_of_equal_errors_is_their_variance(deviation: float) -> None:
    assert doubt(*residuals(np.random.default_rng(0), [deviation] * 8)) == pytest.approx(deviation**2, rel=0.05)


def test_doubt_is_the_variance_of_the_directions_that_have_most_of_it() -> None:
    found = doubt(*residuals(np.random.default_rng(0), [0.4, *[0.01] * 20]))
    assert found == pytest.approx(0.16, rel=0.05)


def test_doubt_has_bounds() -> None:
    rng = np.random.default_rng(0)
    assert doubt(*residuals(rng, [1e-4] * 3)) == DOUBT[0]
    assert doubt(*residuals(rng, [5.0] * 3)) == DOUBT[1]
    nothing = np.zeros((7, 3), np.float32)
    assert doubt(nothing, nothing) == DOUBT[1], "a bank that teaches nothing leaves the largest doubt"
