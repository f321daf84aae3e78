"""`skillshot rollback`: the previous champion becomes champion again."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from skillshot.cli.arguments import add_command
from skillshot.cli.output import print_json


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    add_command(subparsers, "rollback", "give the alias champion back to the version before", "skillshot rollback")


def run(args: argparse.Namespace) -> int:
    """Move the alias back and print it."""
    from skillshot.cli.promote import open_store
    from skillshot.track.promotion import rollback

    store, by = open_store()
    move = rollback(store, by)
    if args.json:
        print_json(asdict(move))
    print(f"rollback: version {move.version} is champion again, after version {move.before}", file=sys.stderr)
    return 0
