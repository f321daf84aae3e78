"""`skillshot audit`: checks the record that `--audit` writes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from skillshot.cli.arguments import add_command
from skillshot.cli.output import print_json
from skillshot.common.sinks import one_line

SHOWN = 20  # faults that are printed for people


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "audit", "check that no line of an audit record was changed, removed or moved",
        "skillshot audit verify audit.jsonl",
    )  # fmt: skip
    parser.add_argument("action", choices=("verify",), help="compare every line with the one before")
    parser.add_argument("file", type=Path, help="what `skillshot select --audit FILE` has written")
    parser.add_argument(
        "--last", type=_digest, metavar="DIGEST", help="digest that was printed before; finds a cut end"
    )


def run(args: argparse.Namespace) -> int:
    """Check and print; 1 when a line is wrong."""
    from skillshot.common.chain import check

    found = check(args.file, args.last)
    if args.json:
        print_json(
            {
                "passed": not found.wrong,
                "lines": found.lines,
                "last": found.last,
                "wrong": list(found.wrong),
                "remarks": list(found.remarks),
            }
        )
    for text in (*found.remarks, *found.wrong[:SHOWN]):
        print(f"{args.file}: {one_line(text)}", file=sys.stderr)
    if len(found.wrong) > SHOWN:
        print(f"{args.file}: {len(found.wrong) - SHOWN:,} more", file=sys.stderr)
    if not args.json:
        print(f"{args.file}: {found.lines:,} lines, {'NOT ' * bool(found.wrong)}intact, last digest {found.last}")
    return 1 if found.wrong else 0


def _digest(text: str) -> str:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text}: expected 64 hexadecimal digits, as `audit verify` prints them")
    return text
