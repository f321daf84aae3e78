"""A bank in PostgreSQL with pgvector: one statement reads all that a selection needs, from one state of the table.

PostgreSQL was chosen by measurement (docs/results/database.md). Rows are half floats, as in a bundle. The HNSW index
finds candidates; their scores are computed here from the rows, so they are those of a folder.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from skillshot.common.arrays import Floats, Keys, Rows
from skillshot.common.errors import DatabaseError, InputError
from skillshot.common.extras import extras_named
from skillshot.common.io import sha256_text
from skillshot.common.record import Record
from skillshot.runtime.bank import SimilarityQuery
from skillshot.runtime.layout import files_of_rows

SCHEMES = ("postgresql://", "postgres://")
BANKS = "skillshot_banks"  # a line for each table: its name and revision
LONGEST = 3900  # coordinates of a row: with what else a line holds, it fits into a page of 8 kB
_MOST = 2**31 - 1
# strict_order: the scan goes on until enough rows have passed the filter, at most over the whole graph; 200: recall@4
# is 1.000 at 100,000 rows (docs/results/database.md); jit: compiling takes longer than the query
_SESSION = """
SET jit = off; SET hnsw.ef_search = 200; SET hnsw.iterative_scan = strict_order;
SET hnsw.max_scan_tuples = 2147483647; SET hnsw.scan_mem_multiplier = 100
"""


def table_of(manifest: Mapping[str, Any]) -> str:
    """Table of a bundle's bank: named by the model files that make its rows, so that other rows never mix with them."""
    files = {name: manifest["files"][name]["sha256"] for name in sorted(files_of_rows(manifest))}
    return f"skillshot_{sha256_text(json.dumps(files))[:16]}"


