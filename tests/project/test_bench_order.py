"""benchmarks/bench_order.py with a model that is a function: what orders are worth, and who recovers it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import tiny_bundle
from helpers.llm_fakes import FakeEngine
from skillshot.common.io import read_json
from skillshot.common.record import write_records
from skillshot.llm.engine import Scored

PATH = Path(__file__).resolve().parents[2] / "benchmarks/bench_order.py"


@pytest.fixture(scope="module")
def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("bench_order", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ShortFirst(FakeEngine):
    """A prompt whose first demonstration is short is good."""

    def score(self, prompts: Sequence[str], _: Sequence[str]) -> Iterator[tuple[int, Scored]]:
        for i, prompt in enumerate(prompts):
            self._call(prompt)
            yield i, Scored((-len(prompt.split("\n\n")[0]) / 100,), 1)


def test_all_orders_are_asked_for_and_the_rule_that_fits_recovers_all(
    benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, bundle = ShortFirst(), tiny_bundle.make(tmp_path / "tiny")
    write_records(tmp_path / "q.jsonl", tiny_bundle.records(6, 100))
    monkeypatch.setattr(benchmark, "open_engine", lambda _: engine)
    words = [str(bundle), str(tmp_path / "q.jsonl"), "--cache", str(tmp_path / "c"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["bench_order.py", *words])
    benchmark.main()
    out = read_json(tmp_path / "out")
    assert out["queries"] == 6 and 6 * 24 <= len(engine.calls) <= 6 * 27
    assert out["orders"]["short_to_long"]["share_of_oracle"]["mean"] == pytest.approx(1)
    assert out["orders"]["long_to_short"]["share_of_oracle"]["mean"] < -0.5
    assert out["variance"]["by_order"]["mean"] > 0 and set(out["choices"]) == {
        "skillshot",
        "random",
        "bm25",
        "question",
    }


def test_a_fixed_order_is_chosen_on_other_queries(benchmark: Any) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(40, 24))
    found = benchmark.summary(noise, rng.normal(size=(40, 4)), {}, 0)["orders"]
    assert (
        found["best_fixed_seen"]["nll_minus_mean"]["mean"] < 0.5 * found["best_fixed"]["nll_minus_mean"]["mean"] < 0.1
    )
    better = noise - 3 * (np.arange(24) == 7)
    assert benchmark.summary(better, noise[:, :4], {}, 0)["orders"]["best_fixed"]["share_of_oracle"]["low"] > 0.8


def test_rules_name_the_order_that_is_written(benchmark: Any) -> None:
    records = [tiny_bundle.records(1, i)[0] for i in range(3)]
    vectors = np.array([[1, 0], [0, 1], [0.8, 0.6]], np.float32)
    rules = benchmark.rules(records, vectors)
    assert rules["best_last"] == (2, 1, 0) and rules["similar_to_next"] == (1, 2, 0)
    assert rules["short_to_long"] == rules["long_to_short"][::-1]
