"""A bundle's bank in PostgreSQL: filled once from the bundle's folder, then changed there.

A change is one transaction. It starts by raising the bank's revision, whose line it then holds: changes wait for each
other, and readers see the bank before or after one. Nothing of the folder changes.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.bundle.rows import row_vectors
from skillshot.common import schema
from skillshot.common.arrays import Floats
from skillshot.common.errors import BundleError, InputError
from skillshot.common.record import Record
from skillshot.runtime.layout import QUESTIONS, files_of_rows, refuse_slim
from skillshot.runtime.manifest import check_files, read_manifest
from skillshot.runtime.postgres import BANKS, LONGEST, Database, PostgresBank, spelled, table_of
from skillshot.runtime.store import BankStore, question_key
from skillshot.selectors.pool import Pool

TEXTS = ("id", "question", "rationale")  # what no filter reads


def fill(folder: str | os.PathLike[str], address: str) -> str:
    """Copy the bank of a bundle's folder into a new table; returns the table's name.

    Raises:
        BundleError: the bundle is damaged.
        InputError: the database has this bank already, or the rows are too wide for it.
        DatabaseError: the database does not answer, or refuses.
        MissingPackageError: psycopg is not installed.
    """
    folder, database = Path(folder), Database(address)
    manifest = read_manifest(folder)
    refuse_slim(folder, manifest, "a bank in a database")
    bank, table = folder / manifest["bank"], table_of(manifest)
    check_files(folder, manifest, {name for name in manifest["files"] if name.startswith(f"{bank.name}/")})
    store = BankStore(bank)
    sides = {"vector": schema.read_array(bank / "skillshot.npy", [np.float32, np.float16], (len(store), None))}
    if f"{bank.name}/{QUESTIONS}" in manifest["files"]:
        sides["sentence"] = schema.read_array(bank / QUESTIONS, [np.float32, np.float16], (len(store), None))
    width = sides["vector"].shape[1]
    if width > LONGEST:
        raise InputError(f"{folder}: rows of {width} coordinates; pgvector's index takes at most {LONGEST}")
    columns = ", ".join(f"{name} halfvec({side.shape[1]}) NOT NULL" for name, side in sides.items())
    with database.connection() as connection, connection.transaction():
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.execute(f"CREATE TABLE IF NOT EXISTS {BANKS} (name text PRIMARY KEY, revision bigint NOT NULL)")
        if connection.execute(f"SELECT 1 FROM {BANKS} WHERE name = %s", [table]).fetchone():
            raise InputError(
                f"{database.name} has this bank already (table {table}); change it with add and remove, or drop the "
                f"table and its line in {BANKS}"
            )
        connection.execute(f"INSERT INTO {BANKS} VALUES (%s, 1)", [table])
        connection.execute(
            f"CREATE TABLE {table} (row bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, "
            f"key bigint NOT NULL, record json NOT NULL, fields jsonb NOT NULL, {columns})"
        )
        connection.execute(
            f"ALTER TABLE {table} ALTER vector SET STORAGE PLAIN"
        )  # a longer line would be read from elsewhere
        _copy(connection, table, store, sides)
        connection.execute("SET LOCAL maintenance_work_mem = '512MB'")  # of the index; beyond it pages go to the disk
        connection.execute(f"CREATE INDEX ON {table} USING gin (fields jsonb_path_ops)")
        connection.execute(f"CREATE INDEX ON {table} USING hnsw (vector halfvec_ip_ops)")
        connection.execute(f"ANALYZE {table}")
    return table


def add(folder: str | os.PathLike[str], address: str, records: Sequence[Record]) -> int:
    """Add demonstrations to a bundle's bank in a database; returns its new size.

    Raises:
        InputError: an id is already there, or twice in `records`; the database has no bank of this bundle.
        BundleError: a file of the model is damaged.
        DatabaseError: the database does not answer, or refuses.
    """
    manifest = read_manifest(folder)
    bank = PostgresBank(address, manifest, True)
    pool = Pool(folder, files=files_of_rows(manifest))
    names = {"vector": "skillshot"} | ({"sentence": "question"} if bank.sentences else {})
    vectors = row_vectors(pool, list(names.values()), records)
    return insert(bank, records, {column: vectors[name] for column, name in names.items()})


def remove(folder: str | os.PathLike[str], address: str, ids: Sequence[str]) -> int:
    """Remove demonstrations from a bundle's bank in a database; returns its new size.

    Raises:
        InputError: an id is not there, or nothing would be left; the database has no bank of this bundle.
        DatabaseError: the database does not answer, or refuses.
    """
    return delete(PostgresBank(address, read_manifest(folder), False), ids)


def insert(bank: PostgresBank, records: Sequence[Record], sides: Mapping[str, Floats]) -> int:
    """Add records with their rows, by column: `vector` (n, z), and `sentence` (n, d) where the bank has them.

    Raises:
        InputError, DatabaseError: as `add`.
    """
    ids = [record.id for record in records]

    def change(connection: Any) -> None:
        known = connection.execute(f"SELECT id FROM {bank.table} WHERE id = ANY(%s)", [ids]).fetchall()
        twice = {name for name, count in Counter(ids).items() if count > 1}
        for name in sorted(twice | {name for (name,) in known}):
            raise InputError(f"the id {name!r} is already in {bank.database.name}; remove it first or give another id")
        _copy(connection, bank.table, records, sides)

    return _changed(bank, change)


def delete(bank: PostgresBank, ids: Sequence[str]) -> int:
    """Remove the rows of these ids.

    Raises:
        InputError, DatabaseError: as `remove`.
    """

    def change(connection: Any) -> None:
        gone = connection.execute(f"DELETE FROM {bank.table} WHERE id = ANY(%s) RETURNING id", [list(ids)]).fetchall()
        for name in sorted(set(ids) - {name for (name,) in gone}):
            raise InputError(f"{bank.database.name} has no demonstration {name!r}")
        if not connection.execute(f"SELECT EXISTS (SELECT 1 FROM {bank.table})").fetchone()[0]:
            raise InputError(f"nothing would be left in {bank.database.name}; keep at least one demonstration")

    return _changed(bank, change)


def _changed(bank: PostgresBank, change: Callable[[Any], None]) -> int:
    with bank.database.connection() as connection, connection.transaction():
        raised = connection.execute(f"UPDATE {BANKS} SET revision = revision + 1 WHERE name = %s", [bank.table])
        if raised.rowcount != 1:
            raise BundleError(f"{bank.database.name}: {BANKS} has no line {bank.table}; fill the bank again")
        change(connection)
        size: int = connection.execute(f"SELECT count(*) FROM {bank.table}").fetchone()[0]
    return size


def _copy(connection: Any, table: str, records: Iterable[Record], sides: Mapping[str, Floats]) -> None:
    statement = f"COPY {table} (id, key, record, fields, {', '.join(sides)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for place, record in enumerate(records):
            row = record.to_dict()
            fields = {name: value for name, value in row.items() if name not in TEXTS}
            key = int(np.uint64(question_key(record.question)).view(np.int64))
            rows = (spelled(side[place]) for side in sides.values())
            copy.write_row((record.id, key, json.dumps(row), json.dumps(fields), *rows))
