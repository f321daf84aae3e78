"""Values of demonstrations: the axioms of Shapley, what a run asks of the model, what it writes."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.llm_fakes import FakeEngine, examples
from skillshot.common.errors import EngineError, InputError
from skillshot.common.params import EvaluateParams
from skillshot.common.record import Record
from skillshot.evaluation.values import by_row, demonstration_values, leave_one_out, shapley
from skillshot.llm.cache import AnswerCache
from skillshot.llm.cached_engine import CachedEngine
from skillshot.llm.engine import Scored

PARAMS = EvaluateParams(bootstrap=100)
WORTHS = st.integers(0, 4).flatmap(lambda k: st.lists(st.floats(-50, 0), min_size=2**k, max_size=2**k))


GAINS = {"What is 7 and 7?": -0.25, "What is 8 and 8?": 0.5, "What is 9 and 9?": 0.125}


class Reading(FakeEngine):
    """Each demonstration adds its own amount to the log-likelihood of every token; e7 takes away."""

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> Iterator[tuple[int, Scored]]:
        for i, (prompt, gold) in enumerate(zip(prompts, continuations, strict=True)):
            self._call(f"score {prompt}{gold}")
            value = -2 + sum(gain for text, gain in GAINS.items() if text in prompt)
            yield i, Scored((value,) * len(gold.split()), len(prompt.split()))


def engine(folder: Path, fake: FakeEngine | None = None) -> CachedEngine:
    return CachedEngine(fake or Reading(), AnswerCache(folder / "llm.jsonl"))


def chosen(queries: Sequence[Record]) -> list[list[Record]]:
    return [examples(3, 7) for _ in queries]


@given(WORTHS)
def test_values_are_the_mean_over_all_orders_and_sum_to_the_whole(worth: list[float]) -> None:
    count = len(worth).bit_length() - 1
    orders = list(itertools.permutations(range(count)))
    expected = np.zeros(count)
    for order in orders:
        subset = 0
        for player in order:
            expected[player] += (worth[subset | 1 << player] - worth[subset]) / len(orders)
            subset |= 1 << player
    found = shapley(np.array(worth))
    assert found == pytest.approx(expected, abs=1e-9)
    assert math.fsum(found) == pytest.approx(worth[-1] - worth[0], abs=1e-9)


@given(WORTHS)
def test_a_player_that_changes_nothing_has_no_value(worth: list[float]) -> None:
    count = len(worth).bit_length() - 1
    more = np.array(worth + worth)  # with the last player as without it
    assert shapley(more)[count] == leave_one_out(more)[count] == 0
    assert shapley(more)[:count] == pytest.approx(shapley(np.array(worth)), abs=1e-9)


@given(st.lists(st.floats(-50, 0), min_size=2, max_size=6))
def test_players_that_are_exchangeable_have_the_same_value(by_size: list[float]) -> None:
    count = len(by_size) - 1
    values = shapley(np.array([by_size[subset.bit_count()] for subset in range(2**count)]))
    assert values == pytest.approx([(by_size[-1] - by_size[0]) / count] * count, abs=1e-9)


def test_what_a_demonstration_adds_is_its_value(tmp_path: Path) -> None:
    queries = examples(6)
    found = demonstration_values(engine(tmp_path), queries, chosen(queries), PARAMS, 0)
    assert [(one.demonstration, one.place) for one in found.values[:3]] == [("e7", 1), ("e8", 2), ("e9", 3)]
    assert [one.shapley for one in found.values[:3]] == pytest.approx([-0.25, 0.5, 0.125])
    assert [one.leave_one_out for one in found.values[:3]] == pytest.approx([-0.25, 0.5, 0.125])
    summary = found.summary
    assert (summary["queries"], summary["left_out"], summary["prompts"]) == (6, 0, 48)
    assert summary["gain"] == {"mean": 0.375, "low": 0.375, "high": 0.375}
    assert [row["demonstration"] for row in summary["rows"]] == ["e8", "e9", "e7"], "most helpful first"
    assert summary["rows"][2] == {
        "demonstration": "e7", "queries": 6, "shapley": -0.25, "low": -0.25, "high": -0.25, "leave_one_out": -0.25,
        "sum": -1.5,
    }  # fmt: skip


def test_few_queries_give_a_mean_without_an_interval(tmp_path: Path) -> None:
    queries = examples(4)
    found = demonstration_values(engine(tmp_path), queries, chosen(queries), PARAMS, 0)
    assert [(row["low"], row["high"]) for row in found.summary["rows"]] == [(None, None)] * 3
    assert by_row([], PARAMS, 0) == []


def test_an_interrupted_run_continues_and_no_prompt_is_paid_for_twice(tmp_path: Path) -> None:
    class Failing(Reading):
        def _call(self, what: str) -> None:
            if len(self.calls) == 13:
                raise EngineError("the cable is out")
            super()._call(what)

    queries, broken, fake = examples(3), Failing(), Reading()
    with pytest.raises(EngineError, match="cable"):
        demonstration_values(engine(tmp_path, broken), queries, chosen(queries), PARAMS, 0)
    found = demonstration_values(engine(tmp_path, fake), queries, chosen(queries), PARAMS, 0)
    assert not set(broken.calls) & set(fake.calls) and len(broken.calls) + len(fake.calls) == 3 * 8
    offline = CachedEngine(Reading(), AnswerCache(tmp_path / "llm.jsonl"), offline=True)
    assert demonstration_values(offline, queries, chosen(queries), PARAMS, 0) == found


def test_queries_without_gold_are_left_out_and_sets_may_differ_in_size(tmp_path: Path) -> None:
    bare = Record("b", "Why?", "", "")
    found = demonstration_values(
        engine(tmp_path), [bare, *examples(2)], [examples(2, 7), examples(1, 8), []], PARAMS, 0
    )
    assert (found.summary["queries"], found.summary["left_out"], found.summary["prompts"]) == (2, 1, 3)
    assert [(one.query, one.demonstration, one.shapley) for one in found.values] == [("e0", "e8", 0.5)]
    with pytest.raises(InputError, match="no query has a rationale or an answer"):
        demonstration_values(engine(tmp_path), [bare], [[]], PARAMS, 0)


def test_too_many_demonstrations_and_an_engine_without_scores_are_refused_before_a_call(tmp_path: Path) -> None:
    fake = Reading()
    with pytest.raises(InputError, match=r"7 demonstrations need 128 prompts a query; .* give --shots 6 or fewer"):
        demonstration_values(engine(tmp_path, fake), examples(1), [examples(7, 7)], PARAMS, 0)
    blind = FakeEngine(scores=False)
    with pytest.raises(EngineError, match=r"fake/1: a fake without scores\nleave --values out"):
        demonstration_values(engine(tmp_path / "other", blind), examples(1), [examples(2, 7)], PARAMS, 0)
    assert fake.calls == blind.calls == []


def test_files_hold_the_summary_and_a_line_for_each_demonstration(tmp_path: Path) -> None:
    queries = examples(2)
    sets = [[Record("=1+1", "What is 8 and 8?", "8 + 8 = 16.", "1")]] * 2
    found = demonstration_values(engine(tmp_path), queries, sets, PARAMS, 0)
    found.write(tmp_path)
    assert json.loads((tmp_path / "values.json").read_text()) == found.summary
    with (tmp_path / "values_rows.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert rows[0] == {
        "query": "e0", "demonstration": "'=1+1", "place": "1", "shapley": "0.5", "leave_one_out": "0.5",
    }  # fmt: skip
    assert len(rows) == 2
