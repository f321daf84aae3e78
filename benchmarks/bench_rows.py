"""What more rows to learn from bring: skill alignment against `train.rows`, the bank to choose from being whole.

    python benchmarks/bench_rows.py gsm8k spider cogs --rows 500 1000 2000 4000 8000 16000

Slices are the development ones of `skill_slices`; of COGS all records take part. Rows to learn from are drawn by the
seed, as in a fit. Each number of rows is compared with the largest, paired by query, mean over seeds. It needs about
one CPU minute for 2,000 rows and five for 16,000, without the embedding (kept in --work).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402
import skill_slices  # noqa: E402
from bench_skills import Floats, Texts, best, served  # noqa: E402

from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.params import TrainParams  # noqa: E402
from skillshot.evaluation.alignment import paired_interval  # noqa: E402
from skillshot.runtime.scoring import Scoring  # noqa: E402

skill_slices.COGS_DRAWN = 10**9


def measured(part: skill_slices.Slice, embed: Texts, rows: int, seed: int) -> tuple[dict[str, Floats], float]:
    """Label agreement (q, 4) of what a fit on so many rows chooses, and its CPU seconds."""
    from skillshot.model.fitted import run
    from skillshot.training.fit import fit

    question, asked = embed([x.text for x in part.bank]), embed([x.text for x in part.queries])
    began = time.process_time()
    fitted = fit(part.bank, question, None, TrainParams(min_gap=-1.0, rows=rows), seed)
    cpu = time.process_time() - began
    words = fitted.question_view.transform([x.text for x in part.queries])
    items = fitted.vectors["skillshot"]
    full, lite = (Scoring.of(fitted.score, mode) for mode in ("full", "lite"))
    return {
        "question": best(asked @ question.T, part),
        "skillshot": served(run(fitted.policies["skillshot"], asked, words), items, part, full),
        "lite": served(run(fitted.policies["lite"], words), items, part, lite),
    }, cpu


def curve(name: str, args: argparse.Namespace, embed: Texts) -> dict[str, Any]:
    """Means over queries and seeds for each number of rows."""
    (part,) = skill_slices.slices(name, "development", None, args.data)
    sizes = sorted({min(rows, len(part.bank)) for rows in [*args.rows, args.most]})
    found: dict[int, dict[str, list[Floats]]] = {}
    seconds: dict[int, list[float]] = {}
    for seed in args.seeds:
        for rows in sizes:
            chosen, cpu = measured(part, embed, rows, seed)
            seconds.setdefault(rows, []).append(round(cpu, 1))
            for selector, values in chosen.items():
                found.setdefault(rows, {}).setdefault(selector, []).append(values.mean(1, dtype=np.float64))
            means = {selector: round(float(values.mean()), 4) for selector, values in chosen.items()}
            print(f"{name} seed {seed} rows {rows}: {json.dumps(means)} {cpu:.0f} CPU s", file=sys.stderr, flush=True)
    last = found[sizes[-1]]
    return {
        "bank": len(part.bank),
        "queries": len(part.queries),
        "seeds": list(args.seeds),
        "question": round(float(np.mean(last["question"])), 4),
        "rows": {
            str(rows): {
                "cpu_seconds": seconds[rows],
                **{
                    selector: {
                        "mean": round(float(np.mean(values)), 4),
                        "less_than_most": {
                            key: round(value, 4)
                            for key, value in paired_interval(
                                np.mean(last[selector], 0) - np.mean(values, 0), 0
                            ).items()
                        },
                    }
                    for selector, values in found[rows].items()
                    if selector != "question"
                },
            }
            for rows in sizes
        },
    }


def main() -> None:
    """Run the data sets one after the other; the report is written after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", choices=[name for name in skill_slices.FILES if name != "tabmwp"])
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    parser.add_argument("--most", type=int, default=20_000, help="largest number of rows")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--data", type=Path, default=skill_slices.DATA)
    parser.add_argument("--work", type=Path, default=Path(".cache/skillshot/skills"))
    parser.add_argument("--report", type=Path, default=Path("reports/rows.json"))
    args = parser.parse_args()
    report = json.loads(args.report.read_text()) if args.report.exists() else {}
    for name in args.sets:
        report[name] = curve(name, args, Texts(args.work / f"{name}.npz"))
        write_json(args.report, report)


if __name__ == "__main__":
    main()
