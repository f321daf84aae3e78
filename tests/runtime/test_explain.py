"""Explanations: sums, Shapley values against all orders, the counterfactual, and what is shown."""

from __future__ import annotations

import itertools
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skillshot import Selector
from skillshot.common.arrays import Doubles
from skillshot.common.errors import BundleError, InputError
from skillshot.common.extras import MissingPackageError
from skillshot.common.record import Record
from skillshot.runtime.attribution import SEGMENTS, WORDS, attribute, cut, joined, round_trips, segments_of
from skillshot.runtime.explain import BASE, Alternative, Contribution, Explanation, Reason
from skillshot.runtime.similar import SENTENCE, WORDING
from skillshot.runtime.types import Demonstration
from skillshot.selectors.pool import Pool

QUESTION = "A train covers 60 miles in 3 hours. How many miles does it cover in one hour?"
HARD = (
    "How many?",
    "왜 세 개입니까? 모두 몇 개입니까?",
    "café " * 30 + "\ud800?",
    {"question": QUESTION, "context": "a table\nof two lines", "options": ["1", "2"]},
    "A long one. " * 200,
)


@pytest.fixture(scope="module", params=["full", "lite"])
def selector(request: pytest.FixtureRequest, bundle: Path) -> Selector:
    return Selector.load(bundle, mode=request.param)


def windows(value: dict[frozenset[int], float], count: int) -> Doubles:
    """The worth of each window of a circle, as `round_trips` takes it."""
    return np.array(
        [
            [[value[frozenset((start + step) % count for step in range(length))]] for length in range(count + 1)]
            for start in range(count)
        ]
    )


def shapley(value: dict[frozenset[int], float], count: int) -> list[float]:
    """By its definition: the mean over all orders."""
    orders = list(itertools.permutations(range(count)))
    total = [0.0] * count
    for order in orders:
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            total[player] += value[before | {player}] - value[before]
    return [part / len(orders) for part in total]


def game(terms: dict[frozenset[int], float], count: int) -> dict[frozenset[int], float]:
    """A game as a sum of terms that are there while all their players are."""
    sets = [frozenset(s) for size in range(count + 1) for s in itertools.combinations(range(count), size)]
    return {held: sum(worth for players, worth in terms.items() if players <= held) for held in sets}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.data())
def test_round_trips_are_shapley_values_where_pairs_interact(count: int, data: st.DataObject) -> None:
    sizes = [c for size in (0, 1, 2) for c in itertools.combinations(range(count), size)]
    worth = data.draw(st.lists(st.floats(-2, 2), min_size=len(sizes), max_size=len(sizes)))
    value = game(dict(zip(map(frozenset, sizes), worth, strict=True)), count)
    np.testing.assert_allclose(round_trips(windows(value, count))[:, 0], shapley(value, count), atol=1e-9)


@given(arrays(np.float64, (5, 6, 2), elements=st.floats(-1, 1)))
def test_round_trips_sum_to_the_whole_whatever_the_game(value: Doubles) -> None:
    value[:, 0], value[:, -1] = value[0, 0], value[0, -1]
    np.testing.assert_allclose(round_trips(value).sum(0), value[0, -1] - value[0, 0], atol=1e-9)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=60))
def test_segments_are_even_and_lose_nothing(words: list[str]) -> None:
    of = segments_of(words)
    sizes = np.bincount(of)
    assert len(sizes) == min(SEGMENTS, len(words)) and sizes.max() - sizes.min() <= 1
    assert "".join(joined(words, of)) == "".join(words)


def test_segments_are_close_to_all_orders(selector: Selector) -> None:
    policy = selector._bundle.policy
    (query,) = policy([QUESTION])
    rows = selector.vectors[:6].astype(np.float32)
    words, values, _ = attribute(policy, QUESTION, query, rows, 8)
    of = segments_of(words, 8)
    segments = joined(words, of)
    count = len(segments)
    sets = list(itertools.product((0, 1), repeat=count))
    texts = ["".join(s for s, held in zip(segments, one, strict=True) if held) for one in sets]
    worth = dict(zip(sets, policy(texts).astype(np.float64) @ rows.T, strict=True))
    exact = np.zeros((count, len(rows)))
    for one, player in itertools.product(sets, range(count)):
        if not one[player]:
            more = (*one[:player], 1, *one[player + 1 :])
            weight = math.factorial(sum(one)) * math.factorial(count - sum(one) - 1) / math.factorial(count)
            exact[player] += weight * (worth[more] - worth[one])
    found = np.zeros((count, len(rows)))
    np.add.at(found, of, values)
    assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.95
    np.testing.assert_allclose(found.sum(0), exact.sum(0), atol=1e-9)


