"""Every selector on held-out slices of the real data sets, with the embedded model: reports/evaluate_sets.json.

    ONEDNN_MAX_CPU_ISA=DEFAULT python benchmarks/evaluate_sets.py cogs --limit 300 --precision bf16
    python benchmarks/evaluate_sets.py --offline cogs tabmwp        # the report again, from the answer cache

The run may be killed at any moment and started again, because every answer is in the cache of --work. A larger --limit
costs only the new queries; a new selector or bundle (--refit) costs only its own prompts. A query and selector takes
about 2 CPU seconds in bf16 on COGS (6 shots, score and answer), and 1 to 2 for the score alone on other data sets.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from skillshot.common.environment import configure

configure()

from sets import DATA, SEED, SETS, Spec, cut  # noqa: E402

from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.params import EvaluateParams, Params  # noqa: E402
from skillshot.common.record import Record, write_records  # noqa: E402
from skillshot.evaluation.alignment import score  # noqa: E402
from skillshot.evaluation.files import shown, write  # noqa: E402
from skillshot.evaluation.pages import markdown  # noqa: E402
from skillshot.evaluation.run import evaluate  # noqa: E402
from skillshot.evaluation.slices import CLUSTER, by_slice, skill_clusters  # noqa: E402
from skillshot.llm.cache import AnswerCache as Answers  # noqa: E402
from skillshot.llm.cached_engine import CachedEngine  # noqa: E402
from skillshot.llm.local import EmbeddedEngine  # noqa: E402
from skillshot.selectors.choose import choose_all  # noqa: E402
from skillshot.selectors.pool import Pool  # noqa: E402

REPORT = Path(__file__).resolve().parents[1] / "reports" / "evaluate_sets.json"
SELECTORS = "random,question,ridge,lars,skillshot,oracle,zero-shot"


def bundle(folder: Path, bank: list[Record], refit: bool, baselines: bool = True) -> dict[str, Any]:
    """Fit the bank unless it is fitted; returns the commit of the fitted model and the seconds."""
    from skillshot.api import fit_bundle

    facts = folder / "fitted.json"
    if refit or not facts.exists():
        facts.unlink(missing_ok=True)
        write_records(folder / "bank.jsonl", bank)
        began = time.process_time()
        fit_bundle(folder / "bank.jsonl", folder / "bundle", Params(seed=SEED), baselines=baselines)
        write_json(facts, {"commit": _commit(), "fit_cpu_seconds": round(time.process_time() - began, 1)})
    stored: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
    return stored


def run(name: str, spec: Spec, args: argparse.Namespace) -> dict[str, Any]:
    """Evaluate one data set and return its part of the report; rows and plots are written to the work folder."""
    folder = args.work / name
    folder.mkdir(parents=True, exist_ok=True)
    bank, queries = cut(name, args.data)
    queries = queries[: args.limit]
    fitted = bundle(folder, bank, args.refit)
    settings = EvaluateParams(
        shots=spec.shots, answers=spec.answers and not args.no_answers, max_tokens=spec.max_tokens, label=spec.label
    )
    engine, cache = EmbeddedEngine(args.precision), Answers(args.work / "llm.jsonl")
    cached = CachedEngine(engine, cache, args.offline)
    selection = choose_all(folder / "bundle", queries, args.selectors, spec.shots, SEED, cached, settings)
    choices = {made: chosen.demonstrations for made, chosen in selection.items()}
    result = evaluate(engine, cache, queries, choices, settings, SEED, args.offline, selection=selection)
    slices = {field: by_slice(result.rows, queries, field) for field in spec.slices}
    clusters = skill_clusters(Pool(folder / "bundle", SEED), queries, SEED)
    slices[CLUSTER] = by_slice(result.rows, queries, CLUSTER, clusters)
    extra: dict[str, Any] = {"bank": len(bank), **fitted, "slices": slices}
    if spec.label:
        aligned = score(folder / "bundle", queries, spec.label, spec.shots, seed=SEED).to_dict()
        extra["alignment"] = {"label": spec.label, "selectors": aligned["selectors"]}
    texts = shown(queries, choices)
    write(result, folder / "report", extra=extra, texts=texts)
    (folder / "report" / "disagreements.md").write_text(markdown(result, texts), encoding="utf-8")
    return result.to_dict() | extra


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main() -> None:
    """Run the data sets one after the other; the report is written after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", choices=list(SETS))
    parser.add_argument("--limit", type=int, default=300, help="queries of each set (default 300)")
    parser.add_argument("--selectors", default=SELECTORS, type=lambda text: tuple(text.split(",")))
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--no-answers", action="store_true", help="only the log-likelihood")
    parser.add_argument("--refit", action="store_true", help="fit again, after a change of the model")
    parser.add_argument("--offline", action="store_true", help="use only the answer cache")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument(
        "--work", type=Path, default=Path(".cache/skillshot/sets"), help="bundles, answer cache, rows, plots"
    )
    parser.add_argument("--report", type=Path, default=REPORT)
    args = parser.parse_args()
    for name in args.sets:
        part = run(name, SETS[name], args)
        whole = json.loads(args.report.read_text(encoding="utf-8")) if args.report.exists() else {}
        write_json(args.report, whole | {name: part})
        print(f"{name}: {dataclasses.asdict(SETS[name])}\n{json.dumps(part['selectors'], indent=2)}", file=sys.stderr)


if __name__ == "__main__":
    main()
