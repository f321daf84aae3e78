"""A bank of a million rows on one machine, in lite mode: fit and index, recall, latency, rows added.

    python benchmarks/bench_large.py --rows 100000 --work FOLDER     # a tenth: minutes
    python benchmarks/bench_large.py --rows 1000000 --work FOLDER    # about 3 GB of disk

Needs faiss (`pip install 'skillshot[large]'`). Bank and questions are of the embedded source storyskills, drawn with
another seed for each part of the bank; rows beyond `--drawn` repeat one behind the first sentence of another. `shelf`,
the row's number modulo 100, is the filter that leaves 1 % of the rows; `language` leaves nine tenths. A bank or bundle
that is in the folder already is used again.

Memory is the sum of the proportional set sizes (PSS) of the fit and its workers, read every two seconds from /proc; the
files that a process maps count. Recall is that of the index against exact scores of all rows, or of those of the shelf.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from skillshot import Selector
from skillshot.common.io import atomic_write, write_json
from skillshot.common.parts import mapped
from skillshot.common.record import Record
from skillshot.runtime.bench import quantiles, time_each
from skillshot.runtime.index import top_k
from skillshot.runtime.search import find
from skillshot.sources.storyskills import stream

PART = 20_000  # rows of one seed
SHELVES = 100
SEED, ASKED, ADDED = 1000, 999, 998  # of the first part, of the questions, of the rows that are added
CHUNK = 50_000  # rows that are multiplied at once
MIB = 1 << 20


def write_bank(path: Path, rows: int, drawn: int) -> None:
    """Write that many rows; of those beyond `drawn`, each repeats one behind the first sentence of another."""
    starts, lines = range(0, min(rows, drawn), PART), list[str]()
    with atomic_write(path) as handle:
        for text in mapped(partial(_lines, rows=min(rows, drawn)), starts, "generate", len(starts)):
            handle.write(text)
            lines += text.splitlines() if rows > drawn else ()
        draw = random.Random(SEED)
        for row in range(drawn, rows):
            record = json.loads(lines[row % drawn])
            opening = json.loads(draw.choice(lines))["question"].partition(". ")[0]
            changed = {
                "id": f"{record['id']}-{row}",
                "question": f"{opening}. {record['question']}",
                "shelf": row % SHELVES,
            }
            handle.write(json.dumps(record | changed, ensure_ascii=False) + "\n")


def _lines(start: int, rows: int) -> str:
    records = itertools.islice(stream(SEED + start // PART), min(PART, rows - start))
    return "".join(
        json.dumps(record.to_dict() | {"shelf": row % SHELVES}, ensure_ascii=False) + "\n"
        for row, record in enumerate(records, start)
    )


def questions(count: int, seed: int = ASKED) -> list[Record]:
    """Records of a seed that no part of the bank has."""
    return list(itertools.islice(stream(seed), count))


class Watch(threading.Thread):
    """Reads the memory of a process and its descendants until it ends."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.peak, self.series = process, 0, list[tuple[float, int]]()

    def run(self) -> None:
        began = time.perf_counter()
        while tree := _tree(self.process):
            held = sum(map(_pss, tree))
            self.peak = max(self.peak, held)
            self.series.append((time.perf_counter() - began, held))
            time.sleep(2)


