"""Skill alignment: definitions by hand, then the whole command on a real bundle."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.story import Story
from skillshot.common.errors import InputError
from skillshot.evaluation.alignment import _metrics, multiset_jaccard, paired_interval, score
from skillshot.selectors.choose import choose
from skillshot.selectors.pool import Pool
from skillshot.selectors.registry import DEFAULT


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [("", "", 1.0), ("+", "", 0.0), ("++*", "+*", 2 / 3), ("+*", "*+", 1.0), ("++", "+", 0.5)],
)
def test_multiset_jaccard(a: str, b: str, value: float) -> None:
    assert multiset_jaccard(list(a), list(b)) == pytest.approx(value)


@given(st.lists(st.sampled_from("+-*/")), st.lists(st.sampled_from("+-*/")))
def test_jaccard_is_symmetric_and_bounded(a: list[str], b: list[str]) -> None:
    value = multiset_jaccard(a, b)
    assert 0 <= value <= 1
    assert value == multiset_jaccard(b, a)
    assert (value == 1) == (sorted(a) == sorted(b))


def test_metrics_by_hand() -> None:
    rows = [np.array([0, 1]), np.array([2, 0])]
    metrics = _metrics(rows, ["a", "b"], ["a", "b", "c"], 2, listed=False)
    assert metrics["hit@1"].tolist() == [1, 0]
    assert metrics["hit@k"].tolist() == [0.5, 0]
    assert metrics["any@k"].tolist() == [1, 0]
    listed = _metrics([np.array([0, 1])], [("+", "-")], [("+",), ("-", "+")], 2, listed=True)
    assert listed["jaccard@k"].tolist() == [0.75]


def test_the_interval_holds_the_mean_and_shrinks() -> None:
    noise = np.random.default_rng(0).normal(0.1, 1, 4000)
    few, many = paired_interval(noise[:100], 0), paired_interval(noise, 0)
    for interval in (few, many):
        assert interval["low"] < interval["diff"] < interval["high"]
    assert many["high"] - many["low"] < few["high"] - few["low"]


@pytest.fixture(scope="module")
def report(bundle: Path, story: Story) -> dict[str, dict[str, dict[str, float]]]:
    return score(bundle, story[1], "skill").to_dict()


def test_every_selector_is_there_and_learning_helps(report: dict[str, dict[str, dict[str, float]]]) -> None:
    assert set(report["selectors"]) == set(DEFAULT)
    hit = {name: values["hit@k"] for name, values in report["selectors"].items()}
    assert hit["random"] < 0.15
    assert hit["question"] < hit["skillshot"]
    assert report["pairs"]["skillshot-random"]["hit@k"]["low"] > 0
    assert 0 <= report["nmi"]["skillshot"] <= 1


def test_list_labels_have_a_jaccard(bundle: Path, story: Story) -> None:
    values = score(bundle, story[1][:20], "steps", names=("random", "oracle")).to_dict()["selectors"]
    assert values["oracle"]["jaccard@k"] > values["random"]["jaccard@k"]


def test_an_oracle_without_rationales_is_left_out_and_listed(bundle: Path, story: Story) -> None:
    blind = [dataclasses.replace(query, rationale="") for query in story[1][:5]]
    result = score(bundle, blind, "skill", names=("question", "oracle"))
    assert result.left_out == {"oracle": "the queries have no rationale"}
    with pytest.raises(InputError, match="has no rationale; leave oracle out"):
        Pool(bundle).scores("oracle", blind)


def test_unknown_names_are_refused(bundle: Path, story: Story) -> None:
    with pytest.raises(InputError, match="--label colour"):
        score(bundle, story[1], "colour")
    with pytest.raises(InputError, match="selector 'best': choose from zero-shot, random"):
        choose(bundle, story[1][:1], ["best"])


def test_a_bank_without_the_label_is_reported_with_the_fix(bundle: Path, story: Story) -> None:
    labelled = [dataclasses.replace(query, metadata={"colour": "red"}) for query in story[1][:3]]
    with pytest.raises(InputError) as caught:
        score(bundle, labelled, "colour")
    first, fix = str(caught.value).splitlines()
    assert (
        first.startswith("--label colour: no record of the bank has it; fields that they have: ") and "skill" in first
    )
    assert fix == "bank and queries both need the field: fit again with a bank that has it"
    bare = [dataclasses.replace(query, metadata={}) for query in story[1][:3]]
    with pytest.raises(
        InputError, match=r"no record of the queries has it\nbank and queries both need the field: give"
    ):
        score(bundle, bare, "colour")


def test_random_draws_depend_on_the_seed_and_the_query_only(bundle: Path, story: Story) -> None:
    queries = story[1][:6]
    one, two = Pool(bundle, seed=1), Pool(bundle, seed=2)
    np.testing.assert_array_equal(one.scores("random", queries)[3], one.scores("random", queries[3:4])[0])
    assert not np.array_equal(one.scores("random", queries), two.scores("random", queries))


def test_a_planted_duplicate_is_never_chosen(bundle: Path, story: Story) -> None:
    leaked = [dataclasses.replace(record, id=f"leak-{i}") for i, record in enumerate(story[0][:5])]
    for name, rows in choose(bundle, leaked, DEFAULT, k=4).items():
        for query, chosen in zip(leaked, rows, strict=True):
            assert query.question not in {record.question for record in chosen}, name


def test_zero_shot_chooses_nothing(bundle: Path, story: Story) -> None:
    assert choose(bundle, story[1][:2], ["zero-shot"]) == {"zero-shot": [[], []]}


def test_spider_has_its_operation_labels() -> None:
    path = Path(__file__).resolve().parents[3] / "shared/data/spider/train.jsonl.gz"
    if not path.exists():
        pytest.skip("../shared/data is not next to this checkout")
    with gzip.open(path, "rt") as handle:
        assert isinstance(json.loads(handle.readline())["op_sequence"], list)
