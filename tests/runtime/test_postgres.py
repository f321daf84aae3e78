"""What of a bank in a database needs no database."""

from __future__ import annotations

import struct
from importlib.util import find_spec

import numpy as np
import pytest

from skillshot.common.errors import InputError, SkillshotError
from skillshot.common.extras import MissingPackageError
from skillshot.runtime.postgres import Database, DatabaseCandidates, _condition, _rows, spelled, table_of


def sent(row: np.ndarray) -> bytes:
    """What `halfvec_send` gives: width, a zero, big-endian halves."""
    return struct.pack(">hh", len(row), 0) + row.astype(">f2").tobytes()


def line(row: int, vector: np.ndarray) -> tuple[object, ...]:
    return row, -row, f'{{"id": "row-{row}", "question": "Q{row}?"}}', sent(vector), 7


def test_a_vector_is_written_and_read_exactly() -> None:
    row = np.array([0.5, -0.25, 6e-5, 0, 1], np.float32).astype(np.float16)
    read = np.array(spelled(row.astype(np.float32))[1:-1].split(","), float)
    assert read.astype(np.float16).tolist() == row.tolist()
    assert _rows([sent(row), sent(-row)], 5).tolist() == [row.tolist(), (-row).tolist()]
    assert _rows([], 5).shape == (0, 5)


def test_candidates_are_put_in_the_order_of_exact_scores() -> None:
    vectors = np.array([[0.5, 0.5], [0.5, 0.625], [0.5, 0.5]], np.float32)
    found = DatabaseCandidates("bank", [line(i, v) for i, v in enumerate(vectors, 3)], np.array([0, 1], np.float32))
    assert found.rows.tolist() == [4, 3, 5] and found.scores.tolist() == [0.625, 0.5, 0.5]
    assert found.keys.tolist() == [2**64 - 4, 2**64 - 3, 2**64 - 5] and found.state == "bank@7"
    assert found.record(0).id == "row-4" and found.vectors(np.array([0, 2])).tolist() == vectors[[1, 2]].tolist()
    empty = DatabaseCandidates("bank", [], np.zeros(2, np.float32))
    assert len(empty.rows) == len(empty.scores) == 0 and empty.state == "bank"


def test_values_of_a_filter_never_enter_the_sql() -> None:
    where = {"x'); DROP TABLE y; --": "a' OR 'b", "grade": 8, "nothing": None}
    sql, values = _condition(where)
    assert not any(part in sql for part in ("DROP", "OR ", "grade", "8")) and sql.count("%s") == len(values) == 6
    assert sql.endswith("AND false") and values[3:] == ['{"grade": 8}', "grade", "8"]


def test_a_table_belongs_to_the_files_that_make_its_rows() -> None:
    names = [f"model/{view}/{name}" for view in ("question_view", "rationale_view") for name in
             ("lexical.json", "keys.npy", "weights.npy", "slots.npy", "projection.npy")]  # fmt: skip
    files = {name: {"sha256": "0"} for name in (*names, "model/skillshot_posterior.onnx", "model/lite.onnx")}
    facts = {"files": files, "score": {"lite": {}}}
    tuned = {"files": files | {"model/lite.onnx": {"sha256": "1"}}, "score": {"lite": {}}}
    other = {"files": files | {"model/skillshot_posterior.onnx": {"sha256": "1"}}, "score": {"lite": {}}}
    assert table_of(facts) == table_of(tuned) != table_of(other)
    assert table_of(facts).removeprefix("skillshot_").isalnum()


def test_an_address_of_something_else_is_refused_without_its_password() -> None:
    with pytest.raises(InputError, match="expected postgresql://USER@HOST/DATABASE") as caught:
        Database("mysql://me:secret@host/db")
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(find_spec("psycopg") is not None, reason="needs an environment without psycopg")
def test_without_the_package_the_extra_is_named() -> None:
    with pytest.raises(MissingPackageError, match="psycopg is not installed: pip install") as caught:
        Database("postgresql://host/db")
    assert isinstance(caught.value, SkillshotError)
