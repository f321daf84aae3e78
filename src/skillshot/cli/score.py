"""`skillshot score`: skill alignment of every selector, without an LLM."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from skillshot.cli.arguments import add_bundle, add_columns, add_command, add_k, add_limit, add_selectors, columns_of
from skillshot.cli.output import print_json
from skillshot.common.tables import counted, pairs, table, undecided


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "score", "measure how often each selector finds demonstrations with the query's labelled skill",
        "skillshot score selector queries.jsonl --label skill -k 4",
    )  # fmt: skip
    add_bundle(parser)
    parser.add_argument("queries", help="file of queries that carry the label")
    parser.add_argument("--label", required=True, metavar="FIELD", help="field that holds the skill (text or list)")
    add_k(parser)
    add_limit(parser)
    add_columns(parser)
    add_selectors(
        parser, "any that asks no LLM: also random-2, mmr, dpp, skillshot_mmr, langchain_similarity, langchain_mmr, "
        "dspy_knn (default: random to oracle)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Score and print the table or the document."""
    from skillshot.bank.load import load_queries
    from skillshot.evaluation.alignment import score
    from skillshot.evaluation.run import sample
    from skillshot.selectors.registry import DEFAULT

    loaded = load_queries(args.queries, columns=columns_of(args))
    if loaded.quarantined:
        print(f"{args.queries}: {counted(len(loaded.quarantined), 'row')} left out", file=sys.stderr)
    alignment = score(
        args.bundle, sample(loaded.records, args.limit, args.seed), args.label, args.k, args.selectors or DEFAULT,
        seed=args.seed, progress=lambda name: print(f"scoring {name}", file=sys.stderr),
    )  # fmt: skip
    report = alignment.to_dict()
    if args.json:
        print_json(report)
        return 0
    metrics = list(next(iter(report["selectors"].values())))
    rows = [{"selector": name, **values} for name, values in report["selectors"].items()]
    print(f"{counted(report['queries'], 'query')}, k = {report['k']}, label {args.label}")
    print(table(rows, ["selector", *metrics]))
    for first, second, values in pairs(report):
        for metric, pair in values.items():
            print(f"{first}-{second}: {metric} {pair['diff']:+.3f} [{pair['low']:+.3f}, {pair['high']:+.3f}]")
    for sentence in undecided(report):
        print(sentence)
    if nmi := ", ".join(f"{name} {value:.3f}" for name, value in report["nmi"].items()):
        print(f"clusters of the bank's vectors against the label (NMI; 1: the same groups, 0: unrelated): {nmi}")
    for name, reason in alignment.left_out.items():
        print(f"{name} left out: {reason}")
    return 0
