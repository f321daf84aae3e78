"""The verdict of a fit on made-up similarities, whose truth is known."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.common.arrays import Doubles
from skillshot.common.tables import FEW
from skillshot.common.verdict import FEW_ROWS, MEASURED, SIMILAR, USE, VERDICTS, FitVerdict
from skillshot.training.verdict import GAIN, LEAST, MARGIN, judge

some = settings(max_examples=25, deadline=None)  # 20 ms each
SEEDS = st.integers(0, 2**32 - 1)
GAINS = st.floats(-0.3, 0.3, allow_subnormal=False)


def values(rows: int, *, gain: float, over_bm25: float | None = None, spread: float = 0.1, seed: int = 0) -> Any:
    """Similarities of skillshot, question and BM25, with exact mean gains and a given spread of the differences."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.3, 0.6, rows)
    noise = [rng.normal(0, spread, rows) for _ in range(2)]
    rivals = [
        base - (draw - draw.mean() if rows else draw) - mean
        for draw, mean in zip(noise, (gain, gain if over_bm25 is None else over_bm25), strict=True)
    ]
    return base, *rivals


def judged(given: Any, **other: Any) -> FitVerdict:
    return judge(*given, **{"source": "rationale", "mode": "full", "trust": 0.6, "seed": 0} | other)


@pytest.mark.parametrize(
    ("rows", "gain", "over_bm25", "expected"),
    [
        (300, 0.05, 0.04, USE),
        (2000, 0.05, 0.004, USE),  # BM25 is about equal: the lower bound is above -MARGIN
        (300, 0.0, 0.05, SIMILAR),
        (300, -0.05, 0.05, SIMILAR),  # certainly worse than question cosine
        (300, 0.05, -0.005, SIMILAR),  # BM25 is better on average
        (300, 0.05, -0.05, SIMILAR),
        (40, 0.025, 0.025, FEW_ROWS),  # +-0.03: a gain over GAIN is possible
        (40, -0.01, 0.2, SIMILAR),  # a gain over GAIN is excluded
        (FEW - 1, 0.3, 0.3, FEW_ROWS),
        (FEW, 0.3, 0.3, USE),
    ],
)
def test_known_gains_get_their_verdict(rows: int, gain: float, over_bm25: float, expected: str) -> None:
    assert judged(values(rows, gain=gain, over_bm25=over_bm25)).verdict == expected


def test_the_better_rival_may_not_be_worse_by_more_than_the_margin() -> None:
    """An interval of (-0.03, +0.05) against BM25 has a positive mean and stays below GAIN: not enough to use it."""
    assert judged(values(40, gain=0.2, over_bm25=0.02, spread=0.2)).verdict == FEW_ROWS  # (-0.04, +0.08): open
    found = judged(values(100, gain=0.1, over_bm25=0.012, spread=0.16))
    pair = found.pair("bm25")
    assert pair["diff"] > 0 and pair["low"] < -MARGIN and pair["high"] < GAIN
    assert found.verdict == SIMILAR
    assert found.advice.startswith("select by BM25: it is as good here. Rationales that write equal steps ")


def test_a_gain_that_is_certain_but_tiny_is_no_reason_to_use_it() -> None:
    found = judged(values(600, gain=LEAST / 2, over_bm25=LEAST, spread=0.02))
    assert found.pair("question")["low"] > 0 and found.verdict == SIMILAR
    assert found.advice.startswith("select by similarity: it is as good here.")
    assert judged(values(600, gain=2 * LEAST, over_bm25=LEAST, spread=0.02)).verdict == USE


def test_where_bm25_is_better_with_certainty_the_advice_says_so() -> None:
    found = judged(values(200, gain=0.1, over_bm25=-0.05))
    assert found.pair("bm25")["high"] < 0 < found.pair("question")["low"]
    assert found.verdict == SIMILAR and found.advice.startswith("select by BM25: it is better here.")


def test_structure_of_questions_never_gives_use_it() -> None:
    given = values(500, gain=0.3)
    assert judged(given).verdict == USE
    found = judged(given, source="question")
    assert found.verdict == SIMILAR and found.advice.startswith("give rationales or answers")
    assert judged(values(9, gain=0.3), source="question").verdict == FEW_ROWS


def test_a_prior_is_named_and_does_not_change_the_verdict() -> None:
    found = judged(values(500, gain=0.3), source="question", prior="half")
    assert found.verdict == SIMILAR and found.advice.endswith("half of the skill is a prior of other banks.")


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_the_smallest_banks_are_judged(rows: int) -> None:
    found = judged(values(rows, gain=0.2), trust=0.0, mode="lite")
    assert found.verdict == FEW_ROWS and found.rows == rows and len(found.lines()) == 5
    assert bool(found.metrics()) == bool(rows)
    assert ("nothing was measured" in found.lines()) == (not rows)
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.advice == "more rows: about 30 decide it."


def test_the_advised_rows_decide() -> None:
    """With the same mean and spread, the verdict on as many rows as the advice names is no longer open."""
    for gain in (0.0, 0.02, 0.03):
        first = judged(values(60, gain=gain, spread=0.25))
        assert first.verdict == FEW_ROWS
        rows = int(first.advice.split("about ")[1].split()[0].replace(",", ""))
        assert rows > 60 and judged(values(int(1.1 * rows), gain=gain, spread=0.25)).verdict in (USE, SIMILAR)


