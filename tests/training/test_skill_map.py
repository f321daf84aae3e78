"""Clusters of skills: as many as there are, for a bank of any size."""

from __future__ import annotations

import numpy as np
import pytest

from skillshot.common.arrays import Floats
from skillshot.common.record import Record
from skillshot.training import skill_map as module
from skillshot.training.skill_map import SkillMap, skill_map

KINDS = (("multiply the price", "price"), ("subtract what is left", "left"), ("divide among friends", "friends"))


def bank(n: int) -> tuple[list[Record], Floats]:
    """Records of three skills in three directions, every twentieth of none."""
    rng = np.random.default_rng(0)
    records = [
        Record(
            str(i),
            f"question {i}",
            f"we then {KINDS[i % 3][0]} and get {i}",
            metadata={"skill": KINDS[i % 3][1]},
        )
        for i in range(n)
    ]
    vectors = np.eye(3, 16)[np.arange(n) % 3] + rng.normal(0, 0.05, (n, 16))
    vectors[::20] = rng.normal(0, 1, (len(vectors[::20]), 16))
    return records, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def made() -> tuple[list[Record], Floats, SkillMap]:
    records, vectors = bank(240)
    return records, vectors, skill_map(records, vectors, 7)


def test_there_are_as_many_clusters_as_skills_the_largest_first(made: tuple[list[Record], Floats, SkillMap]) -> None:
    records, _, found = made
    assert {label.split(" ")[0] for label in found.labels} == {"multiply", "subtract", "divide"}
    sizes = [int((found.cluster == number).sum()) for number in range(3)]
    assert sizes == sorted(sizes, reverse=True) and min(sizes) > 70
    for number in range(3):
        inside = [records[i].metadata["skill"] for i in np.flatnonzero(found.cluster == number) if i % 20]
        assert len(set(inside)) == 1
    assert found.place.shape == (240, 2) and found.place.min() == 0 and found.place.max() == 1


def test_rows_beyond_the_sample_join_the_most_similar_one(
    made: tuple[list[Record], Floats, SkillMap], monkeypatch: pytest.MonkeyPatch
) -> None:
    records, vectors, _ = made
    monkeypatch.setattr(module, "SAMPLE", 100)
    found = skill_map(records, vectors, 7)
    assert 3 <= len(found.labels) <= 5
    skill = np.arange(240)[np.arange(240) % 20 > 0]
    for number in range(len(found.labels)):
        assert len(set((skill % 3)[found.cluster[skill] == number])) <= 1
    again = skill_map(records, vectors, 7)
    assert (found.cluster == again.cluster).all() and (found.place == again.place).all()


@pytest.mark.parametrize("n", [1, 2, 3, 9, 10, 12])
def test_any_bank_has_a_map(n: int) -> None:
    records, vectors = bank(n)
    for rows in (vectors, np.ones_like(vectors)):
        found = skill_map(records, rows, 7)
        assert len(found.cluster) == len(found.place) == n and np.isfinite(found.place).all()
        assert len(found.labels) == found.cluster.max() + 1
