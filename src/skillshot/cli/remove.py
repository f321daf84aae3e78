"""`skillshot remove`: remove demonstrations from a bundle by id."""

from __future__ import annotations

import argparse
from typing import Any

from skillshot.cli.arguments import add_bank, add_bundle, add_command
from skillshot.cli.output import print_json


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "remove", "remove demonstrations from a bundle by id", "skillshot remove selector id-1 id-2"
    )
    add_bundle(parser)
    add_bank(parser)
    parser.add_argument("ids", nargs="+", help="ids to remove")


def run(args: argparse.Namespace) -> int:
    """Change the bank and print its new size."""
    from skillshot.bundle.edit import remove

    size = remove(args.bundle, args.ids, args.bank)
    report = {"bundle": args.bundle, "removed": len(set(args.ids)), "size": size}
    if args.json:
        print_json(report)
    else:
        print(f"{args.bundle}: {report['removed']} removed, {size} demonstrations")
    return 0
