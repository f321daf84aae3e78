"""`skillshot evaluate`: what a language model makes of each selector's demonstrations."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from skillshot.cli.output import add_command, print_json, table

SHOTS, ORDERS = (1, 2, 4, 8), 3  # of --vary


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "evaluate", "accuracy and gold log-likelihood of an LLM with each selector's demonstrations",
        "skillshot evaluate selector queries.jsonl --selectors random,question,skillshot --limit 20",
    )  # fmt: skip
    parser.add_argument("bundle", help="bundle folder")
    parser.add_argument("queries", help="file of queries with rationale and answer")
    parser.add_argument(
        "--selectors",
        metavar="A,B",
        help="comma-separated (default: params): zero-shot, random, random-2, bm25, question, mmr, dpp, ridge, "
        "lars, skillshot, skillshot_mmr, lite, oracle, oracle_features, skill_knn and retrieval_r (which ask the LLM), "
        "langchain_similarity, langchain_mmr, dspy_knn",
    )
    parser.add_argument("--shots", type=int, metavar="K", help="demonstrations per prompt (default 4)")
    parser.add_argument("--limit", type=int, metavar="N", help="so many queries, drawn with the seed (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw, the random selector and the intervals")
    parser.add_argument("--llm", metavar="MODEL", help="name of the model (default: the embedded SmolLM2-135M)")
    parser.add_argument(
        "--base-url", metavar="URL", help="OpenAI-compatible endpoint; its key comes from OPENAI_API_KEY"
    )
    parser.add_argument("--no-answers", action="store_true", help="only the log-likelihood, which is quicker")
    parser.add_argument(
        "--record", metavar="FILE", help="where answers are kept (default .cache/skillshot/llm/llm.jsonl)"
    )
    parser.add_argument("--offline", action="store_true", help="fail where an answer is not recorded")
    parser.add_argument("--out", metavar="FOLDER", help="also write evaluate.json, evaluate_rows.csv and plots there")
    parser.add_argument(
        "--slice",
        metavar="FIELD",
        help="also by this field of the queries (of a list: its length), by steps, or by skill_cluster",
    )
    parser.add_argument(
        "--vary", choices=("shots", "order"), help="also with 1, 2, 4, 8 demonstrations, or in other orders: more calls"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
        help="any setting of the sections evaluate and llm, such as llm.timeout=30",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Evaluate and print the table or the document."""
    from pathlib import Path

    from skillshot.bank.load import load_queries
    from skillshot.common.io import atomic_write
    from skillshot.evaluation.files import shown, write
    from skillshot.evaluation.pages import markdown
    from skillshot.evaluation.results import Prices
    from skillshot.evaluation.run import evaluate, sample
    from skillshot.evaluation.slices import CLUSTER, by_slice, skill_clusters, variants
    from skillshot.llm.cache import AnswerCache, default_path
    from skillshot.llm.cached_engine import CachedEngine
    from skillshot.llm.open import open_engine
    from skillshot.selectors.choose import choose_all
    from skillshot.selectors.pool import Pool

    params = _params(args)
    settings = params.evaluate
    loaded = load_queries(args.queries)
    if loaded.quarantined:
        print(f"{args.queries}: {len(loaded.quarantined)} rows left out", file=sys.stderr)
    queries = sample(loaded.records, settings.limit, args.seed)
    most = max(SHOTS) if args.vary == "shots" else settings.shots
    engine, record = open_engine(params.llm), AnswerCache(args.record or default_path())
    selection = choose_all(
        args.bundle, queries, settings.selectors, most, args.seed, CachedEngine(engine, record, args.offline), settings
    )
    chosen = {name: made.demonstrations for name, made in selection.items()}
    choices = {name: [rows[: settings.shots] for rows in picked] for name, picked in chosen.items()}
    if args.vary == "shots":
        choices |= variants(chosen, shots=SHOTS)
    elif args.vary == "order":
        choices |= variants(chosen, orders=ORDERS, seed=args.seed)
    paid = params.llm.price_input or params.llm.price_output
    prices = Prices(params.llm.price_input, params.llm.price_output) if paid else None
    evaluation = evaluate(
        engine, record, queries, choices, settings, args.seed, args.offline, selection=selection, prices=prices
    )
    if args.out:
        texts = shown(queries, choices)
        write(evaluation, Path(args.out), texts=texts)
        with atomic_write(Path(args.out) / "disagreements.md") as handle:
            handle.write(markdown(evaluation, texts))
    report = evaluation.to_json()
    if args.slice:
        of = skill_clusters(Pool(args.bundle), queries, args.seed) if args.slice == CLUSTER else None
        report["slices"] = {args.slice: by_slice(evaluation.rows, queries, args.slice, of)}
    if args.json:
        print_json(report)
    else:
        _print(report)
    return 0


def _params(args: argparse.Namespace) -> Any:
    import dataclasses

    from skillshot.common.errors import InputError
    from skillshot.common.params import default_params

    params = default_params(args.overrides)
    limited = any(override.startswith("evaluate.limit=") for override in args.overrides)
    changes: dict[str, Any] = {} if limited else {"limit": args.limit}
    if args.selectors:
        changes["selectors"] = tuple(name.strip() for name in args.selectors.split(",") if name.strip())
    if args.shots is not None:
        changes["shots"] = args.shots
    if args.no_answers:
        changes["answers"] = False
    for name, value in (("--shots", args.shots), ("--limit", args.limit)):
        if value is not None and value < 1:
            raise InputError(f"{name} {value}: expected at least 1")
    llm: dict[str, Any] = {key: value for key, value in (("model", args.llm), ("base_url", args.base_url)) if value}
    return dataclasses.replace(
        params,
        evaluate=dataclasses.replace(params.evaluate, **changes),
        llm=dataclasses.replace(params.llm, **llm),
    )


def _print(report: dict[str, Any]) -> None:
    columns = ["accuracy", "nll", "format_valid", "llm_calls", "prompt_tokens", "seconds"]
    for extra in ("selection_calls", "bank_calls", "money"):
        if any(row.get(extra) for row in report["selectors"].values()):
            columns.append(extra)
    seconds = report["timing"]["seconds"]
    rows = [{"selector": name, **row, "seconds": seconds[name]} for name, row in report["selectors"].items()]
    print(f"{report['llm']}: {report['queries']} queries, {report['shots']} shots")
    print(table(rows, ["selector", *columns]))
    for name, metrics in report["pairs"].items():
        for metric, pair in metrics.items():
            if pair:
                print(
                    f"{name}: {metric} {pair['diff']:+.3f} [{pair['low']:+.3f}, {pair['high']:+.3f}] p {pair['p']:.3g}"
                )
    for field, slices in report.get("slices", {}).items():
        for value, part in slices.items():
            print(f"\n{field} {value}: {part['queries']} queries")
            print(
                table([{"selector": n, **row} for n, row in part["selectors"].items()], ["selector", "accuracy", "nll"])
            )
    for name, why in (report.get("missing", {}) | report.get("notes", {})).items():
        print(f"{name}: {why}")
    print(f"share of the time in the engine: {report['timing']['share_in_engine']:.0%}")
