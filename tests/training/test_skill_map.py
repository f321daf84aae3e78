"""The map of skills: as many clusters as there are, and a page that nothing in a bank can break."""

from __future__ import annotations

import base64
import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skillshot.common.arrays import Floats
from skillshot.common.record import Record
from skillshot.common.templates import digest
from skillshot.training import skill_map as module
from skillshot.training.skill_map import SkillMap, skill_map, write_map

KINDS = (("multiply the price", "price"), ("subtract what is left", "left"), ("divide among friends", "friends"))
EVIL = "</script><script>alert(1)</script>"


def bank(n: int) -> tuple[list[Record], Floats]:
    """Records of three skills in three directions, every twentieth of none; a script in one question."""
    rng = np.random.default_rng(0)
    records = [
        Record(
            str(i),
            f"question {i}" if i else EVIL,
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


def data_of(page: str) -> tuple[dict[str, Any], np.ndarray]:
    """What the page draws from, and its points (m, 3): x, y, number of the cluster from 1."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    return data, np.frombuffer(base64.b64decode(data["points"]), "<u2").reshape(-1, 3)


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
def test_any_bank_has_a_map(n: int, tmp_path: Path) -> None:
    records, vectors = bank(n)
    for rows in (vectors, np.ones_like(vectors)):
        found = skill_map(records, rows, 7)
        assert len(found.cluster) == len(found.place) == n and np.isfinite(found.place).all()
        write_map(tmp_path / "map.html", records, found, "skill")
        assert len(data_of((tmp_path / "map.html").read_text())[1]) == n


def test_the_page_holds_every_point_and_no_script_of_the_bank(
    made: tuple[list[Record], Floats, SkillMap], tmp_path: Path
) -> None:
    records, _, found = made
    write_map(tmp_path / "map.html", records, found, "skill")
    page = (tmp_path / "map.html").read_text()
    data, points = data_of(page)
    assert len(points) == 240 and np.bincount(points[:, 2], minlength=4)[1:].tolist() == [
        (found.cluster == number).sum() for number in range(3)
    ]
    assert EVIL in data["texts"] and EVIL not in page and set(data["field"]) == {"price", "left", "friends"}
    for number, (label, *_) in enumerate(data["clusters"]):  # the first points are the examples
        assert label == found.labels[number] and points[number, 2] == number + 1
    write_map(tmp_path / "again.html", records, found, "skill")
    assert (tmp_path / "again.html").read_text() == page


def test_the_page_runs_its_own_script_and_loads_nothing(
    made: tuple[list[Record], Floats, SkillMap], tmp_path: Path
) -> None:
    write_map(tmp_path / "map.html", made[0], made[2])
    page = (tmp_path / "map.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert f"script-src '{digest(script)}'\"" in page and "default-src 'none'" in page
    assert page.count("<script") == 2 and not re.search(r"https?:|\ssrc=|@import|url\(", page)


def test_the_picture_can_be_read_without_seeing_it(made: tuple[list[Record], Floats, SkillMap], tmp_path: Path) -> None:
    records, _, found = made
    write_map(tmp_path / "map.html", records, found, "skill")
    page = (tmp_path / "map.html").read_text()
    alt = re.search(r'<canvas role="img" aria-label="([^"]+)"', page)
    assert alt is not None and all(label in alt[1] for label in found.labels)
    listed = re.findall(
        r"<strong>([^<]+)</strong> <span class=\"soft\">(\d+)</span><span class=\"soft example\">", page
    )
    assert [name for name, _ in listed] == found.labels
    assert sum(int(size) for _, size in listed) + (found.cluster < 0).sum() == 240
    assert "adjusted Rand index" in page


def test_a_page_of_many_long_questions_stays_small(tmp_path: Path) -> None:
    n = 60_000
    record = Record("1", "<" * 500, "r", metadata={"f": "&" * 60})
    rng = np.random.default_rng(0)
    found = SkillMap(rng.integers(-1, 90, n), [f"{'<' * 300}{i}" for i in range(90)], rng.random((n, 2), np.float32))
    write_map(tmp_path / "map.html", [record] * n, found, "f")
    assert (tmp_path / "map.html").stat().st_size < 3_000_000
    assert len(data_of((tmp_path / "map.html").read_text())[1]) == 50_000


def test_near_clusters_differ_in_colour() -> None:
    line = np.column_stack([np.arange(12) / 12, np.zeros(12)]).astype(np.float32)
    colours = module._colours(line)
    assert set(colours) == set(range(6)) and all(one != two for one, two in itertools.pairwise(colours))
