"""`skillshot tune` on held-out slices of the real data sets: reports/tune_sets.json.

    python benchmarks/bench_tune.py strategyqa gsm8k --budget 300 --limit 100

Each set is cut (`sets.py`, with a seed of its own), a bundle is fitted and tuned on its bank, and the language model
scores the gold text of queries that neither has seen: after the demonstrations of the bundle as fitted, of the tuned
one where tuning found something, and of the rivals. Only log-likelihoods are asked for. A killed run goes on where it
was, and a larger --limit costs only the new queries.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402
from evaluate_sets import bundle  # noqa: E402
from sets import DATA, SETS, cut  # noqa: E402

from skillshot.common.arrays import Doubles  # noqa: E402
from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.params import EvaluateParams, LlmParams  # noqa: E402
from skillshot.common.record import Record  # noqa: E402
from skillshot.evaluation.run import evaluate  # noqa: E402
from skillshot.evaluation.statistics import compare  # noqa: E402
from skillshot.llm.cache import AnswerCache  # noqa: E402
from skillshot.llm.cached_engine import CachedEngine  # noqa: E402
from skillshot.llm.open import open_engine  # noqa: E402
from skillshot.selectors.choose import choose  # noqa: E402
from skillshot.tune.bundle import tune_bundle  # noqa: E402

REPORT = Path(__file__).resolve().parents[1] / "reports" / "tune_sets.json"
SEED = 20  # of the cut and of the tuning
SETTINGS = EvaluateParams(answers=False)


def run(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """One set's part of the report."""
    folder = args.work / name
    folder.mkdir(parents=True, exist_ok=True)
    records, queries = cut(name, args.data, SEED)
    bank, queries = records[: args.rows], queries[: args.limit]
    fitted = bundle(folder, bank, False, baselines=False)
    cache = AnswerCache(args.work / "llm.jsonl")
    engine = open_engine(LlmParams(model=args.llm, base_url=args.base_url))
    tuning: dict[str, Any] = {}
    if args.budget:
        cached = CachedEngine(engine, cache, args.offline)
        tuning = tune_bundle(folder / "bundle", cached, budget=args.budget, out=folder / "tuned", seed=SEED)
    accepted = bool(tuning.get("accepted"))
    choices = choose(folder / "bundle", queries, args.selectors, args.k, SEED)
    if accepted:
        choices["tuned"] = choose(folder / "tuned", queries, ("skillshot",), args.k, SEED)["skillshot"]
    result = evaluate(engine, cache, queries, choices, SETTINGS, SEED, args.offline)
    nll = {made: np.array([row.nll for row in result.rows if row.selector == made], np.float64) for made in choices}
    return {
        "llm": engine.model, "bank": len(bank), "queries": len(queries), "k": args.k, **fitted, "tune": tuning,
        "selectors": {made: round(float(values.mean()), 4) for made, values in nll.items()},
        "pairs": pairs(nll), "changed_queries": changed(choices) if accepted else 0,
    }  # fmt: skip


def pairs(nll: dict[str, Doubles]) -> dict[str, dict[str, Any]]:
    """NLL of the bundle, as fitted and tuned, minus that of every other choice."""
    return {
        f"{ours}-{other}": compare(nll[ours], nll[other], SEED, SETTINGS.bootstrap, SETTINGS.confidence)
        for ours in ("tuned", "skillshot") if ours in nll
        for other in nll if other != ours
    }  # fmt: skip


def changed(choices: dict[str, list[list[Record]]]) -> int:
    """Queries that got other demonstrations, or the same in another order, from the tuned bundle."""
    return sum(
        [record.id for record in one] != [record.id for record in other]
        for one, other in zip(choices["tuned"], choices["skillshot"], strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", choices=list(SETS))
    parser.add_argument("--rows", type=int, default=1000, help="of the bank (default 1000)")
    parser.add_argument("--limit", type=int, default=100, help="queries of each set (default 100)")
    parser.add_argument("--budget", type=int, default=300, help="answers for tuning; 0: none (default 300)")
    parser.add_argument("-k", type=int, default=4)
    parser.add_argument("--selectors", default="skillshot,question,bm25", type=lambda text: tuple(text.split(",")))
    parser.add_argument("--llm", default=LlmParams().model)
    parser.add_argument("--base-url")
    parser.add_argument("--offline", action="store_true", help="use only the answer cache")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=Path(".cache/skillshot/tune_sets"), help="bundles, answers")
    parser.add_argument("--report", type=Path, default=REPORT)
    args = parser.parse_args()
    for name in args.sets:
        part = run(name, args)
        whole = json.loads(args.report.read_text(encoding="utf-8")) if args.report.exists() else {}
        write_json(args.report, whole | {name: part})
        print(f"{name}: {json.dumps({key: part[key] for key in ('selectors', 'pairs')}, indent=2)}", flush=True)


if __name__ == "__main__":
    main()
