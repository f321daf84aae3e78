"""`skillshot add`: add demonstrations to a bundle without retraining."""

from __future__ import annotations

import argparse
from typing import Any

from skillshot.cli.arguments import add_bank, add_bundle, add_columns, add_command, columns_of
from skillshot.cli.output import print_json


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "add", "add demonstrations to a bundle without retraining", "skillshot add selector more.jsonl"
    )
    add_bundle(parser)
    add_bank(parser)
    parser.add_argument("file", help="bank file with the new demonstrations")
    add_columns(parser)


def run(args: argparse.Namespace) -> int:
    """Change the bank and print its new size."""
    from skillshot.bank.load import load_bank
    from skillshot.bundle.edit import add

    loaded = load_bank(args.file, columns=columns_of(args))
    size = add(args.bundle, loaded.records, args.bank)
    report = {"bundle": args.bundle, "added": len(loaded.records), "refused": len(loaded.quarantined), "size": size}
    if args.json:
        print_json(report | {"quarantined": [row.to_dict() for row in loaded.quarantined]})
    else:
        print(f"{args.bundle}: {report['added']} added, {report['refused']} refused, {size} demonstrations")
        for row in loaded.quarantined:
            print(f"  {row.place}: {row.reason}")
    return 0
