"""Tables, and what the number of queries can decide."""

from __future__ import annotations

from typing import Any

from skillshot.common.tables import counted, overview, pairs, table, undecided


def test_a_table_shows_missing_values_as_a_dash() -> None:
    rows = [{"name": "lars", "hit": 0.5, "n": 3}, {"name": "skillshot", "hit": None, "n": 12}]
    assert table(rows, ["name", "hit", "n"]).splitlines() == [
        "name         hit   n", "--------------------", "lars       0.500   3", "skillshot      -  12",
    ]  # fmt: skip


def report(queries: int, low: float, high: float, **more: Any) -> dict[str, Any]:
    pair = {"diff": (low + high) / 2, "low": low, "high": high, **more}
    return {
        "queries": queries,
        "selectors": {"skillshot": {"nll": 0.4}, "zero-shot": {"nll": 1.9}, "question": {"nll": 1.1}},
        "pairs": {"skillshot-zero-shot": {"accuracy": pair, "nll": None}, "zero-shot-question": {"accuracy": pair}},
    }


def test_an_interval_apart_from_zero_needs_no_sentence() -> None:
    assert list(undecided(report(300, 0.1, 0.3))) == []


def test_an_interval_with_zero_names_the_queries_that_would_be_needed() -> None:
    # half width 0.15 at 100 queries, difference 0.05: (2.80 / 1.96 * 3) ** 2 times as many
    assert list(undecided(report(100, -0.1, 0.2))) == [
        "100 queries cannot separate skillshot from zero-shot by accuracy (a difference of 0.050 needs about 1,839)"
    ]
    assert list(undecided(report(100, -0.1, 0.1, queries_for_2_points=700))) == [
        "100 queries cannot separate skillshot from zero-shot by accuracy (a difference of 0.020 needs about 700)"
    ]


def test_one_sentence_lists_all_open_pairs_each_once() -> None:
    one, other = {"diff": 0.0, "low": -0.1, "high": 0.1}, {"diff": 0.1, "low": 0.0, "high": 0.2}
    mirrored = {
        "queries": 40,
        "selectors": {"random": {}, "question": {}, "random-2": {}},
        "pairs": {"question-random": {"nll": one}, "random-question": {"nll": one}, "random-2-random": {"nll": other}},
    }
    assert [(first, second) for first, second, _ in pairs(mirrored)] == [("question", "random"), ("random-2", "random")]
    assert list(undecided(mirrored)) == [
        "40 queries cannot separate question from random by nll (equal on all of them), "
        "random-2 from random by nll (a difference of 0.100 needs about 82)"
    ]


def test_one_is_not_many() -> None:
    assert [counted(n, "query") for n in (0, 1, 1500)] == ["0 queries", "1 query", "1,500 queries"]
    assert list(undecided(report(1, 0.1, 0.3))) == ["1 query is few: with fewer than 30, intervals are too narrow"]


def test_few_queries_are_reported_even_where_intervals_decide() -> None:
    assert list(undecided(report(15, 0.1, 0.3))) == ["15 queries are few: with fewer than 30, intervals are too narrow"]


def test_the_overview_joins_alignment_and_llm() -> None:
    joined = report(15, 0.1, 0.3) | {"alignment": {"selectors": {"skillshot": {"hit@k": 0.99}, "lite": {"hit@k": 0.9}}}}
    lines = overview(joined).splitlines()
    assert lines[0].split() == ["selector", "hit@k", "nll"]
    assert lines[2].split() == ["lite", "0.900", "-"]
    assert lines[-1].split() == ["question", "-", "1.100"]
