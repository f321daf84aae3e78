"""A bundle's bank in PostgreSQL, on a real server where the packages are installed."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conftest import Shared
from helpers import tiny_bundle
from helpers.postgres import MISSING, Server, binaries
from skillshot import Selector
from skillshot.bundle.edit import add, remove
from skillshot.cli.main import main
from skillshot.common.chain import check
from skillshot.common.errors import DatabaseError, InputError
from skillshot.runtime.postgres import BANKS, Database, spelled, table_of

pytestmark = pytest.mark.skipif(binaries() is None, reason=MISSING)
QUESTIONS = [record.question + " Really?" for record in tiny_bundle.records(4, 200)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


@pytest.fixture
def tiny(tmp_path: Path, shared: Shared) -> Path:
    return Path(shutil.copytree(shared("tiny", tiny_bundle.make), tmp_path / "tiny"))


@pytest.fixture
def bank(server: Server, tiny: Path) -> str:
    """Address of a database that holds the bank of `tiny`, and nothing else."""
    with Database(server.uri).connection() as connection:
        connection.execute(f"DROP TABLE IF EXISTS {BANKS}, {table_of(Selector.load(tiny).facts)}")
    Selector.load(tiny).push_to_hub(server.uri)
    return server.uri


@pytest.mark.parametrize("mode", ["full", "lite"])
def test_the_database_gives_the_choices_explanations_and_audit_of_the_folder(
    tiny: Path, bank: str, mode: str, tmp_path: Path
) -> None:
    ours = Selector.load(tiny, mode)
    theirs = Selector.load(tiny, mode, bank=bank, audit=tmp_path / "audit.jsonl")
    assert len(theirs) == len(ours) == tiny_bundle.ROWS
    for filters in ({}, {"where": {"skill": 1}}, {"exclude": ["row-3", "row-7"]}, {"where": {"skill": 2, "i": 5}}):
        for asked in (*QUESTIONS, tiny_bundle.records()[4].question.upper()):
            known, found = ours.explain(asked, 3, **filters), theirs.explain(asked, 3, **filters)
            assert [r.demonstration.id for r in known.reasons] == [r.demonstration.id for r in found.reasons]
            for one, other in zip(known.reasons, found.reasons, strict=True):
                assert one.demonstration.to_dict() | {"score": 0, "confidence": 0} == other.demonstration.to_dict() | {
                    "score": 0,
                    "confidence": 0,
                }
                assert one.demonstration.score == pytest.approx(other.demonstration.score, abs=1e-3)
                # the bundle has single precision, the database half
                assert abs(one.rank - other.rank) <= 1 and one.similarity == pytest.approx(other.similarity, abs=1e-3)
                assert one.instead is None or one.instead.id == other.instead.id
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert lines[0]["bundle"]["bank"] == f"{table_of(ours.facts)}@1" and check(tmp_path / "audit.jsonl").lines == len(
        lines
    )


def test_the_rows_live_in_the_database_alone(tiny: Path, bank: str) -> None:
    shutil.rmtree(tiny / "bank-1")
    selector = Selector.load(tiny, bank=bank)
    (new,) = tiny_bundle.records(1, 100)
    assert add(tiny, [new], bank) == tiny_bundle.ROWS + 1 == len(selector)
    assert selector.select(new.question + "?", k=25)[0].id  # the same Selector reads what another wrote
    assert "row-100" in {one.id for one in selector.select("Who?", k=25)}
    assert remove(tiny, ["row-100", "row-0"], bank) == tiny_bundle.ROWS - 1
    assert not {"row-100", "row-0"} & {one.id for one in selector.select("Who?", k=25)}


def test_a_change_that_fails_changes_nothing(tiny: Path, bank: str) -> None:
    fresh, known = tiny_bundle.records(1, 100)[0], tiny_bundle.records(1)[0]
    for rows in ([fresh, known], [fresh, fresh]):
        with pytest.raises(InputError, match=r"the id 'row-\d+' is already in postgresql://"):
            add(tiny, rows, bank)
    with pytest.raises(InputError, match="has no demonstration 'row-99'"):
        remove(tiny, ["row-1", "row-99"], bank)
    with pytest.raises(InputError, match="nothing would be left"):
        remove(tiny, [f"row-{i}" for i in range(tiny_bundle.ROWS)], bank)
    assert len(Selector.load(tiny, bank=bank)) == tiny_bundle.ROWS
    with pytest.raises(InputError, match="has this bank already"):
        Selector.load(tiny).push_to_hub(bank)


def test_errors_name_the_value_and_the_fix(tiny: Path, server: Server, bank: str) -> None:
    selector = Selector.load(tiny, bank=bank)
    with pytest.raises(InputError, match="no demonstration has a field 'colour'"):
        selector.select("Who?", where={"colour": "red"})
    with pytest.raises(InputError, match="no demonstration has the id 'row-99'"):
        selector.select("Who?", exclude=["row-1", "row-99"])
    assert selector.select("Who?", where={"skill": 7}) == selector.select("Who?", where={"skill": None}) == []
    with pytest.raises(InputError, match="not one in a database; load it without bank="):
        selector.record(0)
    with pytest.raises(InputError, match=r"(?s)has no bank of this bundle .*skillshot push"):
        Selector.load(tiny, bank=server.uri.replace("/postgres?", "/template1?"))
    with pytest.raises(DatabaseError, match="does not answer") as caught:
        Selector.load(tiny, bank="postgresql://me:secret@127.0.0.1:9/none")
    assert "secret" not in str(caught.value) and "secret" not in repr(Selector.load(tiny, bank=bank).options)


def test_texts_that_json_holds_and_a_database_may_not(tiny: Path, bank: str) -> None:
    odd = replace(tiny_bundle.records(1, 300)[0], rationale="a\x00b \ud800 \U0001f600 \\ \t\n", metadata={"skill": 9})
    add(tiny, [odd], bank)
    (found,) = Selector.load(tiny, bank=bank).select("Who?", where={"skill": 9})
    assert found.rationale == odd.rationale
    with pytest.raises(InputError, match="refuses a value"):
        add(tiny, [replace(odd, id="other", metadata={"skill": "\x00"})], bank)


def test_after_a_restart_the_error_is_clear_and_the_next_call_works(tiny: Path, server: Server, bank: str) -> None:
    selector = Selector.load(tiny, bank=bank)
    before = [one.id for one in selector.select("Who?")]
    server.stop("immediate")
    for _ in range(2):
        with pytest.raises(DatabaseError, match=r"(?s)does not answer: .*the next call connects again"):
            selector.select("Who?")
    server.start()
    assert [one.id for one in selector.select("Who?")] == before


def _write(tiny: Path, bank: str, first: int) -> None:
    for record in tiny_bundle.records(6, first):
        add(tiny, [record], bank)
    remove(tiny, [f"row-{first}"], bank)


@pytest.mark.slow
def test_processes_that_write_at_once_lose_and_double_nothing(tiny: Path, bank: str) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(tiny, bank, first)) for first in (100, 200, 300)]
    selector = Selector.load(tiny, bank=bank)
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        ids = [one.id for one in selector.select("Who?", k=100)]
        assert len(set(ids)) == len(ids) >= tiny_bundle.ROWS
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    wanted = {f"row-{i}" for first in (100, 200, 300) for i in range(first + 1, first + 6)}
    ids = [one.id for one in selector.select("Who?", k=100)]
    assert sorted(ids) == sorted(wanted | {f"row-{i}" for i in range(tiny_bundle.ROWS)})


def test_a_rare_value_of_a_filter_is_found_through_the_index(tiny: Path, bank: str) -> None:
    many = [replace(r, metadata={"rare": i % 100 == 7}) for i, r in enumerate(tiny_bundle.records(1000, 1000))]
    add(tiny, many, bank)
    selector = Selector.load(tiny, bank=bank)
    with selector._bundle.bank.database.connection() as connection:  # the plan of a large table
        connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
    found = selector._bundle.bank.nearest(selector._bundle.policy(["Who?"])[0], 20, {"rare": True})
    assert len(found.rows) == 10 and (np.diff(found.scores) <= 0).all()


def test_rows_that_the_index_does_not_find_are_searched_exactly(tiny: Path, bank: str) -> None:
    opened, vector = Selector.load(tiny, bank=bank)._bundle.bank, Selector.load(tiny)._bundle.policy(["Who?"])[0]
    wanted = opened.nearest(vector, 20, {}).rows.tolist()
    with opened.database.connection() as connection:  # the plan of a large table, and a graph that ends early
        connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        connection.execute("SET hnsw.ef_search = 5; SET hnsw.iterative_scan = off")
        index = f"SELECT row FROM {opened.table} ORDER BY vector <#> %s::halfvec LIMIT 20"
        assert len(connection.execute(index, [spelled(vector)]).fetchall()) < 20
    assert opened.nearest(vector, 20, {}).rows.tolist() == wanted


def test_the_commands(tiny: Path, bank: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text(json.dumps(tiny_bundle.records(1, 100)[0].to_dict()) + "\n")
    folder = str(tiny)
    assert main(["add", folder, str(more), "--bank", bank, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["size"] == tiny_bundle.ROWS + 1
    assert main(["remove", folder, "row-100", "--bank", bank]) == 0
    assert "24 demonstrations" in capsys.readouterr().out
    assert main(["select", folder, "Who?", "--bank", bank, "--where", "skill=1", "--json"]) == 0
    assert {one["metadata"]["skill"] for one in json.loads(capsys.readouterr().out)} == {1}
    assert main(["select", folder, "Who?", "--bank", "mysql://x"]) == 2
    assert "expected postgresql://USER@HOST/DATABASE" in capsys.readouterr().err
