"""A row that is marked as wrong stays in the bank, scores nothing, and can be marked as right again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conftest import Shared
from helpers import tiny_bundle
from skillshot import Selector
from skillshot.bundle.edit import add, mark
from skillshot.common.errors import InputError
from skillshot.runtime.manifest import check_files, read_manifest


@pytest.fixture
def tiny(shared: Shared, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared("tiny", tiny_bundle.make), tmp_path / "tiny"))


def test_a_marked_row_stays_and_scores_nothing(tiny: Path) -> None:
    before = {record.id: record for record in tiny_bundle.records()}
    assert mark(tiny, ["row-3", "row-5"], correct=False) == 2
    check_files(tiny, read_manifest(tiny))
    selector = Selector.load(tiny)
    records = [selector.record(row) for row in range(len(selector))]
    assert {record.id for record in records} == before.keys()
    marked = {record.id: row for row, record in enumerate(records) if not record.correct}
    assert marked.keys() == {"row-3", "row-5"}
    assert records[marked["row-3"]].question == before["row-3"].question
    assert not np.any(selector.vectors[list(marked.values())][:, :-1])  # the last column only fills to length 1
    assert selector.select("Ann has pens", k=30, where={"correct": False})


def test_marked_as_right_it_has_the_vectors_that_add_gives(tiny: Path) -> None:
    mark(tiny, ["row-3"], correct=False)
    assert np.abs(Selector.load(tiny).vectors[-1][:-1]).max() == 0
    mark(tiny, ["row-3"], correct=True)
    selector = Selector.load(tiny)
    assert selector.record(len(selector) - 1).correct and len(selector) == tiny_bundle.ROWS
    vector = np.array(selector.vectors[-1])
    selector = selector.remove("row-3").add([tiny_bundle.records()[3]])
    np.testing.assert_allclose(vector, selector.vectors[-1], atol=1e-6)


def test_an_added_row_may_be_marked_already(tiny: Path) -> None:
    record = tiny_bundle.records()[3]
    wrong = replace(record, id="wrong", metadata={**record.metadata, "correct": False})
    assert add(tiny, [wrong, replace(record, id="right")]) == tiny_bundle.ROWS + 2
    left, right = Selector.load(tiny).vectors[-2:, :-1]
    assert not left.any() and right.any()


def test_an_unknown_id_changes_nothing(tiny: Path) -> None:
    before = read_manifest(tiny)
    with pytest.raises(InputError, match="has no demonstration 'nobody'"):
        mark(tiny, ["row-1", "nobody"], correct=False)
    assert read_manifest(tiny) == before


def test_all_rows_may_be_wrong(tiny: Path) -> None:
    mark(tiny, [record.id for record in tiny_bundle.records()], correct=False)
    assert not any(Selector.load(tiny).record(row).correct for row in range(tiny_bundle.ROWS))
