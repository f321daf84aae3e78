"""A repeated query is run on an empty database: bounded in time and memory, and nothing is written."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from helpers.growth import soon
from skillshot.annotate.query import runs
from skillshot.common.record import Record

SPIDER = Record(
    "s",
    "?",
    "",
    "SELECT name FROM person WHERE age > 60",
    "person (id, name, age)\nhouse (id, owner)",
    answer_type="sql",
)
CREATED = dataclasses.replace(SPIDER, context='CREATE TABLE "person" (\n id INT PRIMARY KEY,\n name TEXT, age INT\n);')
NAMED = Record("a", "?", "", "SELECT C.NAME FROM COURSE AS C WHERE C.NUMBER = 550", answer_type="sql")
UNKNOWN = Record("u", "?", "", "SELECT name FROM person", answer_type="sql")


@pytest.mark.parametrize("record", [SPIDER, CREATED])
def test_a_query_runs_on_the_schema_of_the_context(record: Record) -> None:
    assert runs("select max(age), count(*) from person", record) is True
    assert runs("SELECT nothing FROM person", record) is False
    assert runs("SELECT name FROM", record) is False
    assert runs("this is prose", record) is False


def test_a_schema_is_made_of_the_columns_that_the_query_qualifies() -> None:
    assert runs("SELECT C.NUMBER FROM COURSE AS C", NAMED) is True
    assert runs("SELECT C.TEACHER FROM COURSE AS C", NAMED) is False


def test_where_the_gold_query_does_not_run_nothing_is_judged() -> None:
    assert runs("SELECT name FROM person", UNKNOWN) is None
    assert runs("SELECT 1", dataclasses.replace(SPIDER, answer="SELECT TOP 3 name FROM person")) is None


@pytest.mark.parametrize(
    "query",
    ["ATTACH DATABASE '{file}' AS x", "SELECT load_extension('x')",
     "WITH x AS (SELECT 1) INSERT INTO person SELECT 1,2,3",
     "SELECT 1; DROP TABLE person", "SELECT hex(zeroblob(1000000000))", "SELECT name FROM person; SELECT 1",
     "SELECT * FROM pragma_database_list"],
)  # fmt: skip
def test_only_one_select_of_small_values_runs(query: str, tmp_path: Path) -> None:
    assert runs(query.format(file=tmp_path / "made.db"), SPIDER) is False
    assert not list(tmp_path.iterdir())


def test_an_endless_query_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skillshot.annotate.query.SECONDS", 0.2)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with soon():
        assert runs(endless, SPIDER) is False


def test_a_huge_schema_is_bounded() -> None:
    wide = dataclasses.replace(
        SPIDER, context="\n".join(f"t{i} ({', '.join(f'c{j}' for j in range(900))})" for i in range(99))
    )
    with soon():
        assert runs("SELECT c1 FROM t0", wide) is None, "its gold query names none of these tables"
        for text in ("(" * 50_000, "a (" * 30_000, "create table " * 9_000, "a (b" * 20_000 + ")"):
            runs("SELECT 1", dataclasses.replace(SPIDER, context=text))
