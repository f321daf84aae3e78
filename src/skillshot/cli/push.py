"""`skillshot push`: a bundle to a folder, a Hugging Face repository or the MLflow registry."""

from __future__ import annotations

import argparse
from typing import Any

from skillshot.cli.arguments import add_bundle, add_command
from skillshot.cli.output import print_json


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "push", "send a bundle to a folder, a Hugging Face repository or the MLflow registry",
        "skillshot push selector hf:someone/selector",
    )  # fmt: skip
    add_bundle(parser)
    parser.add_argument("target", help="hf:OWNER/NAME, models:/NAME, or a folder")


def run(args: argparse.Namespace) -> int:
    """Send, and print the address."""
    from skillshot.bundle.hub import push

    where = push(args.bundle, args.target)
    print_json({"bundle": args.bundle, "pushed": where}) if args.json else print(where)
    return 0
