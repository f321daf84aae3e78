"""benchmarks/rivals.py computes what the papers define; benchmarks/halves.py cuts and measures as its page states."""

from __future__ import annotations

import gzip
import importlib.util
import itertools
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


rivals = load("rivals")
load("skill_slices")
halves = load("halves")


def unit(*rows: tuple[float, ...]) -> np.ndarray:
    found = np.array(rows, np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def random_unit(rng: np.random.Generator, rows: int) -> np.ndarray:
    return unit(*rng.normal(size=(rows, 5)))


def test_set_bsr_is_the_greedy_set_of_the_highest_recall() -> None:
    rng = np.random.default_rng(0)
    query, candidates = random_unit(rng, 6), [random_unit(rng, int(n)) for n in rng.integers(1, 7, 9)]

    def recall(places: list[int]) -> float:
        tokens = np.concatenate([candidates[place] for place in places])
        return float(sum(max(float(x @ z) for z in tokens) for x in query))

    expected: list[int] = []
    for _ in range(4):
        expected.append(max(set(range(9)) - set(expected), key=lambda place: recall([*expected, place])))
    assert rivals.set_bsr(query, candidates, 4).tolist() == expected
    pairs = [recall(list(pair)) for pair in itertools.combinations(range(9), 2)]
    assert recall(expected[:2]) >= (1 - 1 / np.e) * max(pairs)


def test_set_bsr_covers_what_is_left_and_starts_again_where_all_is_covered() -> None:
    east, north = (1.0, 0.0), (0.0, 1.0)
    candidates = [unit(east), unit(east), unit(north), unit((-1.0, 0.0))]
    assert rivals.set_bsr(unit(east, east, north), candidates, 3).tolist() == [0, 2, 1], "top-k would be 0, 1, 2"
    assert len(set(rivals.set_bsr(unit(east), candidates, 9).tolist())) == 4


def test_vote_k_passes_over_what_a_chosen_row_represents() -> None:
    vectors = unit((1, 0.02, 0), (1, 0.01, 0), (0, 1, 0.01), (0, 1, 0.02), (0, 0.3, 1))
    scores = np.array([0.9, 0.8, 0.5, 0.4, 0.3], np.float32)
    assert rivals.vote_k(scores, vectors, 3, voices=2).tolist() == [0, 2, 4]
    assert rivals.vote_k(scores, vectors, 3, voices=1).tolist() == [0, 1, 2], "without votes for others: by similarity"
    # 0.8 / fade against 0.5
    assert rivals.vote_k(scores, vectors, 2, voices=2, fade=1.5).tolist() == [0, 1]
    assert sorted(rivals.vote_k(scores, vectors, 9).tolist()) == [0, 1, 2, 3, 4]


def test_warped_is_the_cheapest_path_of_all_and_0_for_repeated_steps() -> None:
    rng = np.random.default_rng(1)
    points = random_unit(rng, 4)
    cost = 1 - points @ points.T

    def cheapest(one: list[int], other: list[int]) -> float:
        """By recursion over the last step of the path."""
        if not one and not other:
            return 0.0
        if not one or not other:
            return float("inf")
        here = float(cost[one[-1], other[-1]])
        both, left, right = (one[:-1], other[:-1]), (one[:-1], other), (one, other[:-1])
        return min(cheapest(*left) + here, cheapest(*right) + here, cheapest(*both) + 2 * here)

    one, others = [0, 2, 1], [[0, 2, 1], [1, 3], [3], [0, 0, 2, 2, 1], [2, 1, 0, 3]]
    expected = [cheapest(one, other) / (len(one) + len(other)) for other in others]
    found = rivals.warped(one, others, cost)
    assert found == pytest.approx(expected, abs=1e-5)
    assert found[[0, 3]] == pytest.approx([0, 0], abs=1e-5) and (found[[1, 2, 4]] > 0.01).all()
    assert rivals.warped([], others, cost).tolist() == [np.inf] * 5
    assert rivals.warped(one, [[], [1]], cost)[0] == np.inf


def test_a_predicted_sequence_has_the_expected_steps_in_the_order_of_the_bank() -> None:
    place = np.array([0.9, 0.1, 0.5])
    assert rivals.sequence_of(np.array([1.1, 1.8, 0.2]), place) == [1, 1, 0]
    assert rivals.sequence_of(np.array([0.0, 0.1, 0.2]), place) == [2], "at least one"


def test_the_union_of_lists_is_measured_by_what_is_missing_and_what_is_superfluous() -> None:
    assert halves.union_f1(("+", "+", "-"), [("+",), ("+", "+", "*")]) == pytest.approx(2 * 2 / (3 + 3))
    assert halves.union_f1(("+",), [()]) == 0
    assert halves.measured(("+", "-"), [("+", "-"), ("+",), ("-", "+"), ("*",)]) == pytest.approx((0.8, 2.5 / 4))
    assert halves.measured("a", ["a", "b", "b", "a"]) == (0.5, 1.0)


def test_the_bound_takes_what_the_label_needs() -> None:
    lists = [("*",), ("+", "*"), ("-",), ("+",), ("-", "-")]
    chosen = halves.best(("+", "-", "-"), lists)
    assert chosen[:2] == [4, 3] and len(set(chosen)) == 4
    assert halves.best("a", ["b", "a", "c", "a", "b", "b"]) == [1, 3, 0, 2]


def test_a_half_is_the_same_again_and_shares_no_group_with_the_other(tmp_path: Path) -> None:
    things = ["pens", "eggs", "cups", "hats", "keys", "maps", "nuts", "pots", "rugs", "toys"]
    rows = [
        {
            "id": f"spider-{i}", "question": f"How many {thing} cost more than {i}?", "answer": f"SELECT {i}",
            "rationale": f"SELECT count(*) FROM {thing} WHERE cost > {i}", "answer_type": "sql", "db_id": thing,
            "op_sequence": ["select", "filter"] if i % 3 else ["select"],
        }
        for i, thing in enumerate(things * 6)
    ]  # fmt: skip
    (tmp_path / "spider").mkdir()
    with gzip.open(tmp_path / "spider/train.jsonl.gz", "wt") as handle:
        handle.writelines(json.dumps(row) + "\n" for row in rows)
    bank, queries = halves.half("spider", "final", 1, 50, tmp_path)
    assert (bank, queries) == halves.half("spider", "final", 1, 50, tmp_path)
    other = halves.half("spider", "development", 1, 50, tmp_path)
    bases = [{record.metadata["db_id"] for record in side} for side in (bank, queries, other[0] + other[1])]
    assert all(bases) and not bases[0] & bases[1] and not (bases[0] | bases[1]) & bases[2]
    assert halves.half("spider", "final", 1, 2, tmp_path)[1] == queries[:2]
    assert halves.half("spider", "final", 2, 50, tmp_path)[0] != bank
    assert not any(record.metadata for record in halves.blind(bank))
