"""Ingest of a large bank: rows per second and peak memory, compared with `datasets.load_dataset("json")`.

    python benchmarks/bench_ingest.py                   # 1,000,000 rows: about 600 MB of disk, 5 to 15 minutes
    python benchmarks/bench_ingest.py --rows 50000      # under a minute

Both run in the same run, each in its own process on the same file. They do not do the same work: `datasets` parses the
file into Arrow tables; ingest also normalises, groups near duplicates and splits. The target is the memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TARGET_MB = 1500  # for 1,000,000 rows

INGEST = """
from pathlib import Path
from skillshot.common.params import default_params
from skillshot.sources.ingest import ingest
params = default_params({"ingest.source": "file", "ingest.path": "bank.jsonl"})
read = ingest(params, Path("out"))["read"]
assert read["accepted"] + read["quarantined"] == read["rows"]
print(read["rows"])
"""
DATASETS = """
import datasets
datasets.disable_progress_bars()
print(datasets.load_dataset("json", data_files="bank.jsonl", split="train", cache_dir="cache").num_rows)
"""

PEOPLE = "Ann Bob Cleo Dan Eve Finn Gus Hana Ivan Jo Kim Lena Minho Nia Omar Pia Quinn Rosa Sven Tariq"
THINGS = "pens cups coins books stamps tiles ropes seeds cards shells nails plums hats bells maps"
PLACES = "market harbour school garden library station museum workshop bakery farm"
EXTRAS = "It rained all day.|The bus was late.|A friend had called before.|The shop was full.|Nobody else came."


def write_bank(path: Path, rows: int) -> int:
    """Write word problems of about 45 words, a tenth of them near duplicates; returns the file's size in bytes."""
    draw = random.Random(7)
    people, things, places, extras = PEOPLE.split(), THINGS.split(), PLACES.split(), EXTRAS.split("|")
    with open(path, "w", encoding="utf-8") as out:
        for i in range(rows):
            a, b, c = draw.randint(2, 99), draw.randint(2, 99), draw.randint(2, 9)
            who, thing, place = draw.choice(people), draw.choice(things), draw.choice(places)
            padding = " ".join(draw.choice(things) for _ in range(0 if i % 10 == 0 else 12))
            question = (
                f"{who} went to the {place} with {a} {thing} and found {b} more there. {draw.choice(extras)} "
                f"Later {who} put them into {c} equal boxes next to {padding}. How many {thing} were there in all?"
            )
            total = a + b
            answer = (
                f"{who} had {a} + {b} = <<{a}+{b}={total}>>{total} {thing}.\nThe boxes do not matter.\n#### {total}"
            )
            out.write(json.dumps({"id": str(i), "question": question, "answer": answer}) + "\n")
    return path.stat().st_size


def measure(code: str, folder: Path) -> dict[str, float]:
    """Run `code` in its own process: seconds, rows, and peak memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    rows = int(process.stdout.read() or 0)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed with {process.returncode}: {code}")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10  # bytes on macOS, KiB on Linux
    seconds = time.perf_counter() - start
    return {
        "rows": rows,
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / scale,
    }


def main() -> None:
    """Measure both and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_bank(folder / "bank.jsonl", arguments.rows)
        print(f"{arguments.rows} rows, {size / 1e6:.0f} MB", file=sys.stderr)
        sides = {"skillshot ingest": measure(INGEST, folder), "datasets json": measure(DATASETS, folder)}
    ours, theirs = sides.values()
    report: dict[str, Any] = {
        "rows": arguments.rows,
        "file_mb": size / 1e6,
        "sides": sides,
        "ratio_seconds": ours["seconds"] / theirs["seconds"],
        "ratio_peak": ours["peak_mb"] / theirs["peak_mb"],
        "target_peak_mb": TARGET_MB,
        "within_target": ours["peak_mb"] < TARGET_MB,
    }
    if arguments.json:
        print(json.dumps(report, indent=2))
        return
    print(f"{'':18}{'seconds':>9}{'CPU s':>8}{'rows/s':>10}{'peak MB':>9}")
    for side, value in sides.items():
        rate = value["rows"] / value["seconds"]
        print(f"{side:18}{value['seconds']:>9.1f}{value['cpu_seconds']:>8.1f}{rate:>10.0f}{value['peak_mb']:>9.0f}")
    print(f"ratio: {report['ratio_seconds']:.1f} x the time, {report['ratio_peak']:.2f} x the memory", end="; ")
    print(f"under {TARGET_MB} MB: {'yes' if report['within_target'] else 'NO'}")


if __name__ == "__main__":
    main()