@pytest.mark.parametrize("question", [QUESTION, *HARD])
def test_words_and_parts_sum_to_the_score(selector: Selector, question: Any) -> None:
    why = selector.explain(question)
    assert [r.demonstration for r in why.reasons] == selector.select(question)
    assert why.confidence == pytest.approx(selector.confidence(question))
    found = json.loads(json.dumps(why.to_dict()))
    assert len(found["reasons"]) == 4
    for reason in found["reasons"]:
        *words, base = reason["contributions"]
        score = reason["demonstration"]["score"]
        assert base["piece"] == BASE and base["start"] == -1
        assert sum(part["value"] for part in reason["contributions"]) == pytest.approx(score, abs=1e-6)
        assert sum(reason["parts"].values()) == pytest.approx(score, abs=1e-6)
        values = [part["value"] for part in words]
        assert values == sorted(values, reverse=True) and len(words) <= WORDS
        assert "".join(part["piece"] for part in sorted(words, key=lambda part: part["start"])) == why.question


def test_the_base_is_the_score_of_no_words(selector: Selector) -> None:
    """Measured on its own, not what is left over."""
    policy = selector._bundle.policy
    rows = {selector.record(row).id: row for row in range(len(selector))}
    (empty,) = policy([""])
    for reason in selector.explain(QUESTION).reasons:
        expected = float(empty @ selector.vectors[rows[reason.demonstration.id]])
        assert reason.contributions[-1].value == pytest.approx(expected, abs=1e-6)


def test_linear_weights_are_those_of_the_network(selector: Selector) -> None:
    """A small step of the features changes the words' block by the weights, but for its length."""
    policy, scoring = selector._bundle.policy, selector._bundle.scoring
    rows = selector.vectors[:5].astype(np.float32)
    weights = policy.linear(QUESTION, rows)
    features = policy.view.transform([QUESTION])
    assert weights.shape == (features.shape[1], 5) and weights.any()
    assert np.isfinite(weights).all()
    structure = scoring.linear(selector.mode)[0 if selector.mode == "full" else 1][0]
    moved = features.copy()
    moved[:, structure] *= 0.999
    embedding = policy.embed([QUESTION])
    block = scoring.blocks[0]
    change = policy._run(features, embedding)[0, block] - policy._run(moved, embedding)[0, block]
    expected = 0.001 * features[0, structure] @ weights[structure]
    if np.linalg.norm(policy._run(features, embedding)[0, block]) < 2 * scoring.shares[0] * 0.99:  # not shortened
        np.testing.assert_allclose(change @ rows[:, block].T, expected, atol=3e-6)


def test_the_counterfactual_is_what_question_similarity_takes(bundle: Path) -> None:
    selector = Selector.load(bundle, "full", precision="fp32")
    why = selector.explain(QUESTION)
    assert why.similarity == SENTENCE
    pool = Pool(bundle)
    scores = pool.scores("question", [Record("q", QUESTION, "", "")])[0]
    order = np.argsort(-scores, kind="stable").tolist()
    rows = {selector.record(row).id: row for row in range(len(selector))}
    chosen = [rows[reason.demonstration.id] for reason in why.reasons]
    assert [reason.rank for reason in why.reasons] == [1 + order.index(row) for row in chosen]
    dropped = [row for row in order[:4] if row not in chosen]
    assert [rows[reason.instead.id] for reason in why.reasons if reason.instead] == dropped
    for reason in why.reasons:
        assert (reason.instead is None) == (reason.rank is not None and reason.rank <= 4)
        assert reason.similarity == pytest.approx(float(scores[rows[reason.demonstration.id]]), abs=1e-4)


