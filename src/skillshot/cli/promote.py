"""`skillshot promote`: make the challenger champion, if the gate passes."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from skillshot.cli.arguments import add_accept, add_command, add_version
from skillshot.cli.gate import COLUMNS, sources
from skillshot.cli.output import print_json
from skillshot.common.tables import table

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "promote", "move the alias champion, only through the gate; exit 1 when it refuses",
        "skillshot promote challenger",
    )  # fmt: skip
    add_version(parser)
    add_accept(parser)
    parser.add_argument(
        "--verify", action="store_true", help="also run all stages again from scratch, with the language model"
    )


def run(args: argparse.Namespace) -> int:
    """Recompute, compare, move the alias, and print the verdict."""
    from skillshot.common.environment import repository
    from skillshot.track.promotion import promote

    store, by = open_store()
    print("promote: recomputing the evaluation in a clean copy", file=sys.stderr)
    verdict = promote(store, repository(), args.version, by, args.accept, everything=args.verify)
    rows = [row.to_dict() for row in verdict.rows]
    if args.json:
        moved = asdict(verdict.move) if verdict.move else None
        print_json({"version": verdict.version, "before": verdict.before, "rows": rows, "move": moved})
    elif rows:
        print(table(rows, COLUMNS))
    print(f"promote: {sources(rows)}", file=sys.stderr)
    before = f"version {verdict.before}" if verdict.before else "no version"
    if verdict.move:
        outcome = f"version {verdict.version} is champion, after {before}; a server follows at its next start"
    elif verdict.rows:
        outcome = f"version {verdict.version} is refused; champion stays {before}"
    else:
        outcome = f"version {verdict.version} is champion already"
    print(f"promote: {outcome}", file=sys.stderr)
    return 0 if verdict.passed else 1


def open_store() -> tuple[MlflowStore, str]:
    """The repository's MLflow store, and git's user.name for the history."""
    from skillshot.common.environment import repository
    from skillshot.common.params import load_params
    from skillshot.track.mlflow_store import MlflowStore
    from skillshot.track.state import git

    root = repository()
    settings = load_params(root / "params.yaml").register
    return MlflowStore(root, settings.experiment, settings.model_name), git(root, "config", "user.name", check=False)
