"""Labels of clusters: what is particular to one, in words of its rationales, no two the same."""

from __future__ import annotations

import numpy as np
import pytest

from skillshot.training.cluster_labels import cluster_labels

KINDS = ("multiply the price", "subtract what is left", "divide among friends")


def test_a_cluster_is_named_by_what_the_others_lack() -> None:
    texts = [f"we then {KINDS[i % 3]} and get the answer {i}" for i in range(30)]
    assert cluster_labels(texts, np.arange(30) % 3) == list(KINDS)


def test_a_second_term_separates_what_one_does_not() -> None:
    texts = ["add. halve"] * 10 + ["add. double"] * 10 + ["halve. count"] * 10 + ["double. count"] * 10
    labels = cluster_labels(texts, np.repeat([0, 1, 2, 3], 10))
    assert {frozenset(label.split(" · ")) for label in labels} == {
        frozenset({a, b}) for a in ("add", "count") for b in ("halve", "double")
    }


def test_equal_clusters_get_different_labels_and_rows_in_none_get_no_label() -> None:
    labels = cluster_labels(["add the two"] * 20 + ["subtract"] * 40, np.repeat([0, 1, -1], [10, 10, 40]))
    assert labels == ["add the two (1)", "add the two (2)"]
    assert cluster_labels(["1 + 1", "2"], np.array([0, 1])) == ["unnamed (1)", "unnamed (2)"]
    assert cluster_labels(["a"], np.array([-1])) == []


@pytest.mark.parametrize("texts", [["두 수를 더한다", "거리를 시간으로 나눈다"], ["把两个数相加", "用时间除距离"]])
def test_other_scripts(texts: list[str]) -> None:
    one, two = cluster_labels(texts * 6, np.tile([0, 1], 6))
    assert one and two and one != two and "unnamed" not in one + two
