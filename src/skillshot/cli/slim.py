"""`skillshot slim`: a small copy of a bundle, for small devices and browsers."""

from __future__ import annotations

import argparse
from typing import Any

from skillshot.cli.arguments import add_bundle, add_command
from skillshot.cli.output import print_json, print_next


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "slim", "write a small copy of a bundle that needs no text encoder, for devices and browsers",
        "skillshot slim selector --out slim",
    )  # fmt: skip
    add_bundle(parser)
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="bundle to write; an old bundle there is replaced at the end"
    )


def run(args: argparse.Namespace) -> int:
    """Write it; print its size and how far its choices agree with the lite mode of the full bundle."""
    from skillshot.bundle.slim import slim

    report = {"bundle": args.out, **slim(args.bundle, args.out).report}
    if args.json:
        print_json(report)
        return 0
    sizes = f"{report['bytes'] / 1e6:.1f} MB instead of {report['bytes_before'] / 1e6:.1f} MB that lite selection read"
    print(f"{args.out}: {report['records']:,} demonstrations, {sizes}")
    print(
        f"{report['questions']} questions of the bank: the same demonstrations for {report['same']:.0%}, "
        f"{report['overlap']:.0%} of the choices in common"
    )
    print_next("skillshot", "select", args.out, "your question")
    return 0
