"""The ranker: what it learns from pairs, and when it stays where it is."""

from __future__ import annotations

import numpy as np
import pytest

from skillshot.common.arrays import Doubles
from skillshot.tune.ranker import LEAST, learn

PRESENT = np.array([0.8, 0.2, 0.0])


def questions(likes: list[float], noise: float, count: int = 60) -> tuple[list[Doubles], list[Doubles]]:
    rng = np.random.default_rng(3)
    parts = [rng.uniform(0, 1, (5, 3)) for _ in range(count)]
    return parts, [-one @ np.array(likes) + rng.normal(0, noise, 5) for one in parts]


@pytest.mark.parametrize("likes", [[0.0, 1.0, 0.0], [0.3, 0.3, 0.4], [0.8, 0.2, 0.0]])
def test_weights_follow_what_makes_a_set_useful(likes: list[float]) -> None:
    weights = learn(*questions(likes, 0.05), PRESENT)
    assert weights.sum() == pytest.approx(1) and (weights >= 0).all()
    assert np.abs(weights - likes).max() < 0.12


def test_only_ranks_count() -> None:
    parts, nll = questions([0.0, 1.0, 0.0], 0.1)
    assert learn(parts, nll, PRESENT).tolist() == learn(parts, [np.exp(5 * one) for one in nll], PRESENT).tolist()


def test_without_a_better_set_the_weights_stay() -> None:
    parts, _ = questions([0, 0, 0], 0)
    assert learn(parts, [np.ones(5) for _ in parts], PRESENT).tolist() == PRESENT.tolist()


def test_a_part_that_harms_gets_no_weight_and_the_sentence_keeps_a_trace() -> None:
    weights = learn(*questions([1.0, -1.0, -1.0], 0.05), PRESENT)
    assert weights[2] == 0 and weights[1] == pytest.approx(LEAST / (1 + LEAST))


def test_few_noisy_pairs_move_the_weights_less_than_many_clear_ones() -> None:
    few, many = (learn(*questions([0, 1, 0], noise, n), PRESENT) for noise, n in ((2.0, 4), (0.05, 60)))
    assert few[0] > many[0]
