"""Loss of `skillshot slim`: skill alignment of a slim bundle against lite of the full one, and bytes.

    python benchmarks/bench_slim.py NAME=BUNDLE=SLIM=QUERIES=LABEL ...

hit@4 (Jaccard@4 where the label is a list) and any@4 of `skillshot score` on the same queries, with paired 95 %
bootstrap intervals of slim minus lite, and CPU milliseconds of one selection at a time, both in turn; then the same
questions in node by examples/browser. Writes reports/bench_slim.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402

from skillshot.bank.load import load_queries  # noqa: E402
from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.record import Record  # noqa: E402
from skillshot.evaluation.alignment import paired_interval, score  # noqa: E402
from skillshot.runtime.layout import files_for  # noqa: E402
from skillshot.runtime.manifest import read_manifest  # noqa: E402
from skillshot.runtime.selector import Selector  # noqa: E402

TIMED = 200  # questions


def size(folder: Path) -> dict[str, int]:
    """Bytes of what lite selection reads, by part."""
    manifest = read_manifest(folder)
    found: dict[str, int] = {}
    for name in sorted(files_for("lite", "fp32", manifest)):
        part = Path(name).name.removesuffix(".gz")
        found[part] = found.get(part, 0) + manifest["files"][name]["bytes"]
    return found | {"sum": sum(found.values())}


def milliseconds(sides: Sequence[Selector], questions: Sequence[str]) -> list[float]:
    """CPU milliseconds of one selection, the median, each side in turn."""
    times: list[list[float]] = [[] for _ in sides]
    for question in questions:
        for side, kept in zip(sides, times, strict=True):
            start = time.process_time()
            side.select(question)
            kept.append(1000 * (time.process_time() - start))
    return [float(np.median(kept)) for kept in times]


def in_node(slim: Path, questions: Sequence[str], chosen: Sequence[Sequence[str]]) -> dict[str, float]:
    """The selector of examples/browser: share of questions with the same ids in the same order, median CPU ms."""
    program = Path(__file__).resolve().parents[1] / "examples" / "browser" / "select.mjs"
    given = "\n".join(map(json.dumps, questions))
    done = subprocess.run(["node", program, slim], input=given, capture_output=True, text=True, check=True)
    found = [[one[0] for one in json.loads(line)] for line in done.stdout.splitlines()]
    same = [one == list(other) for one, other in zip(found, chosen, strict=True)]
    return {"questions": len(same), "same": float(np.mean(same)), "ms": float(done.stderr.split()[0])}


def compare(full: Path, slim: Path, queries: list[Record], label: str) -> dict[str, Any]:
    """Figures of one pair of bundles."""
    sides = [score(folder, queries, label, 4, ("lite",)).rows["lite"] for folder in (full, slim)]
    metrics = ["jaccard@k" if "jaccard@k" in sides[0] else "hit@k", "any@k"]
    loaded = Selector.load(full, "lite"), Selector.load(slim)
    texts = [query.question for query in queries[:TIMED]]
    asked = [query.question for query in queries[:1000]]
    pairs = zip(*(side.select_batch(texts) for side in loaded), strict=True)
    common = [len({d.id for d in one} & {d.id for d in two}) / 4 for one, two in pairs]
    return {
        "records": len(loaded[1]),
        "queries": len(queries),
        "bytes": {name: size(folder) for name, folder in (("lite", full), ("slim", slim))},
        "overlap@4": float(np.mean(common)),
        "node": in_node(slim, asked, [[d.id for d in row] for row in loaded[1].select_batch(asked)]),
        "ms": dict(zip(("lite", "slim"), milliseconds(loaded, texts), strict=True)),
        **{
            metric: {"lite": float(sides[0][metric].mean()), "slim": float(sides[1][metric].mean())}
            | {"difference": paired_interval(sides[1][metric] - sides[0][metric], 0)}
            for metric in metrics
        },
    }


def main() -> None:
    report = {}
    for argument in sys.argv[1:]:
        name, full, slim, file, label = argument.split("=")
        report[name] = compare(Path(full), Path(slim), load_queries(file).records, label)
        print(name, report[name])
    write_json("reports/bench_slim.json", report)


if __name__ == "__main__":
    main()
