"""The evaluation as a whole, with a model that is a function."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import re
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from helpers.llm_fakes import FakeEngine, examples, some_choices
from skillshot.common.errors import InputError
from skillshot.common.params import EvaluateParams
from skillshot.evaluation.evidence import cost
from skillshot.evaluation.files import shown, write
from skillshot.evaluation.pages import disagreements, markdown
from skillshot.evaluation.run import evaluate, sample
from skillshot.evaluation.statistics import Interval, bootstrap, compare, queries_needed, sign_test
from skillshot.llm.cache import AnswerCache
from skillshot.llm.engine import Completion, Decoding

PARAMS = EvaluateParams(bootstrap=300)


def test_report_has_the_form_of_the_contract(tmp_path: Path) -> None:
    queries = examples(30)
    result = evaluate(FakeEngine(), AnswerCache(tmp_path / "r"), queries, some_choices(queries), PARAMS, 1)
    report = result.to_dict()
    assert (report["llm"], report["shots"], report["queries"]) == ("fake/1", 4, 30)
    assert list(report["selectors"]) == ["zero-shot", "random", "question", "skillshot"]
    row = report["selectors"]["skillshot"]
    assert row["llm_calls"] == 60 and row["prompt_tokens"] > report["selectors"]["zero-shot"]["prompt_tokens"] > 0
    assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"] and row["format_valid"] == 1
    mine = [r for r in result.rows if r.selector == "skillshot"]
    assert row["accuracy"] == pytest.approx(np.mean([r.found == r.answer for r in mine]), abs=1e-5)
    assert row["nll"] == pytest.approx(np.mean([r.nll for r in mine]), abs=1e-5)
    names = list(report["selectors"])
    assert set(report["pairs"]) == {f"{a}-{b}" for a in names for b in ("question", "random") if a != b}
    pair = report["pairs"]["skillshot-question"]["nll"]
    assert pair["low"] <= pair["diff"] <= pair["high"]
    assert pair["diff"] == pytest.approx(row["nll"] - report["selectors"]["question"]["nll"], abs=2e-5)
    json.dumps(report, allow_nan=False)


def test_an_answer_is_also_judged_with_its_equations_recomputed(tmp_path: Path) -> None:
    """Right steps with a wrong product count; other types of answers have no such figure."""

    class Careless(FakeEngine):
        def complete(self, prompts: Sequence[str], _: Decoding) -> Iterator[tuple[int, Completion]]:
            yield from ((i, Completion(" 3 * 4 = 13.\nThe answer is 13.", 1, 1, "stop")) for i in range(len(prompts)))

    query = dataclasses.replace(examples(1)[0], answer="12")
    for kind, found in (("number", [0.0, 1.0]), ("text", [0.0, None])):
        asked = [dataclasses.replace(query, answer_type=kind)]
        cache = AnswerCache(tmp_path / kind)
        row = evaluate(Careless(), cache, asked, {"question": [[]]}, PARAMS, 1).summary["selectors"]["question"]
        assert [row["accuracy"], row.get("recomputed")] == found


def test_a_second_run_costs_nothing_and_leaves_the_same_bytes(tmp_path: Path) -> None:
    queries, engine = examples(9), FakeEngine()
    for name in ("a", "b"):
        result = evaluate(engine, AnswerCache(tmp_path / "r"), queries, some_choices(queries), PARAMS, 1)
        write(result, tmp_path / name)
    assert result.timing["calls_made"] == 0 and len(engine.calls) == len(set(engine.calls))
    for file in ("evaluate_rows.csv", "plots/evaluate.png", "plots/evaluate.html"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    a, b = (json.loads((tmp_path / name / "evaluate.json").read_text()) for name in "ab")
    assert a.pop("timing") != b.pop("timing") and a == b
    with (tmp_path / "a" / "evaluate_rows.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 36 and {row["selector"] for row in rows} == set(a["selectors"])
    page = (tmp_path / "a" / "plots" / "evaluate.html").read_text()
    assert "http" not in page.replace("http-equiv", "") and "<img" not in page


def test_an_empty_line_ends_an_answer_only_where_demonstrations_have_none(tmp_path: Path) -> None:
    class Noting(FakeEngine):
        stops: list[tuple[str, ...]] = []  # noqa: RUF012

        def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
            self.stops += [decoding.stop] * len(prompts)
            return super().complete(prompts, decoding)

    plain, query = examples(2)
    spaced = dataclasses.replace(plain, id="spaced", rationale="def f():\n\n    return 1")
    engine, choices = Noting(), {"plain": [[plain]], "spaced": [[plain, spaced]]}
    result = evaluate(engine, AnswerCache(tmp_path / "r"), [query], choices, PARAMS, 1)
    assert engine.stops == [("\n\n", "\nQuestion:"), ("\nQuestion:",)]
    assert [row.text is not None for row in result.rows] == [True, True]


def test_without_scores_the_column_is_null_and_says_why(tmp_path: Path) -> None:
    queries = examples(5)
    result = evaluate(FakeEngine(scores=False), AnswerCache(tmp_path / "r"), queries, some_choices(queries), PARAMS, 1)
    report = result.to_dict()
    assert report["selectors"]["question"]["nll"] is None and report["pairs"]["skillshot-question"]["nll"] is None
    assert report["missing"] == {"nll": "a fake without scores"}
    write(result, tmp_path / "out")
    assert "a fake without scores" in (tmp_path / "out" / "plots" / "evaluate.html").read_text()


def test_without_answers_accuracy_is_null(tmp_path: Path) -> None:
    queries = examples(5)
    params = EvaluateParams(bootstrap=50, answers=False)
    result = evaluate(FakeEngine(), AnswerCache(tmp_path / "r"), queries, some_choices(queries), params, 1)
    assert result.summary["selectors"]["random"]["accuracy"] is None
    assert result.summary["missing"] == {"accuracy": "evaluate.answers is false"}


def test_bad_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no queries"):
        evaluate(FakeEngine(), AnswerCache(tmp_path / "r"), [], {}, PARAMS, 1)
    with pytest.raises(InputError, match="selector random chose for 1 of 2"):
        evaluate(FakeEngine(), AnswerCache(tmp_path / "r"), examples(2), {"random": [[]]}, PARAMS, 1)


def test_sample_is_seeded_and_keeps_the_order() -> None:
    queries = examples(50)
    drawn = sample(queries, 10, 4)
    assert drawn == sample(queries, 10, 4) != sample(queries, 10, 5)
    assert [q.id for q in drawn] == [q.id for q in queries if q in drawn] and len(drawn) == 10
    assert {q.id for q in drawn} < {q.id for q in sample(queries, 20, 4)}, "a longer run reuses a shorter one's answers"
    assert sample(queries, None, 1) == sample(queries, 99, 1) == queries


def test_disagreements_come_with_right_and_wrong_first(tmp_path: Path) -> None:
    queries = examples(30)
    result = evaluate(FakeEngine(), AnswerCache(tmp_path / "r"), queries, some_choices(queries), PARAMS, 1)
    found = disagreements(result)
    assert all([row.selector for row in rows[:2]] == ["skillshot", "question"] for rows in found)
    spread = [len({row.correct for row in rows[:2]}) for rows in found]
    assert len(spread) == 12 and spread == sorted(spread, reverse=True) and spread[0] == 2
    last = [abs(rows[0].nll - rows[1].nll) for rows in found if rows[0].correct == rows[1].correct]  # type: ignore[operator]
    assert last == sorted(last, reverse=True)


def test_disagreements_can_be_read_with_their_demonstrations(tmp_path: Path) -> None:
    queries = examples(30)
    choices = some_choices(queries)
    result = evaluate(FakeEngine(), AnswerCache(tmp_path / "r"), queries, choices, PARAMS, 1)
    texts = shown(queries, choices)
    write(result, tmp_path, texts=texts)
    read, html = markdown(result, texts), (tmp_path / "plots" / "evaluate.html").read_text()
    for rows in disagreements(result):
        assert f"## {rows[0].query}\n" in read and texts[rows[0].query].question in html
        for name in rows[-1].demonstrations:
            assert f"{name}: {texts[name].question}\n{texts[name].rationale}" in read
            assert f"{name}: {texts[name].question}\n{texts[name].rationale}" in html
    assert "**skillshot**: right, found '" in read and "**random**: wrong, found '" in read
    assert "`e1001`" in markdown(result, {}), "without the text its id"


def test_nothing_in_a_bank_is_read_as_html_or_markdown(tmp_path: Path) -> None:
    nasty = "<script>alert(1)</script> ``` & **bold** `"
    queries = [dataclasses.replace(record, question=nasty, answer="`<b>`") for record in examples(3)]
    choices = {
        "a_b": [[dataclasses.replace(record, rationale="````\n# x") for record in examples(1, 1000)]] * 3,
        "<i>": [examples(1, 1001)] * 3,
    }
    result = evaluate(FakeEngine(), AnswerCache(tmp_path / "r"), queries, choices, PARAMS, 1)
    texts = shown(queries, choices)
    write(result, tmp_path, texts=texts)
    html, read = (tmp_path / "plots" / "evaluate.html").read_text(), markdown(result, texts)
    assert "<script" not in html and "&lt;script&gt;alert(1)&lt;/script&gt; ``` &amp; **bold** `" in html
    assert "<i>" not in html and "&lt;i&gt;" in html and "&lt;b&gt;" in html
    rendered = MarkdownIt().render(read)
    assert rendered.count("<h1>") == 1 and rendered.count("<h2>") == 3, "a bank's text opens no heading"
    assert not re.findall(r"<(?:script|b|i)>", rendered) and "<strong>bold" not in rendered
    assert "<code>`&lt;b&gt;`</code>" in rendered and "<strong>a_b</strong>" in rendered
    blocks = re.findall(r"<pre><code>(.*?)</code></pre>", rendered, re.DOTALL)
    assert len(blocks) == 3 + 6 and nasty in unescape(blocks[0]) and "````\n# x" in unescape(blocks[1])


def test_the_cost_of_a_query_counts_the_selection_and_prefers_money() -> None:
    row = {
        "prompt_tokens": 60,
        "completion_tokens": 20,
        "selection_prompt_tokens": 15,
        "selection_completion_tokens": 5,
    }
    assert cost(row, 10) == 10 and cost(row | {"money": 3.0}, 10) == pytest.approx(0.3)


def test_bootstrap_finds_a_known_interval() -> None:
    x = np.random.default_rng(0).normal(2.0, 1.0, 400)
    interval = bootstrap(x, 1, 4000)
    half = 1.96 * x.std() / math.sqrt(len(x))
    assert interval.mean == pytest.approx(x.mean())
    assert interval.low == pytest.approx(x.mean() - half, abs=0.15 * half)
    assert interval.high == pytest.approx(x.mean() + half, abs=0.15 * half)
    assert bootstrap(x, 1, 4000) == interval != bootstrap(x, 2, 4000)


@settings(max_examples=30)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.integers(0, 3))
def test_bootstrap_of_a_pair_is_minus_that_of_the_other_order(values: list[float], seed: int) -> None:
    zeros = [0.0] * len(values)
    one, other = compare(values, zeros, seed, 200, 0.9), compare(zeros, values, seed, 200, 0.9)
    assert one["diff"] == pytest.approx(-other["diff"], abs=1e-6)
    assert one["low"] == pytest.approx(-other["high"], abs=2e-6) and one["p"] == other["p"]


@pytest.mark.parametrize("n", [2, 37, 4000])
def test_bootstrap_is_two_percentiles_of_the_means_of_seeded_draws(n: int) -> None:
    x = np.random.default_rng(n).normal(0.3, 1.0, n)
    means = x[np.random.default_rng(5).integers(0, n, (600, n))].mean(axis=1)
    interval = bootstrap(x, 5, 600, 0.9)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(means, [0.05, 0.95])), abs=1e-12)


def test_bootstrap_of_few_or_equal_values() -> None:
    assert bootstrap([0.5], 1) == Interval(0.5, 0.5, 0.5)
    assert bootstrap([2.0] * 9, 1) == Interval(2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match=r"expected a row of values, got shape \(0,\)"):
        bootstrap([], 1)


def test_sign_test_is_the_exact_binomial() -> None:
    assert sign_test([1, 1, 1, 1, 1, 0, 0]) == pytest.approx(2 / 32)
    assert sign_test([1] * 8 + [-1] * 2) == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert sign_test([0, 0]) == 1.0 and sign_test([1, -1]) == 1.0


def test_queries_needed_shrinks_with_the_effect_squared() -> None:
    differences = [1, -1, 0, 0] * 25
    small, large = queries_needed(differences, 0.02), queries_needed(differences, 0.04)
    assert small is not None and large is not None and small == pytest.approx(4 * large, rel=0.01)
    assert small == pytest.approx((1.96 + 0.8416) ** 2 * 0.505 / 0.0004, rel=0.01)
    assert queries_needed([0.0] * 10, 0.02) is None