def test_the_counterfactual_keeps_to_the_filters(selector: Selector) -> None:
    record = selector.record(3)
    first = selector.explain(record.question, k=3)
    assert all(r.instead is None or r.instead.id != record.id for r in first.reasons), "never the question itself"
    gone = [r.instead.id for r in selector.explain(QUESTION).reasons if r.instead]
    where = {"skill": record.metadata["skill"]}
    for reason in selector.explain(QUESTION, exclude=gone).reasons:
        assert reason.instead is None or reason.instead.id not in gone
    ids = {r.id for r in map(selector.record, range(len(selector))) if r.metadata["skill"] == where["skill"]}
    assert all(r.instead is None or r.instead.id in ids for r in selector.explain(QUESTION, where=where).reasons)


def test_lite_measures_by_the_wording_that_it_reads(bundle: Path) -> None:
    why = Selector.load(bundle, "lite").explain(QUESTION)
    assert why.similarity == WORDING
    for reason in why.reasons:
        assert reason.similarity == pytest.approx(reason.parts["sentence"] + reason.parts["words"], abs=1e-6)


def test_damaged_embeddings_are_named(bundle: Path) -> None:
    opened = Selector.load(bundle, "full")._bundle
    questions = np.full((len(opened.store), 384), np.nan, np.float32)
    damaged = Selector(replace(opened, bank=replace(opened.folder_bank, questions=questions)))
    assert len(damaged.select(QUESTION)) == 4, "only an explanation reads them"
    with pytest.raises(BundleError, match=r"question\.npy: holds NaN"):
        damaged.explain(QUESTION)


def test_nothing_chosen_is_explained_too(selector: Selector) -> None:
    why = selector.explain(QUESTION, min_score=1.1)
    assert why.reasons == () and why.confidence == 0
    assert "No demonstration was chosen" in why.to_html()
    assert str(why) == f"Question: {QUESTION}\nConfidence: 0.00"


def test_the_text_shows_questions_words_parts_and_the_counterfactual(bundle: Path) -> None:
    why = Selector.load(bundle, "full").explain(QUESTION)
    text = str(why)
    for reason in why.reasons:
        assert reason.demonstration.question[:100] in text
        assert f"rank {reason.rank}" in text and f"{reason.contributions[0].piece.strip()!r} +" in text
        if reason.instead is not None:
            assert f"similarity takes instead: {reason.instead.id}" in text


def test_the_plots_of_shap_get_words_and_base_of_each_demonstration(selector: Selector) -> None:
    pytest.importorskip("shap", reason="the extra shap is not installed: pip install shap")
    why = selector.explain(QUESTION)
    made = why.to_shap()
    assert "".join(made.feature_names) == "".join(made.data[0]) == why.question
    assert made.values.shape == (4, len(cut(QUESTION)))
    scores = [reason.demonstration.score for reason in why.reasons]
    np.testing.assert_allclose(made.values.sum(1) + made.base_values, scores, atol=1e-6)


def test_without_shap_its_package_is_named(selector: Selector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(MissingPackageError, match="the package shap is not installed: pip install"):
        selector.explain(QUESTION).to_shap()
    with pytest.raises(InputError, match="nothing was chosen"):
        selector.explain(QUESTION, min_score=1.1).to_shap()


def test_a_page_escapes_what_a_bank_holds_and_needs_no_other_file() -> None:
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\"'&{{ 7*7 }}"
    demonstration = Demonstration(bad, bad, bad, bad, 0.5, 0.5, bad)
    parts = {"structure": 0.6, "latent": -0.1, "sentence": 0.0, "words": 0.0}
    words = (Contribution(bad, 0.7, 0), Contribution(BASE, -0.2))
    reason = Reason(demonstration, words, parts, 0.3, 1234, Alternative(bad, bad, bad, bad, 0.1, 0.9))
    page = Explanation(bad, (reason,), 0.5, SENTENCE).to_html()
    assert "<script" not in page and "<img" not in page and "49" not in page.replace("&#", "")
    assert "&lt;script&gt;" in page and 'role="img"' in page and "aria-label=" in page
    assert not any(text in page for text in ("http:", "https:", "url(", 'src="', "@import", "<link"))
    assert "color-scheme" in page and "prefers-color-scheme: dark" in page
    assert "\x1b" not in str(Explanation(bad, (reason,), 0.5, SENTENCE))


@given(st.text(max_size=300), st.integers(1, 12))
def test_a_cut_loses_nothing(text: str, limit: int) -> None:
    pieces = cut(text, limit)
    assert "".join(pieces) == text and len(pieces) <= limit
