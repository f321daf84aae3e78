"""`skillshot pull`: a bundle from a folder, a Hugging Face repository or the MLflow registry, checked."""

from __future__ import annotations

import argparse
from typing import Any

from skillshot.cli.arguments import add_command
from skillshot.cli.output import print_json


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "pull", "fetch a bundle from a folder, a Hugging Face repository or the MLflow registry",
        "skillshot pull models:/skillshot-selector@champion selector",
    )  # fmt: skip
    parser.add_argument(
        "source", help="hf:OWNER/NAME[@REVISION], models:/NAME@ALIAS, models:/NAME/VERSION, or a folder"
    )
    parser.add_argument("bundle", help="bundle folder to write; an old bundle there is replaced at the end")


def run(args: argparse.Namespace) -> int:
    """Fetch, and print how many demonstrations it has."""
    from skillshot.bundle.hub import pull
    from skillshot.runtime.manifest import read_manifest

    folder = pull(args.source, args.bundle)
    records = read_manifest(folder)["data"]["records"]
    report = {"source": args.source, "bundle": str(folder), "demonstrations": records}
    print_json(report) if args.json else print(f"{folder}: {records} demonstrations")
    return 0