def test_the_five_lines_read_as_written() -> None:
    found = judged(values(1200, gain=0.05, over_bm25=0.07), source="answer")
    low, high = (found.pair("question")[end] for end in ("low", "high"))
    lines = found.lines()
    assert lines[0] == "verdict: use it"
    assert lines[1] == (
        f"similarity of the demonstrations (structure of answers): skillshot {found.skillshot:.3f}, "
        f"question {found.question:.3f}, BM25 {found.bm25:.3f}"
    )
    assert lines[2].startswith(f"skillshot - question +0.050 ({low:+.3f} to {high:+.3f}); skillshot - BM25 +0.070 (")
    assert lines[3] == (
        "1,200 cross-fitted rows, no labels of skill; mode full; learned skill is 60 % of the score, wording 40 %"
    )
    assert lines[4] == (
        "what helps: check it on labelled queries of your own: skillshot score. "
        "Rationales show more of the skill than the answer does."
    )


@pytest.mark.parametrize(
    ("trust", "words"),
    [
        (0.0, "the score is wording alone: the bank taught no skill"),
        (0.001, "learned skill is 1 % of the score, wording 99 %"),
        (0.999, "learned skill is 99 % of the score, wording 1 %"),
        (1.0, "learned skill is 100 % of the score, wording 0 %"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(trust: float, words: str) -> None:
    assert judged(values(50, gain=0.0), trust=trust).basis().endswith(f"mode full; {words}")


@some
@given(st.integers(0, 80), GAINS, GAINS, st.floats(0, 0.3), st.sampled_from(sorted(MEASURED)), st.floats(0, 1), SEEDS)
def test_any_input_gives_five_lines_and_plain_numbers(
    rows: int, gain: float, over_bm25: float, spread: float, source: str, trust: float, seed: int
) -> None:
    given = values(rows, gain=gain, over_bm25=over_bm25, spread=spread, seed=seed)
    found = judged(given, source=source, trust=trust, seed=seed)
    lines = found.lines()
    assert found.verdict in VERDICTS and len(lines) == 5
    assert all(line and "\n" not in line and len(line) <= 160 for line in lines)
    assert FitVerdict.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found
    assert all(type(value) is float and math.isfinite(value) for value in found.metrics().values())
    assert all(
        pair["low"] <= pair["diff"] + 1e-6 and pair["diff"] <= pair["high"] + 1e-6 for pair in found.pairs.values()
    )


@some
@given(st.integers(1, 60), GAINS, SEEDS)
def test_the_order_of_the_rows_has_no_influence(rows: int, gain: float, seed: int) -> None:
    given = values(rows, gain=gain, over_bm25=gain / 2, seed=seed)
    order = np.random.default_rng(seed).permutation(rows)
    assert judged([x[order] for x in given], seed=seed) == judged(given, seed=seed)


@some
@given(st.integers(FEW, 80), st.floats(0, 0.2), st.floats(0, 0.2), st.floats(0, 1), SEEDS)
def test_a_better_selector_never_loses_use_it(rows: int, gain: float, over_bm25: float, more: float, seed: int) -> None:
    skillshot, *rivals = values(rows, gain=gain, over_bm25=over_bm25, spread=0.05, seed=seed)
    first, second = judged((skillshot, *rivals), seed=seed), judged((skillshot + more, *rivals), seed=seed)
    assert first.verdict != USE or second.verdict == USE
    assert [second.pair(name)["low"] >= first.pair(name)["low"] for name in ("question", "bm25")] == [True, True]


@some
@given(st.integers(FEW, 80), GAINS, GAINS, SEEDS)
def test_use_it_is_never_given_where_similarity_is_certainly_better(
    rows: int, gain: float, over_bm25: float, seed: int
) -> None:
    found = judged(values(rows, gain=gain, over_bm25=over_bm25, seed=seed), seed=seed)
    worst = min(found.pair(name)["high"] for name in ("question", "bm25"))
    assert found.verdict != USE or (worst > 0 and found.skillshot > max(found.question, found.bm25))


def test_equal_choices_are_no_better() -> None:
    same: Doubles = np.full(100, 0.4)
    found = judged((same, same, same))
    assert found.verdict == SIMILAR and found.pair("question") == {"diff": 0.0, "low": 0.0, "high": 0.0}
    assert found.advice.startswith("select by similarity: it is as good here.")


def test_a_later_version_may_add_keys() -> None:
    found = judged(values(40, gain=0.1))
    assert FitVerdict.from_dict(found.to_dict() | {"new": 1}) == found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "rationales"}, "source is 'rationales', expected one of rationale, answer, label, question"),
        ({"mode": "auto"}, "mode is 'auto', expected one of full, lite"),
        ({"trust": 1.5}, "trust is 1.5, expected a number from 0 to 1"),
        ({"trust": math.nan}, "trust is nan"),
    ],
)
def test_wrong_facts_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        judged(values(40, gain=0.1), **change)


def test_wrong_arrays_are_refused() -> None:
    row, short = np.full(40, 0.5), np.full(39, 0.5)
    with pytest.raises(ValueError, match="expected three rows of equal length"):
        judged((row, short, row))
    with pytest.raises(ValueError, match="bm25 holds NaN or infinity"):
        judged((row, row, row * math.nan))
