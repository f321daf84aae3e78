"""`skillshot adapt`: a fitted bundle moved to another bank."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from skillshot.cli.arguments import add_bundle, add_columns, add_command, add_set, columns_of
from skillshot.cli.fit import show
from skillshot.common.sinks import one_line


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "adapt", "move a fitted bundle to another bank: it learns from both, and selects from the new one",
        "skillshot adapt selector new.jsonl --out selector2",
    )  # fmt: skip
    add_bundle(parser)
    parser.add_argument("bank", help="bank file as for `skillshot fit`; a single row is enough")
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="bundle to write; an old bundle there is replaced at the end"
    )
    add_columns(parser)
    add_set(parser, "train.prior=none")


def run(args: argparse.Namespace) -> int:
    """Adapt, and print what `skillshot fit` prints, and where the knowledge came from."""
    from skillshot.api import adapt_bundle
    from skillshot.runtime.manifest import read_manifest

    columns = columns_of(args)
    overrides = [*args.overrides, f"ingest.columns={json.dumps(columns)}"] if columns else args.overrides
    report = adapt_bundle(args.bundle, args.bank, Path(args.out), overrides)
    if not args.json and (source := report["adapted"]):
        print(
            one_line(
                f"learned together with {source['records']:,} examples of {source['bundle']}, sha256 {source['sha256']}"
            )
        )
    show(report, args.out, read_manifest(args.out)["select"]["k"], as_json=args.json)
    return 0
