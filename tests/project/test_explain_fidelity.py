"""benchmarks/explain_fidelity.py: what deletes words, counts texts, and names a missing library."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skillshot import Selector
from skillshot.common.arrays import Doubles, Floats

PATH = Path(__file__).resolve().parents[2] / "benchmarks/explain_fidelity.py"
QUESTIONS = [
    "A train covers 60 miles in 3 hours. How many miles does it cover in one hour?",
    "Too short.",
    "Mia has 12 apples and gives 5 of them to Tom. How many apples are left?",
]


@pytest.fixture(scope="module")
def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("explain_fidelity", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_methods_are_compared_on_the_same_questions(benchmark: Any, bundle: Path) -> None:
    def nothing(policy: Any, text: str, rows: Floats) -> Doubles:
        policy([text, text])
        assert rows.ndim == 2
        return np.zeros(len(text.split()))

    def missing(*_: Any) -> Doubles:
        import no_such_library  # type: ignore[import-not-found]  # noqa: F401

        raise AssertionError

    methods = {**benchmark.METHODS, "nothing": nothing, "missing": missing}
    found = benchmark.fidelity(Selector.load(bundle, "lite"), QUESTIONS, methods)
    assert found["questions"] == 2, "a question of a few words is left out"
    assert found["missing"] == {"skipped": "no_such_library is not installed: pip install no_such_library"}
    assert found["nothing"]["texts"] == 2 and found["named_first"]["texts"] == 134
    assert found["leave_one_out"]["texts"] == np.mean([len(QUESTIONS[0].split()), len(QUESTIONS[2].split())])
    for name in ("leave_one_out", "nothing", "random"):
        less = found[name]["ours_less"]["share_replaced"]
        assert less["low"] <= less["mean"] <= less["high"]
        assert less["mean"] == pytest.approx(found["named_first"]["share_replaced"] - found[name]["share_replaced"])


@pytest.mark.parametrize("name", ["kernel_shap", "lime"])
def test_a_library_finds_the_word_that_counts(benchmark: Any, name: str) -> None:
    pytest.importorskip("shap" if name == "kernel_shap" else "lime", reason=f"{name}: pip install shap lime")

    def policy(texts: list[str]) -> Floats:
        return np.array([["seven" in text.split()] for text in texts], np.float32)

    values = benchmark.RIVALS[name](policy, "one and six and seven and one", np.ones((2, 1), np.float32))
    assert values.shape == (7,) and values.argmax() == 4
