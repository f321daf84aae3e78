"""`skillshot fit`: a bank file to a bundle, without DVC."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from skillshot.cli.output import add_command, print_json


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "fit", "check, embed, train, export and index a bank file",
        "skillshot fit bank.jsonl --out selector --set train.latent_dim=64",
    )  # fmt: skip
    parser.add_argument("bank", help="jsonl, jsonl.gz, parquet or csv file with question, rationale, answer")
    parser.add_argument(
        "--out", required=True, help="bundle folder to write; an old bundle there is replaced at the end"
    )
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a parameter")


def run(args: argparse.Namespace) -> int:
    """Fit, and say what was made."""
    from skillshot.api import fit_bundle
    from skillshot.common.params import default_params

    report = fit_bundle(args.bank, Path(args.out), default_params(args.set), _say)
    if args.json:
        print_json(report)
    else:
        print(f"{args.out}: {report['accepted']} demonstrations, {report['quarantined']} rows quarantined")
        for reason, count in sorted(report["reasons"].items()):
            print(f"  {reason}: {count}")
        print(f'next: skillshot select {args.out} "your question" -k 4 --prompt')
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)
