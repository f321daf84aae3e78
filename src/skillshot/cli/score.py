"""`skillshot score`: skill alignment of every selector, without an LLM."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from skillshot.cli.output import add_command, print_json, table


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "score", "how often each selector finds demonstrations with the query's labelled skill",
        "skillshot score selector queries.jsonl --label skill -k 4",
    )  # fmt: skip
    parser.add_argument("bundle", help="bundle folder")
    parser.add_argument("queries", help="file of queries that carry the label")
    parser.add_argument("--label", required=True, metavar="FIELD", help="field that holds the skill (text or list)")
    parser.add_argument("-k", type=int, default=4, help="demonstrations per query (default 4)")
    parser.add_argument("--seed", type=int, default=0, help="of the random selector and the intervals")
    parser.add_argument(
        "--selectors", metavar="A,B", help="comma-separated, any that asks no LLM: also random-2, mmr, dpp, "
        "skillshot_mmr, langchain_similarity, langchain_mmr, dspy_knn (default: those of the contract)",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, help="only so many queries, from the start")


def run(args: argparse.Namespace) -> int:
    """Score and print the table or the document."""
    from skillshot.bank.load import load_queries
    from skillshot.common.errors import InputError
    from skillshot.evaluation.alignment import score
    from skillshot.selectors.registry import DEFAULT

    if args.k < 1:
        raise InputError(f"-k {args.k}: expected at least 1")
    loaded = load_queries(args.queries, limit=args.limit)
    if loaded.quarantined:
        print(f"{args.queries}: {len(loaded.quarantined)} rows left out", file=sys.stderr)
    names = tuple(name.strip() for name in args.selectors.split(",") if name.strip()) if args.selectors else DEFAULT
    alignment = score(
        args.bundle, loaded.records, args.label, args.k, names, seed=args.seed,
        progress=lambda name: print(f"scoring {name}", file=sys.stderr),
    )  # fmt: skip
    report = alignment.to_dict()
    if args.json:
        print_json(report)
        return 0
    metrics = list(next(iter(report["selectors"].values())))
    rows = [{"selector": name, **values} for name, values in report["selectors"].items()]
    print(f"{report['queries']} queries, k = {report['k']}, label {args.label}")
    print(table(rows, ["selector", *metrics]))
    for name, values in report["pairs"].items():
        for metric, pair in values.items():
            print(f"{name}: {metric} {pair['diff']:+.3f} [{pair['low']:+.3f}, {pair['high']:+.3f}]")
    print("NMI of clusters: " + ", ".join(f"{name} {value:.3f}" for name, value in report["nmi"].items()))
    for name in report.get("left_out", ()):
        print(f"{name} left out: the queries have no rationale")
    return 0
