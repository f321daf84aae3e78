"""`skillshot tune`: weights of the score from a language model's feedback on the bank's own examples."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from skillshot.cli.arguments import add_bundle, add_command, add_k, add_seed, add_set, positive
from skillshot.cli.output import print_json, print_next
from skillshot.common.sinks import one_line
from skillshot.common.tables import counted, table

BUDGET = 400


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "tune", "learn the weights of the score from an LLM's feedback on the bank's own examples",
        "skillshot tune selector --budget 400 --out tuned",
    )  # fmt: skip
    add_bundle(parser)
    parser.add_argument("--llm", metavar="MODEL", help="name of the model (default: the embedded SmolLM2-135M)")
    parser.add_argument(
        "--base-url", metavar="URL",
        help="OpenAI-compatible endpoint that returns log-probabilities; its key comes from OPENAI_API_KEY",
    )  # fmt: skip
    parser.add_argument(
        "--budget", type=positive, default=BUDGET, metavar="CALLS",
        help=f"answers of the LLM at most, about six for a question (default {BUDGET})",
    )  # fmt: skip
    add_k(parser, default=None, shown="the bundle's own")
    add_seed(parser)
    parser.add_argument(
        "--out", metavar="BUNDLE2", help="write the tuned bundle there (default: BUNDLE is replaced, in one step)"
    )
    parser.add_argument(
        "--cache", "--record", metavar="FILE", help="answer cache (default .cache/skillshot/llm/llm.jsonl)"
    )
    parser.add_argument("--offline", action="store_true", help="fail on a cache miss")
    add_set(parser, "llm.timeout=30 (sections evaluate and llm)")


def run(args: argparse.Namespace) -> int:
    """Tune, write what is accepted, print the figures."""
    from skillshot.common.params import default_params
    from skillshot.llm.cache import AnswerCache, default_path
    from skillshot.llm.cached_engine import CachedEngine
    from skillshot.llm.open import open_engine
    from skillshot.tune.bundle import REPORT, tune_bundle

    given = {"llm.model": args.llm, "llm.base_url": args.base_url}
    flags = [f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None]
    params = default_params([*args.overrides, *flags])
    engine = CachedEngine(open_engine(params.llm), AnswerCache(args.cache or default_path()), args.offline)
    out = Path(args.out or args.bundle)
    report = tune_bundle(
        Path(args.bundle), engine, budget=args.budget, out=out, k=args.k, seed=args.seed, params=params.evaluate
    )
    if args.json:
        print_json(report | {"timing": report["timing"] | {"calls_made": engine.misses}})
        return 0
    _print(report)
    print(f"report: {one_line(f'{out}{REPORT}')}")
    if report["accepted"]:
        print_next("skillshot", "evaluate", out, "queries.jsonl")
    return 0


def _print(report: dict[str, Any]) -> None:
    calls = f"{counted(report['calls'], 'call')}, {counted(report['prompt_tokens'], 'prompt token')}"
    print(f"{one_line(report['llm'])}: {counted(report['queries'], 'question')} of the bank, {calls}")
    rows = {"tuned (cross-validated)": report["change"]} | report["others"]
    print(table([{"gold NLL minus that of the present weights": name, **row} for name, row in rows.items()],
                ["gold NLL minus that of the present weights", "diff", "low", "high"]))  # fmt: skip
    weights = report["weights"]
    print(table([{"weights": name, **weights[name]} for name in ("before", "learned")],
                ["weights", "skill", "sentence", "words"]))  # fmt: skip
    if report["others"]["zero-shot"]["high"] < 0:
        print("no demonstration at all is better than the present choice: use none (k = 0) with this model")
    changed = f"{report['changed_queries']} of {counted(report['queries'], 'question')} got another choice"
    print(f"{report['finding']}: {changed}{'' if report['accepted'] else '; the bundle stays as it is'}")