def _tree(process: int) -> list[int]:
    """A process and its descendants; empty once it has ended."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents.setdefault(int(parent), []).append(int(path.parent.name))
    alive = {one for children in parents.values() for one in children}
    found = [process] if process in alive else []
    for one in found:
        found += parents.get(one, [])
    return found


def _pss(process: int) -> int:
    """Bytes of a process, shared pages divided among those that share them."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def measured(command: list[str]) -> dict[str, Any]:
    """Run a command of skillshot: CPU and wall seconds, peak of memory, and what it logged with the second."""
    began, phases = time.perf_counter(), []
    process = subprocess.Popen(
        [sys.executable, "-m", "skillshot.cli.main", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch = Watch(process.pid)
    watch.start()
    assert process.stderr is not None
    for line in process.stderr:
        print(line, end="", file=sys.stderr, flush=True)
        phases.append({"s": round(time.perf_counter() - began, 1), "log": line.strip()[:120]})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"skillshot {' '.join(command)}: exit code {process.returncode}")
    watch.join()
    for phase, following in itertools.pairwise([*phases, {"s": float("inf")}]):
        held = [size for at, size in watch.series if phase["s"] <= at <= following["s"]]
        phase["peak_mib"] = round(max(held, default=0) / MIB)
    return {
        "wall_s": round(time.perf_counter() - began, 1),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mib": round(watch.peak / MIB),
        "largest_process_mib": round(usage.ru_maxrss / 1024),
        "phases": phases,
    }


def selection(bundle: Path, asked: list[str], k: int = 4) -> dict[str, Any]:
    """Recall@k of the index, the same choice as by exact search, and milliseconds, for all rows and for 1 % of them."""
    selector = Selector.load(bundle, "lite", check=False)
    opened = selector._bundle  # the index is no part of the public interface
    bank = opened.folder_bank
    queries = opened.policy(asked)
    report: dict[str, Any] = {}
    for name, where in (("all", {}), ("shelf", {"shelf": 37}), ("language", {"language": "en"})):
        allowed = bank.allowed(where)
        rows = np.arange(len(bank)) if allowed is None else np.flatnonzero(allowed)
        best = _exact(bank.vectors, rows, queries, 65)  # what a selection of 4 reads
        recalls = {}
        for most in (k, 65):
            shares = []
            for query, scores in zip(queries, best, strict=True):
                found, values = bank.index.search(query, most, allowed)
                assert len(found) == min(most, len(rows)), "too few rows"
                shares.append(float(np.mean(values >= scores[: len(values)].min() - 1e-5)))
            recalls[f"recall@{most}"] = float(np.mean(shares))
        wall, cpu = time_each(partial(selector.select, k=k, where=where), asked)
        picked = find(opened, asked, k, where=where)
        report[name] = {
            "rows": len(rows),
            **recalls,
            "few": sum(len(one) < k for one in picked),
            "wall_ms": quantiles(wall),
            "cpu_ms": quantiles(cpu),
        }
    return report


def _exact(vectors: Any, rows: Any, queries: Any, most: int) -> Any:
    """The highest scores (queries, most) among some rows, best first."""
    held = np.full((len(queries), most), -np.inf, np.float32)
    for start in range(0, len(rows), CHUNK):
        part = vectors[rows[start : start + CHUNK]].astype(np.float32, copy=False)
        for query, scores, best in zip(queries, queries @ part.T, held, strict=True):
            near = top_k(scores, most)
            best[:] = -np.sort(-np.concatenate([best, (part[near] @ query)]))[:most]
    return held


def main() -> None:
    """Measure, print and write one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--drawn", type=int, default=200_000, help="rows of the generator; more repeat these, changed")
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--add", type=int, default=0, help="rows that are added afterwards")
    parser.add_argument("--work", type=Path, required=True, help="folder of bank, bundle and report")
    parser.add_argument("--set", action="append", default=[], help="a setting of the fit, section.key=value")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    bank, bundle = options.work / f"bank-{options.rows}.jsonl", options.work / f"bundle-{options.rows}"
    report: dict[str, Any] = {"rows": options.rows, "cores": len(os.sched_getaffinity(0))}
    place = options.work / f"report-{options.rows}.json"
    if place.exists():
        report |= json.loads(place.read_text())
    if not bank.exists():
        write_bank(bank, options.rows, options.drawn)
    report["bank_mb"] = round(bank.stat().st_size / 1e6)
    if not bundle.exists():
        sets = [part for one in options.set for part in ("--set", one)]
        report["fit"] = measured(["fit", str(bank), "--out", str(bundle), "--lite", *sets])
        report["bundle_mb"] = _sizes(bundle)
        write_json(place, report)
    report["selection"] = selection(bundle, [record.text for record in questions(options.queries)])
    write_json(place, report)
    if options.add:
        more = options.work / "added.jsonl"
        with atomic_write(more) as handle:
            handle.writelines(
                json.dumps(one.to_dict() | {"shelf": 0}, ensure_ascii=False) + "\n"
                for one in questions(options.add, ADDED)
            )
        report["add"] = {"rows": options.add, **measured(["add", str(bundle), str(more)])}
        write_json(place, report)
    print(json.dumps(report, indent=2))


def _sizes(bundle: Path) -> Mapping[str, float]:
    return {path.name: round(path.stat().st_size / 1e6, 1) for path in sorted(bundle.glob("bank-*/*"))}


if __name__ == "__main__":
    main()
