"""Views of a skill map: a page that nothing in a bank can break, and that can be read without seeing it."""

from __future__ import annotations

import base64
import itertools
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from skillshot.common.record import Record
from skillshot.common.sinks import one_line
from skillshot.common.templates import digest
from skillshot.training.map_views import COLOURS, _colours, draw_map, write_map
from skillshot.training.skill_map import SkillMap

EVIL = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def made() -> tuple[list[Record], SkillMap]:
    """120 records in three clusters of 60, 36 and 18, six in none; a script in one question."""
    rng = np.random.default_rng(0)
    cluster = np.repeat([0, 1, 2, -1], [60, 36, 18, 6])
    records = [
        Record(str(i), f"question {i}" if i else EVIL, "so", metadata={"skill": f"s{cluster[i]}"}) for i in range(120)
    ]
    place = np.array([[0, 0], [1, 0], [0.5, 1], [0.5, 0.5]])[cluster] + rng.normal(0, 0.02, (120, 2))
    place = (place - place.min(axis=0)) / np.ptp(place, axis=0)
    return records, SkillMap(cluster, ["total price", "더한다", "\x1b[31m <b>"], place.astype(np.float32))


def data_of(page: str) -> tuple[dict[str, Any], np.ndarray]:
    """What the page draws from, and its points (m, 3): x, y, number of the cluster from 1."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    return data, np.frombuffer(base64.b64decode(data["points"]), "<u2").reshape(-1, 3)


def test_the_page_holds_every_point_and_no_script_of_the_bank(
    made: tuple[list[Record], SkillMap], tmp_path: Path
) -> None:
    records, found = made
    write_map(tmp_path / "map.html", records, found, "skill")
    page = (tmp_path / "map.html").read_text()
    data, points = data_of(page)
    assert len(points) == 120 and np.bincount(points[:, 2], minlength=4)[1:].tolist() == [
        (found.cluster == number).sum() for number in range(3)
    ]
    assert EVIL in data["texts"] and EVIL not in page and set(data["field"]) == {"s0", "s1", "s2", "s-1"}
    for number, (label, *_) in enumerate(data["clusters"]):  # the first points are the examples
        assert label == one_line(found.labels[number]) and points[number, 2] == number + 1
    write_map(tmp_path / "again.html", records, found, "skill")
    assert (tmp_path / "again.html").read_text() == page


def test_the_page_runs_its_own_script_and_loads_nothing(made: tuple[list[Record], SkillMap], tmp_path: Path) -> None:
    write_map(tmp_path / "map.html", *made)
    page = (tmp_path / "map.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert f"script-src '{digest(script)}'\"" in page and "default-src 'none'" in page
    assert page.count("<script") == 2 and not re.search(r"https?:|\ssrc=|@import|url\(", page)


def test_the_picture_can_be_read_without_seeing_it(made: tuple[list[Record], SkillMap], tmp_path: Path) -> None:
    records, found = made
    write_map(tmp_path / "map.html", records, found, "skill")
    page = (tmp_path / "map.html").read_text()
    alt = re.search(r'<canvas role="img" aria-label="([^"]+)"', page)
    assert alt is not None and "120 examples in 3 clusters, the largest: total price (60), 더한다 (36)" in alt[1]
    listed = re.findall(
        r"<strong>([^<]+)</strong> <span class=\"soft\">(\d+)</span><span class=\"soft example\">", page
    )
    assert [unescape(name) for name, _ in listed] == [one_line(name) for name in found.labels]
    assert sum(int(size) for _, size in listed) + (found.cluster < 0).sum() == 120
    assert "adjusted Rand index 1.00, homogeneity 1.00" in page


def test_a_page_of_many_long_questions_stays_small(tmp_path: Path) -> None:
    n = 60_000
    record = Record("1", "<" * 500, "r", metadata={"f": "&" * 60})
    rng = np.random.default_rng(0)
    found = SkillMap(rng.integers(-1, 90, n), [f"{'<' * 300}{i}" for i in range(90)], rng.random((n, 2), np.float32))
    write_map(tmp_path / "map.html", [record] * n, found, "f")
    assert (tmp_path / "map.html").stat().st_size < 3_000_000
    assert len(data_of((tmp_path / "map.html").read_text())[1]) == 50_000


def test_an_empty_map_has_a_page_and_a_picture(tmp_path: Path) -> None:
    found = SkillMap(np.array([-1, -1]), [], np.zeros((2, 2), np.float32))
    write_map(tmp_path / "map.html", [Record("1", "a", "b"), Record("2", "c", "d")], found)
    draw_map(tmp_path / "map.png", found)
    assert "2 examples, 0 clusters" in (tmp_path / "map.html").read_text()


def test_near_clusters_differ_in_colour() -> None:
    line = np.column_stack([np.arange(12) / 12, np.zeros(12)]).astype(np.float32)
    colours = _colours(line)
    assert set(colours) == set(range(len(COLOURS))) and all(one != two for one, two in itertools.pairwise(colours))


def test_the_picture_has_the_same_bytes_each_time_and_a_description(
    made: tuple[list[Record], SkillMap], tmp_path: Path
) -> None:
    for name in ("one.png", "two.png"):
        draw_map(tmp_path / name, made[1])
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    picture = Image.open(tmp_path / "one.png")
    assert picture.width > 900 and "the largest: total price (60), 더한다 (36)" in picture.info["Description"]
    assert len(set(picture.convert("RGB").getdata())) > 20
