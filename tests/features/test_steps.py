"""Steps of a rationale and their kinds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.common.errors import BundleError
from skillshot.features.channels import RATIONALE
from skillshot.features.lexical import LexicalView
from skillshot.features.rationale import RationaleView
from skillshot.features.steps import FILES, LONGEST, StepNames, StepView, grams, masked, split
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


def test_names_are_saved_with_the_view(tmp_path: Path) -> None:
    assert VIEW.names is None
    names = StepNames(VIEW.columns, ("add it", "return … where …"), (0.5, 0.25, 0.75, 0.125), 1.5)
    replace(VIEW, names=names).save(tmp_path)
    assert StepView.load(tmp_path).names == StepNames.load(tmp_path) == names
    VIEW.save(tmp_path)
    assert StepView.load(tmp_path).names is None and StepNames.load(tmp_path) is None


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_counts_are_read_back_from_centred_unit_rows(kind: type[np.floating]) -> None:
    """Also of a step that all rationales have, and of one that two in a hundred thousand have."""
    counts = (np.random.default_rng(0).random((60, 4)) < 0.5).astype(np.float32)
    counts[:, 3] = 1
    means = np.append(counts.mean(0)[:2], [2e-5, 1]).astype(np.float32)
    rows = counts - means
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True) * 0.3**0.5 / 2).astype(kind)
    names = StepNames(VIEW.columns, ("a", "b"), tuple(means.tolist()), 1.0)
    np.testing.assert_array_equal(names.counts(rows), np.stack([counts[:, :2].sum(1), counts[:, 2:].sum(1)], 1))


def test_a_prediction_of_nothing_expects_what_the_bank_has() -> None:
    names = StepNames(VIEW.columns, ("a", "b"), (0.5, 0.25, 0.75, 0.0), 2.0)
    np.testing.assert_allclose(names.expected(np.zeros(4, np.float32)), [0.75, 0.75])
    np.testing.assert_allclose(names.expected(np.array([0.1, 0, 9, -9], np.float32)), [0.95, 1])


def test_a_name_holds_no_word_of_a_story() -> None:
    assert masked("Ann, Bob add 3 + 4 to Cem's jar.", frozenset({"add", "to"})) == "… , … add 0 + 0 to … ."
    assert len(masked("add 1 " * 99, frozenset({"add"}))) == LONGEST


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
