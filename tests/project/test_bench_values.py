"""benchmarks/bench_values.py with a model that is a function: what it correlates, what it separates, what it counts."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import tiny_bundle
from helpers.llm_fakes import FakeEngine
from skillshot.common.params import EvaluateParams
from skillshot.common.record import Record
from skillshot.evaluation.values import shapley
from skillshot.llm.engine import Scored

PATH = Path(__file__).resolve().parents[2] / "benchmarks/bench_values.py"
PARAMS = EvaluateParams(bootstrap=50)


class Rational(FakeEngine):
    """Each demonstration of the bank helps if its rationale is its own, and harms if it is not."""

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> Iterator[tuple[int, Scored]]:
        own = {f"{record.question}\nAnswer: {record.rationale}" for record in tiny_bundle.records()}
        asked = {record.question for record in tiny_bundle.records()}
        for i, (prompt, _) in enumerate(zip(prompts, continuations, strict=True)):
            good = sum(text in prompt for text in own)
            bad = sum(question in prompt for question in asked) - good
            yield i, Scored(((good - bad) / 10 - 1,), len(prompt))


@pytest.fixture(scope="module")
def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("bench_values", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_bundle.make(tmp_path_factory.mktemp("tiny") / "bundle"))


@pytest.fixture(scope="module")
def chosen(benchmark: Any, bundle_folder: str) -> Any:
    return benchmark.Chosen(bundle_folder, tiny_bundle.records(10, 100), 4)


@pytest.fixture(autouse=True)
def few_resamples(benchmark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "RESAMPLES", 30)


def test_predictions_have_a_number_for_each_demonstration(chosen: Any) -> None:
    found = chosen.predictions()
    assert all([len(values) for values in sets] == [4] * 10 for sets in found.values())
    for i, one in enumerate(chosen.sets):
        assert found["score"][i].tolist() == [demonstration.score for demonstration in one]
        assert found["score_minus_mean"][i].sum() == pytest.approx(0, abs=1e-6)
        covered = chosen._covered(chosen.queries[i], np.array([chosen.places[d.id] for d in one]))
        assert covered[0] == 0 and (np.diff(covered[[0, 1, 3, 7, 15]]) >= -1e-9).all(), "more members cover more"
        assert found["coverage_shapley"][i] == pytest.approx(shapley(covered))


def test_gain_correlates_every_prediction_with_the_exact_value(benchmark: Any, chosen: Any) -> None:
    class Scorer(FakeEngine):
        """The value of a demonstration is its score."""

        def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> Iterator[tuple[int, Scored]]:
            for i, (prompt, _) in enumerate(zip(prompts, continuations, strict=True)):
                one = next(s for q, s in zip(chosen.queries, chosen.sets, strict=True) if q.question in prompt)
                yield i, Scored((sum(d.score for d in one if d.question in prompt) - 9,), 1)

    found = benchmark.gain(chosen, Scorer(), PARAMS, 0)
    assert found["prompts"] == 160
    assert found["spearman"]["score"]["within"]["mean"] == pytest.approx(1, abs=1e-3)
    assert found["spearman"]["score"]["over_all"]["low"] > 0.99
    assert found["spearman"]["score_minus_mean"]["over_all_minus_mean"]["low"] > 0.99
    for one in found["spearman"].values():
        assert one["within"]["low"] <= one["within"]["mean"] <= one["within"]["high"]


def test_damaged_rows_are_separated_by_their_values(benchmark: Any, chosen: Any) -> None:
    found = benchmark.damage(chosen, Rational(), PARAMS, 0, 0.3)
    assert 2 <= found["damaged"] < found["rows"]
    for kind in ("shapley", "leave_one_out"):
        assert found["values"][kind]["auroc"]["mean"] == 1
        assert found["values"][kind]["damaged_in_worst_tenth"]["mean"] == 1
    names, values = [["a", "b"], ["b", "c"], ["d"]], [np.array([3.0, -2]), np.array([0.0, 2]), np.zeros(0)]
    assert benchmark.separation(values, names, {"b"}, [0, 1, 2]) == (1, 1)
    assert benchmark.separation(values, names, {"a"}, [0, 1]) == (0, 0)
    assert np.isnan(benchmark.separation(values, names, {"x"}, [0, 1])[0])


def test_spearman_is_that_of_ranks(benchmark: Any) -> None:
    assert benchmark.spearman(np.array([1.0, 2, 9]), np.array([0.1, 5, 6])) == pytest.approx(1)
    assert benchmark.spearman(np.array([1.0, 2, 9]), np.array([3.0, 2, 1])) == pytest.approx(-1)
    assert np.isnan(benchmark.spearman(np.ones(3), np.array([3.0, 2, 1])))


def test_queries_without_gold_have_no_values(benchmark: Any, chosen: Any) -> None:
    queries = [Record("none", "Why?", "", ""), *chosen.queries[:2]]
    valued = benchmark.demonstration_values(Rational(), queries, chosen.records[:3], PARAMS, 0)
    assert [len(values) for values in benchmark.by_query(valued, queries, "shapley")] == [0, 4, 4]


def test_a_bank_without_rationales_has_none_to_damage(benchmark: Any, chosen: Any) -> None:
    with pytest.raises(SystemExit, match=r"0 of the \d+ chosen rows can be damaged"):
        benchmark.damage(chosen, Rational(), PARAMS, 0, 0.0)


@pytest.mark.weights
def test_tokens_are_counted_with_a_model_that_reads_nothing(benchmark: Any, bundle_folder: str) -> None:
    pytest.importorskip("torch")
    found = benchmark.tokens(bundle_folder, tiny_bundle.records(2, 100), 3)
    assert found["subsets"]["read"] < found["orders"]["read"] < found["orders"]["tokens"]
    assert 0.3 < found["subsets"]["share"] < 0.95
