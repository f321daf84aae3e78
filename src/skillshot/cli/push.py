"""`skillshot push`: a bundle to a folder, a hub or the MLflow registry; its bank to a database."""

from __future__ import annotations

import argparse
from typing import Any

from skillshot.cli.arguments import add_bundle, add_command
from skillshot.cli.output import print_json


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "push", "send a bundle to a folder, a hub or the MLflow registry, or its bank to a database",
        "skillshot push selector hf:someone/selector",
    )  # fmt: skip
    add_bundle(parser)
    parser.add_argument("target", help="hf:OWNER/NAME, models:/NAME, a folder, or postgresql://USER@HOST/DATABASE")


def run(args: argparse.Namespace) -> int:
    """Send, and print the address."""
    from skillshot.bundle.hub import push

    where = push(args.bundle, args.target)
    print_json({"bundle": args.bundle, "pushed": where}) if args.json else print(where)
    return 0