class Database:
    """Connections to one database, shared by threads and made anew after a failure; a forked process makes its own.

    Raises:
        InputError: no address of PostgreSQL.
        MissingPackageError: psycopg is not installed.
    """

    def __init__(self, address: str) -> None:
        if not address.startswith(SCHEMES):
            raise InputError(f"bank {address.split('://')[0][:20]!r}: expected postgresql://USER@HOST/DATABASE")
        with extras_named():
            import psycopg
        self._psycopg, self._address = psycopg, address
        self._idle: list[Any] = []
        self._process = os.getpid()
        try:
            parts = psycopg.conninfo.conninfo_to_dict(address)
        except psycopg.Error as error:
            raise InputError(f"bank: no address of PostgreSQL ({_line(error)}); see the guide on databases") from None
        place = "/".join(str(parts[name]) for name in ("host", "dbname") if parts.get(name))
        self.name = f"postgresql://{place}"  # without the password

    @contextlib.contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection in autocommit mode; one statement on it sees one state of the database.

        Raises:
            DatabaseError: the database does not answer, or refuses a statement.
            InputError: it refuses a value.
        """
        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        try:
            one = self._idle.pop() if self._idle else self._opened()
            try:
                yield one
            except BaseException:
                one.close()
                raise
            self._idle.append(one)
        except self._psycopg.DataError as error:
            raise InputError(f"{self.name} refuses a value: {_line(error)}") from error
        except (self._psycopg.OperationalError, self._psycopg.InterfaceError) as error:
            self._idle = []  # made before a restart of the server, they are all broken
            raise DatabaseError(
                f"{self.name} does not answer: {_line(error)}\ncheck that it runs; the next call connects again"
            ) from error
        except self._psycopg.Error as error:
            raise DatabaseError(f"{self.name} refuses: {_line(error)}") from error

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        with self.connection() as connection:
            found: list[tuple[Any, ...]] = connection.execute(statement, values, binary=True).fetchall()
            return found

    def _opened(self) -> Any:
        # no server-side statements: their plans would not know how rare the value of a filter is
        one = self._psycopg.connect(self._address, autocommit=True, prepare_threshold=None, connect_timeout=10)
        one.execute(_SESSION)
        return one


class PostgresBank:
    """The bank of a bundle in a database, as it is when it is asked; safe for threads and processes.

    Args:
        sentences: whether an explanation may compare sentence embeddings.

    Raises:
        InputError: the database has no bank of this bundle.
        DatabaseError: the database does not answer.
    """

    def __init__(self, address: str, manifest: Mapping[str, Any], sentences: bool) -> None:
        self.database, self.table = Database(address), table_of(manifest)
        columns = self.database.read(
            "SELECT attname, atttypmod FROM pg_attribute WHERE attrelid = to_regclass(%s) AND NOT attisdropped",
            [self.table],
        )
        widths = dict(columns)
        if "vector" not in widths:
            raise InputError(
                f"{self.database.name} has no bank of this bundle (table {self.table})\n"
                "fill it: skillshot push BUNDLE ADDRESS"
            )
        self.sentences: int | None = widths.get("sentence") if sentences else None
        self.state = f"{self.table}"
        self._revision = f"(SELECT revision FROM {BANKS} WHERE name = '{self.table}')"

    def __len__(self) -> int:
        return int(self.database.read(f"SELECT count(*) FROM {self.table}")[0][0])

    def missing(self, ids: Collection[str]) -> list[str]:
        """Those of `ids` that no row has."""
        found = self.database.read(f"SELECT id FROM {self.table} WHERE id = ANY(%s)", [list(ids)])
        known = {name for (name,) in found}
        return [name for name in ids if name not in known]

    def nearest(self, vector: Floats, k: int, where: Mapping[str, Any]) -> DatabaseCandidates:
        """The k rows of highest score; see `Bank.nearest`."""
        condition, values = _condition(where)
        statement = (
            f"SELECT row, key, record::text, halfvec_send(vector), {self._revision} FROM {self.table} "
            f"WHERE {condition} ORDER BY (vector <#> %s::halfvec)"
        )
        sent = [*values, spelled(vector), min(k, _MOST)]
        found = self.database.read(f"{statement} LIMIT %s", sent)
        if len(found) < k:
            # few rows pass the filter, or the graph has a dead end (docs/results/database.md)
            found = self.database.read(f"{statement} + 0 LIMIT %s", sent)  # no index has this order
        self._check_fields(found, where)
        return DatabaseCandidates(self.table, found, vector)

    def similar(
        self, question: SimilarityQuery, first: int, chosen: Rows, exclude: Collection[str], where: Mapping[str, Any]
    ) -> tuple[Rows, DatabaseCandidates]:
        """The first rows by similarity, and those of `chosen`, with their ranks; see `Bank.similar`."""
        condition, values = _condition(where)
        side = "sentence" if question.sentence else "vector"
        found = self.database.read(
            f"WITH ranked AS (SELECT row, row_number() OVER (ORDER BY {side} <#> %s::halfvec, row) AS rank "
            f"FROM {self.table} WHERE {condition} AND key <> %s AND id <> ALL(%s)) "
            f"SELECT row, key, record::text, halfvec_send(vector), {self._revision}, halfvec_send({side}), rank "
            f"FROM ranked JOIN {self.table} USING (row) WHERE rank <= %s OR row = ANY(%s) ORDER BY rank",
            [
                spelled(question.query), *values, int(question.key.view(np.int64)), list(exclude), min(first, _MOST),
                chosen.tolist(),
            ],
        )  # fmt: skip
        ranks = np.array([line[6] for line in found], np.intp)
        return ranks, DatabaseCandidates(self.table, found, question.query, side=5)

    def _check_fields(self, found: Sequence[Any], where: Mapping[str, Any]) -> None:
        for field in () if found else where:
            known = f"SELECT EXISTS (SELECT 1 FROM {self.table} WHERE jsonb_exists(fields, %s))"
            if not self.database.read(known, [field])[0][0]:
                raise InputError(f"where: no demonstration has a field {field!r} to filter by")


class DatabaseCandidates:
    """`Candidates` that came with one statement.

    Args:
        found: rows of (row, key, record as JSON, vector, revision, ...); side: the column that the query is multiplied
            with. They are in order, but for the rounding of the query to half floats.
    """

    def __init__(self, table: str, found: Sequence[Any], query: Floats, side: int = 3) -> None:
        scores = _rows([line[side] for line in found], len(query)) @ query
        order = np.argsort(-scores, kind="stable") if side == 3 else np.arange(len(found))
        self._found = [found[place] for place in order]
        self._vectors = [line[3] for line in self._found]
        self.scores: Floats = scores[order]
        self.rows: Rows = np.array([line[0] for line in self._found], np.intp)
        self.keys: Keys = np.array([line[1] for line in self._found], np.int64).view(np.uint64)
        self.state = f"{table}@{found[0][4]}" if found else table

    def record(self, place: int) -> Record:
        """Of the candidate at a place."""
        return Record.from_dict(json.loads(self._found[place][2]))

    def vectors(self, places: Rows) -> Floats:
        """Skill vectors of the candidates at places."""
        taken = [self._vectors[int(place)] for place in places]
        return _rows(taken, (len(self._vectors[0]) - 4) // 2 if self._vectors else 0)


def spelled(vector: Floats) -> str:
    """A vector as pgvector reads it, with the digits of a half float."""
    return f"[{','.join([f'{value:.5g}' for value in vector.tolist()])}]"


def _rows(sent: Sequence[bytes], width: int) -> Floats:
    """Rows (n, width) of what `halfvec_send` gives: the width and a zero in two bytes each, then big-endian halves."""
    halves = np.frombuffer(b"".join(sent), ">f2").reshape(len(sent), width + 2)
    return halves[:, 2:].astype(np.float32)


def _condition(where: Mapping[str, Any]) -> tuple[str, list[str]]:
    """SQL of `where` and its values; the first half of a condition is what the index on `fields` serves."""
    parts, values = ["true"], []
    for field, value in where.items():
        if value is None:  # no row has it: empty fields are left out
            parts.append("false")
            continue
        parts.append("fields @> %s::jsonb AND fields -> %s = %s::jsonb")
        values += [json.dumps({field: value}), field, json.dumps(value)]
    return " AND ".join(parts), values


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
