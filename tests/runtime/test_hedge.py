"""A hedged set: the best scores where the model is sure, several procedures where it is not."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.story import Story
from skillshot import Selector
from skillshot.common.arrays import Floats
from skillshot.runtime.hedge import CANDIDATES, HEDGE, chosen_rows, hedge
from skillshot.selectors.choose import choose

SURE, UNSURE = 1e-6, 0.05
SEEDS = st.integers(0, 10_000)


def unit(rows: list[list[float]] | Floats) -> Floats:
    out = np.array(rows, np.float32)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def ones(rows: Floats) -> Floats:
    return np.ones(rows.shape[1], np.float32)


def random_case(seed: int, n: int, width: int = 5) -> tuple[Floats, Floats]:
    """Scores from 0 to 1, best first, and unit rows."""
    rng = np.random.default_rng(seed)
    scores = -np.sort(-rng.random(n).astype(np.float32))
    return scores, unit(rng.standard_normal((n, width)).astype(np.float32))


def worth(places: tuple[int, ...], scores: Floats, rows: Floats, doubt: float, k: int, share: float) -> float:
    """The value of a set, by its definition."""
    likely = np.exp((scores.astype(np.float64) - scores[0]) / doubt)
    similar = np.maximum(rows.astype(np.float64) @ rows.T, 0)
    expected = likely / likely.sum() @ similar[:, list(places)].max(1)
    return float((1 - share) * scores[list(places)].sum() / k + share * expected)


@given(st.integers(0, 90), st.integers(1, 12), st.floats(1e-6, 10), st.floats(0, 1), SEEDS)
@settings(max_examples=60, deadline=None)
def test_every_position_comes_exactly_once(n: int, k: int, doubt: float, share: float, seed: int) -> None:
    scores, rows = random_case(seed, n)
    order = list(hedge(scores, rows, ones(rows), doubt, k, share))
    assert sorted(order) == list(range(n))
    assert order[k:] == sorted(order[k:]), "behind the set the others follow by score"
    assert max(order[:k], default=0) < CANDIDATES


@given(st.integers(0, 90), st.integers(1, 12), st.floats(1e-6, 10), SEEDS)
@settings(max_examples=30, deadline=None)
def test_without_a_share_the_order_is_that_of_the_scores(n: int, k: int, doubt: float, seed: int) -> None:
    scores, rows = random_case(seed, n)
    assert list(hedge(scores, rows, ones(rows), doubt, k, 0.0)) == list(range(n))
    assert list(hedge(scores, rows, ones(rows), doubt, 1)) == list(range(n)), "one has nothing to be hedged with"


@pytest.mark.parametrize("doubt", [SURE, UNSURE, 10.0])
def test_as_many_candidates_as_are_wanted_stay_in_order(doubt: float) -> None:
    scores, rows = random_case(1, 4)
    assert list(hedge(scores, rows, ones(rows), doubt, 4)) == list(hedge(scores, rows, ones(rows), doubt, 9))
    assert list(hedge(scores, rows, ones(rows), doubt, 4)) == [0, 1, 2, 3]


@given(st.integers(5, 64), st.integers(2, 4), SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_sure_model_takes_the_best_scores(n: int, k: int, seed: int) -> None:
    """All is likely to be the first: it is taken, and no other adds to the expected best similarity."""
    rows = random_case(seed, n)[1]
    scores = np.linspace(0.9, 0.1, n).astype(np.float32)
    assert list(hedge(scores, rows, ones(rows), SURE, k))[:k] == list(range(k))


@pytest.mark.parametrize("k", [2, 4])
def test_of_two_equally_likely_groups_both_are_taken(k: int) -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.eye(2, 6, dtype=np.float32), 6, axis=0) + 0.05 * rng.standard_normal((12, 6))
    rows = unit(groups.astype(np.float32))
    scores = np.concatenate([np.full(6, 0.80), np.full(6, 0.79)]).astype(np.float32)
    taken = list(hedge(scores, rows, ones(rows), UNSURE, k))[:k]
    assert {place // 6 for place in taken[:2]} == {0, 1}
    assert set(np.argsort(-scores, kind="stable")[:k] // 6) == {0}, "by score only the first group would be shown"


def test_a_group_that_is_unlikely_is_left_out() -> None:
    rows = unit(np.repeat(np.eye(2, dtype=np.float32), 6, axis=0))
    scores = np.concatenate([np.full(6, 0.80), np.full(6, 0.20)]).astype(np.float32)
    assert {place // 6 for place in list(hedge(scores, rows, ones(rows), UNSURE, 4))[:4]} == {0}


def test_two_duplicates_are_not_both_taken() -> None:
    rows = unit([[1, 0], [1, 0], [1, 0], [0.8, 0.6], [0, 1]])
    scores = np.array([0.9, 0.9, 0.9, 0.88, 0.1], np.float32)
    assert set(list(hedge(scores, rows, ones(rows), UNSURE, 2))[:2]) == {0, 3}


@given(st.integers(3, 8), st.integers(2, 3), st.floats(0.002, 0.3), st.floats(0.05, 1), SEEDS)
@settings(max_examples=60, deadline=None)
def test_greedy_reaches_its_bound(n: int, k: int, doubt: float, share: float, seed: int) -> None:
    scores, rows = random_case(seed, n, 3)
    taken = tuple(list(hedge(scores, rows, ones(rows), doubt, k, share))[:k])
    best = max(worth(places, scores, rows, doubt, k, share) for places in combinations(range(n), k))
    found = worth(taken, scores, rows, doubt, k, share)
    assert (1 - 1 / np.e) * best - 1e-5 <= found <= best + 1e-5


def test_each_step_takes_the_largest_gain() -> None:
    scores, rows = random_case(8, 30)
    taken: tuple[int, ...] = ()
    for place in list(hedge(scores, rows, ones(rows), UNSURE, 4))[:4]:
        others = [other for other in range(30) if other not in taken]
        gains = {other: worth((*taken, other), scores, rows, UNSURE, 4, HEDGE) for other in others}
        assert gains[place] == pytest.approx(max(gains.values()), abs=1e-6)
        taken += (place,)


def test_weights_decide_what_is_similar() -> None:
    """Rows 0 and 1 differ only in a coordinate without weight, so they are duplicates for the score."""
    rows = unit([[1, 0, 1], [1, 0, -1], [0.7, 0.7, 1]])
    scores = np.array([0.9, 0.9, 0.88], np.float32)
    weighted = hedge(scores, rows, np.array([2, 2, 0], np.float32), UNSURE, 2)
    assert sorted(list(weighted)[:2]) == [0, 2]
    assert sorted(list(hedge(scores, rows, np.array([1, 1, 2], np.float32), UNSURE, 2))[:2]) == [0, 1]


@given(st.integers(1, 200), st.integers(1, 8), SEEDS)
@settings(max_examples=30, deadline=None)
def test_chosen_rows_are_the_set_with_the_best_score_first(n: int, k: int, seed: int) -> None:
    scores, vectors = random_case(seed, n)
    rows = np.random.default_rng(seed).permutation(n)
    near = rows[:CANDIDATES]
    found = chosen_rows(scores, vectors, rows, ones(vectors), UNSURE, k)
    order = list(hedge(scores, vectors[near], ones(vectors), UNSURE, k))[:k]
    assert found.tolist() == rows[sorted(order)].tolist()


@pytest.mark.parametrize(("name", "mode"), [("skillshot", "full"), ("lite", "lite")])
def test_scored_choices_equal_those_of_a_selector(bundle: Path, story: Story, name: str, mode: str) -> None:
    queries = story[1][:20]
    scored = choose(bundle, queries, [name], 4)[name]
    served = Selector.load(bundle, mode).select_batch([query.question for query in queries], 4)
    assert [[r.id for r in rows] for rows in scored] == [[d.id for d in rows] for rows in served]
    assert any(len({d.score for d in rows}) > 1 for rows in served)
    assert all(rows == sorted(rows, key=lambda d: -d.score) for rows in served)
