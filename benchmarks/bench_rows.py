"""What more rows to learn from bring: skill alignment against `train.rows`, the bank to choose from being whole.

    python benchmarks/bench_rows.py gsm8k --rows 500 1000 2000 4000 --seeds 1 2
    python benchmarks/bench_rows.py cogs --rows 1000 4000 10000 --lite

Slices are the development ones of `skill_slices`; of COGS all records take part. Rows to learn from are drawn by the
seed, as in a fit. Each number of rows is compared with the largest, paired by query, mean over seeds. `--lite` fits
without an encoder. One CPU minute for 2,000 rows, two and a half for 6,000, without the embedding. Embeddings and the
result of each fit are kept in --work, so a stopped run goes on.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402
import skill_slices  # noqa: E402
from bench_skills import Floats, Texts, best, served  # noqa: E402
from skill_slices import Slice  # noqa: E402

from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.params import TrainParams  # noqa: E402
from skillshot.evaluation.alignment import paired_interval  # noqa: E402
from skillshot.features.bm25 import BM25  # noqa: E402
from skillshot.runtime.scoring import Scoring  # noqa: E402

skill_slices.COGS_DRAWN = 10**9


def measured(part: Slice, embed: Texts, rows: int, seed: int) -> dict[str, Floats]:
    """Label agreement (q, 4) of what a fit on so many rows chooses, and of the nearest questions."""
    from skillshot.model.fitted import run
    from skillshot.training.fit import fit

    question, asked = embed([x.text for x in part.bank]), embed([x.text for x in part.queries])
    fitted = fit(part.bank, question, None, TrainParams(min_gap=-1.0, rows=rows), seed)
    words = fitted.question_view.transform([x.text for x in part.queries])
    items = fitted.vectors["skillshot"]
    full, lite = (Scoring.of(fitted.score, mode) for mode in ("full", "lite"))
    return {
        "question": best(asked @ question.T, part),
        "skillshot": served(run(fitted.policies["skillshot"], asked, words), items, part, full),
        "lite": served(run(fitted.policies["lite"], words), items, part, lite),
    }


def measured_lite(part: Slice, rows: int, seed: int) -> dict[str, Floats]:
    """The same without an encoder, and of BM25."""
    from skillshot.export.lite import write_lite
    from skillshot.runtime.onnx import Session
    from skillshot.training.lite import fit_lite

    fitted = fit_lite(part.bank, TrainParams().structure_dim, seed, rows=rows)
    texts = [x.text for x in part.queries]
    with tempfile.TemporaryDirectory() as folder:
        write_lite(fitted.policy, Path(folder) / "lite.onnx")
        policy = Session(Path(folder) / "lite.onnx")
    asked = policy.run({"lexical": fitted.question_view.transform(texts)})
    return {
        "bm25": best(BM25([x.text for x in part.bank]).scores(texts), part),
        "lite fit": served(asked, fitted.vectors, part, Scoring.of(fitted.score, "lite")),
    }


def fitted(part: Slice, args: argparse.Namespace, rows: int, seed: int) -> tuple[dict[str, Floats], float]:
    """Mean agreement (q,) of each selector, from the kept file where there is one, and CPU seconds with children."""
    path = args.work / f"rows-{part.name}{'-lite' * args.lite}-{rows}-{seed}.npz"
    if not path.exists():
        began = cpu()
        texts = Texts(args.work / f"{part.name}.npz")
        found = measured_lite(part, rows, seed) if args.lite else measured(part, texts, rows, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        means = {selector: values.mean(1, dtype=np.float64) for selector, values in found.items()}
        np.savez(path, cpu=cpu() - began, **means)
    with np.load(path, allow_pickle=False) as kept:
        return {selector: kept[selector] for selector in kept.files if selector != "cpu"}, float(kept["cpu"])


def cpu() -> float:
    """CPU seconds of this process and of its children that ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def curve(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Means over queries and seeds for each number of rows, and how much less they are than with the most rows."""
    (part,) = skill_slices.slices(name, "development", None, args.data)
    sizes = sorted({min(rows, len(part.bank)) for rows in [*args.rows, args.most]})
    found: dict[int, list[dict[str, Floats]]] = {rows: [] for rows in sizes}
    seconds: dict[int, list[float]] = {rows: [] for rows in sizes}
    for seed in args.seeds:
        for rows in sizes:
            values, spent = fitted(part, args, rows, seed)
            found[rows].append(values)
            seconds[rows].append(round(spent, 1))
            means = {selector: round(float(each.mean()), 4) for selector, each in values.items()}
            print(f"{name} seed {seed} rows {rows}: {json.dumps(means)} {spent:.0f} CPU s", file=sys.stderr, flush=True)
    over = {rows: {s: np.mean([each[s] for each in seeds], 0) for s in seeds[0]} for rows, seeds in found.items()}
    most = over[sizes[-1]]
    table = {
        str(rows): {"cpu_seconds": seconds[rows]}
        | {s: {"mean": _round(values.mean())} | _less(most[s] - values) for s, values in over[rows].items()}
        for rows in sizes
    }
    return {"bank": len(part.bank), "queries": len(part.queries), "seeds": list(args.seeds), "rows": table}


def _less(difference: Floats) -> dict[str, float]:
    """How much is missing, with its interval."""
    return {key: _round(value) for key, value in paired_interval(difference, 0).items()}


def _round(value: float) -> float:
    return round(float(value), 4)


def main() -> None:
    """Run the data sets one after the other; the report is written after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", choices=[name for name in skill_slices.FILES if name != "tabmwp"])
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    parser.add_argument("--most", type=int, default=20_000, help="largest number of rows")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--lite", action="store_true", help="fit without an encoder")
    parser.add_argument("--data", type=Path, default=skill_slices.DATA)
    parser.add_argument("--work", type=Path, default=Path(".cache/skillshot/skills"))
    parser.add_argument("--report", type=Path, default=Path("reports/rows.json"))
    args = parser.parse_args()
    report = json.loads(args.report.read_text()) if args.report.exists() else {}
    for name in args.sets:
        report[name + " without an encoder" * args.lite] = curve(name, args)
        write_json(args.report, report)


if __name__ == "__main__":
    main()
