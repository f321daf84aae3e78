"""What an evaluation's pictures show: differences to one baseline, and only those with evidence."""

from __future__ import annotations

from typing import Any

import pytest

from skillshot.evaluation.evidence import Difference, contrast, panels
from skillshot.evaluation.plots import figure


def summary(
    queries: int, names: tuple[str, ...] = ("random", "question", "skillshot"), **metrics: Any
) -> dict[str, Any]:
    """A summary in which every selector differs from `question` by (diff, low, high) of each metric."""
    found = {
        metric: {"diff": value[0], "low": value[1], "high": value[2], "p": 0.5, "queries_for_2_points": 900}
        for metric, value in metrics.items()
    }
    pairs = {f"{a}-{b}": found for b in ("question", "random") if b in names for a in names if a != b}
    return {"llm": "m", "shots": 4, "confidence": 0.95, "queries": queries,
            "selectors": {name: {} for name in names}, "pairs": pairs}  # fmt: skip


@pytest.mark.parametrize(
    ("queries", "interval", "drawn"),
    [(15, (0.2, 0.0, 0.4), False), (15, (0.2, 0.1, 0.4), True), (15, (-0.2, -0.4, -0.1), True), (30, (0, 0, 0), True)],
)
def test_accuracy_is_drawn_with_enough_queries_or_where_an_interval_excludes_0(
    queries: int, interval: tuple[float, ...], drawn: bool
) -> None:
    found = {panel.metric: panel for panel in panels(summary(queries, accuracy=interval, nll=(-1, -2, -0.5)))}
    assert not found["nll"].absent and (found["accuracy"].absent == "") == drawn
    if not drawn:
        assert found["accuracy"].absent == (
            "15 queries, fewer than 30, and no interval excludes 0; a difference of 0.02 would need about 900 queries"
        )


def test_a_metric_that_was_not_measured_gives_its_reason() -> None:
    report = summary(40, accuracy=(0.1, 0.05, 0.2)) | {"missing": {"nll": "the endpoint gives none"}}
    drawn, absent = panels(report)
    assert (drawn.metric, absent.metric, absent.absent) == ("accuracy", "nll", "the endpoint gives none")
    assert [row.selector for row in drawn.rows] == ["skillshot", "random"]


@pytest.mark.parametrize(
    ("metric", "interval", "verdict"),
    [
        ("nll", (-0.5, -0.8, -0.2), "better, certain"), ("nll", (0.5, 0.2, 0.8), "worse, certain"),
        ("accuracy", (0.5, 0.0, 0.8), "better, not certain"), ("accuracy", (-0.5, -0.8, 0.1), "worse, not certain"),
        ("accuracy", (0, 0, 0), "equal, not certain"),
    ],
)  # fmt: skip
def test_the_verdict_follows_from_the_interval(metric: str, interval: tuple[float, ...], verdict: str) -> None:
    found = {panel.metric: panel for panel in panels(summary(40, **{metric: interval}))}
    assert found[metric].rows[0].verdict == verdict and found[metric].rows[0].certain == ("not" not in verdict)
    low, high = found[metric].limits
    assert low < min(0, interval[1]) and high > max(0, interval[2])


def test_skillshot_is_compared_with_question_where_both_are_there() -> None:
    assert contrast(summary(9)) == ("skillshot", "question")
    assert contrast(summary(9, ("random", "bm25"))) == ("bm25", "random")
    assert contrast(summary(9, ("question", "random"))) == ("random", "question")
    assert contrast(summary(9, ("bm25", "skillshot"))) is None and contrast(summary(9, ("question",))) is None


def test_a_difference_is_written_with_its_interval() -> None:
    found = Difference("a", -0.52, -0.829, -0.24, better=True, queries=15)
    assert found.figures == "-0.520 [-0.829, -0.240]"
    assert found.verdict == "better, not certain on 15 queries" and not found.certain


def test_a_picture_is_drawn_also_without_evidence() -> None:
    for report in (
        summary(9, accuracy=(0, 0, 0)),
        summary(9, ("bm25",)),
        summary(50, accuracy=(0, 0, 0), nll=(1, 0, 2)),
    ):
        assert figure(report).startswith(b"\x89PNG") and figure(report) == figure(report)
