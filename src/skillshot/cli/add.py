"""`skillshot add`: add demonstrations to a bundle without retraining."""

from __future__ import annotations

import argparse
from typing import Any

from skillshot.cli.output import add_command, print_json


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "add", "add demonstrations to a bundle without retraining", "skillshot add selector more.jsonl"
    )
    parser.add_argument("bundle", help="bundle folder")
    parser.add_argument("file", help="bank file with the new demonstrations")


def run(args: argparse.Namespace) -> int:
    """Change the bank and tell its new size."""
    from skillshot.bank.load import load_bank
    from skillshot.bundle.edit import add

    loaded = load_bank(args.file)
    size = add(args.bundle, loaded.records)
    report = {"bundle": args.bundle, "added": len(loaded.records), "refused": len(loaded.quarantined), "size": size}
    if args.json:
        print_json(report | {"quarantined": [row.to_json() for row in loaded.quarantined]})
    else:
        print(f"{args.bundle}: {report['added']} added, {report['refused']} refused, {size} demonstrations")
        for row in loaded.quarantined:
            print(f"  {row.file}:{row.line}: {row.reason}")
    return 0
