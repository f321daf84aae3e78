"""The map of skills: clusters with distinctive names, a page that nothing in a bank can break."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skillshot.common.record import Record
from skillshot.training.skill_map import SkillMap, cluster_names, draw_map, skill_map, write_map

KINDS = (("multiply the price", "price"), ("subtract what is left", "left"), ("divide among friends", "friends"))


@pytest.fixture(scope="module")
def made() -> tuple[list[Record], np.ndarray, SkillMap]:
    """240 records of three skills in three directions, with a script in one question."""
    rng = np.random.default_rng(0)
    records = [
        Record(
            str(i),
            f"question {i}" if i else "</script><script>alert(1)</script>",
            f"we then {KINDS[i % 3][0]} and get {i}",
            metadata={"skill": KINDS[i % 3][1]},
        )
        for i in range(240)
    ]
    vectors = np.eye(3, 8)[np.arange(240) % 3] + rng.normal(0, 0.05, (240, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return records, vectors, skill_map(records, vectors, 7)


def test_clusters_hold_one_skill_each_and_there_are_as_many_as_the_bank_can_fill(
    made: tuple[list[Record], np.ndarray, SkillMap],
) -> None:
    records, vectors, found = made
    assert len(found.names) == 7  # sqrt(240 / 4)
    assert len(found.cluster) == 240 and found.place.shape == (len(found.shown), 2)
    for number in range(7):
        assert len({records[i].metadata["skill"] for i in np.flatnonzero(found.cluster == number)}) == 1
    assert len(skill_map(records[:12], vectors[:12], 7).names) == 2


def test_a_cluster_is_named_by_what_the_others_lack() -> None:
    rationales = [f"we then {KINDS[i % 3][0]} and get the answer" for i in range(30)]
    names = cluster_names(rationales, np.arange(30) % 3)
    assert [set(name.split(" · ")) & {"multiply", "subtract", "divide"} for name in names] == [
        {"multiply"}, {"subtract"}, {"divide"},
    ]  # fmt: skip
    assert not any(word in name for name in names for word in ("then", "answer"))
    assert cluster_names(["1 + 1", "2"], np.array([0, 1])) == ["skill 0", "skill 1"]


def test_the_page_holds_every_point_and_no_script_of_the_bank(
    made: tuple[list[Record], np.ndarray, SkillMap], tmp_path: Path
) -> None:
    records, _, found = made
    write_map(tmp_path / "map.html", records, found, "skill")
    page = (tmp_path / "map.html").read_text()
    assert page.count("<script>") == page.count("</script>") == 1 and "http" not in page.replace(
        "http://www.w3.org", ""
    )
    data = json.loads(re.search(r"const data = (\{.*\});\n", page).group(1))
    assert len(data["points"]) == len(found.shown) == 240
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y, *_ in data["points"])
    assert data["points"][0][3:] == ["</script><script>alert(1)</script>", "price"]
    assert sum(int(re.search(r"\((\d+)\)$", name).group(1)) for name in data["names"]) == 240


def test_the_picture_is_drawn_with_labels_next_to_it(
    made: tuple[list[Record], np.ndarray, SkillMap], tmp_path: Path
) -> None:
    records, _, found = made
    draw_map(tmp_path / "one.png", records, found)
    draw_map(tmp_path / "two.png", records, found, "skill")
    one, two = Image.open(tmp_path / "one.png"), Image.open(tmp_path / "two.png")
    assert two.width > one.width > 500 and two.height > 300
