"""Steps of a rationale and their kinds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.common.errors import BundleError
from skillshot.features.channels import RATIONALE
from skillshot.features.lexical import LexicalView
from skillshot.features.rationale import RationaleView
from skillshot.features.steps import FILES, StepView, grams, split
from skillshot.features.tokens import MOST

SQL = "SELECT name FROM a LEFT JOIN b ON a.x = b.x WHERE y > 3 AND z = 1 ORDER BY q LIMIT 1"
CLAUSES = ["SELECT name", "FROM a", "LEFT JOIN b ON a.x = b.x", "WHERE y > 3", "AND z = 1", "ORDER BY q", "LIMIT 1"]
VIEW = StepView(
    ("add", "return", "where"),
    ("add", "return", "return where", "where", "op +"),
    np.array([[3, 0], [0, 1], [0, 1], [0, 1], [2, 0]], np.float32),
    ((0, 1), (0, 2), (1, 1), (1, 3)),
)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("one line", ["one line"]),
        ("first\n\n second ", ["first", "second"]),
        ("He has 3.5 apples. Then 4! So 7.5", ["He has 3.5 apples.", "Then 4!", "So 7.5"]),
        ("가. 나。 다", ["가.", "나。", "다"]),
        ("* a ( x ) ; * b ( y )", ["* a ( x ) ;", "* b ( y )"]),
        (SQL, CLAUSES),
        ("Select the largest from both and add", ["Select the largest", "from both", "and add"]),
        ("a tale from the north and the south", ["a tale from the north and the south"]),
        ("", [""]),
        ("\n", ["\n"]),
    ],
)  # fmt: skip
def test_steps(text: str, steps: list[str]) -> None:
    assert split(text) == steps


@given(st.text())
def test_nothing_but_blanks_is_lost(text: str) -> None:
    assert "".join("".join(split(text)).split()) == "".join(text.split())


def test_a_kind_is_read_from_procedure_signs_and_operators() -> None:
    found = grams("Tom adds 3 + 4 = 7 apples", frozenset({"adds"}))
    assert found == {"adds", "+", "=", "op +", "adds +", "+ =", "= op +"}
    assert grams("Tom has 3 apples.", frozenset({"adds"})) == set(), "names, numbers and points are of every step"


def test_counts_are_unary() -> None:
    texts = ["add it. add it", "return it\nreturn where it", "Tom", "add. return. where. return"]
    assert [VIEW.kinds(text) for text in texts] == [[0, 0], [1, 1], [], [0, 1, 1, 1]]
    assert VIEW.transform(texts).tolist() == [[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 1]]
    assert VIEW.counts(["add\n" * 50]).tolist() == [[MOST, 0]]


@given(st.lists(st.sampled_from(["add", "return", "where", "other"]), max_size=9))
def test_a_dot_product_is_the_intersection(steps: list[str]) -> None:
    every = StepView(VIEW.words, VIEW.grams, VIEW.centres, tuple((k, m) for k in (0, 1) for m in range(1, MOST + 1)))
    text = "\n".join(["return", *steps])
    rows, counts = every.transform([text, "add\nadd\nreturn"]), every.counts([text, "add\nadd\nreturn"])
    assert rows[0] @ rows[1] == np.minimum(*counts).sum()


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    VIEW.save(tmp_path)
    loaded = StepView.load(tmp_path)
    assert (loaded.words, loaded.grams, loaded.columns) == (VIEW.words, VIEW.grams, VIEW.columns)
    np.testing.assert_array_equal(loaded.centres, VIEW.centres)


@pytest.mark.parametrize(
    ("key", "value"),
    [("columns", [[2, 1]]), ("columns", [[0, 0]]), ("columns", [[0, MOST + 1]]), ("grams", ["add"]), ("words", 3)],
)
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, key: str, value: object) -> None:
    VIEW.save(tmp_path)
    about = json.loads((tmp_path / FILES[0]).read_text())
    (tmp_path / FILES[0]).write_text(json.dumps(about | {key: value}))
    with pytest.raises(BundleError, match="steps"):
        StepView.load(tmp_path)


def test_centres_are_finite(tmp_path: Path) -> None:
    StepView(VIEW.words, VIEW.grams, VIEW.centres * np.float32("nan"), VIEW.columns).save(tmp_path)
    with pytest.raises(BundleError, match=FILES[1]):
        StepView.load(tmp_path)


@pytest.mark.parametrize("steps", [None, VIEW])
def test_a_rationale_is_its_skeleton_and_its_steps(tmp_path: Path, steps: StepView | None) -> None:
    texts = ["add one and two", "add two and one", "return one"]
    skeleton = LexicalView.learn(texts, RATIONALE)
    skeleton = skeleton.onto(np.random.default_rng(0).standard_normal((skeleton.buckets, 5)).astype(np.float32))
    view = RationaleView(skeleton, steps)
    rows = view.transform(texts)
    assert rows.shape == (3, view.width) == (3, 5 + (4 if steps else 0))
    np.testing.assert_array_equal(rows[:, :5], skeleton.transform(texts))
    view.save(tmp_path)
    loaded = RationaleView.load(tmp_path)
    assert (loaded.steps is None) == (steps is None)
    np.testing.assert_array_equal(loaded.transform(texts), rows)


def test_a_view_without_one_of_its_files_is_refused(tmp_path: Path) -> None:
    VIEW.save(tmp_path)
    (tmp_path / FILES[1]).unlink()
    with pytest.raises((BundleError, FileNotFoundError)):
        RationaleView.load(tmp_path)
