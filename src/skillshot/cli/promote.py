"""`skillshot promote`: make the challenger champion, if the gate lets it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from skillshot.cli.gate import COLUMNS
from skillshot.cli.output import add_command, print_json, table

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "promote", "move the alias champion, only through the gate; exit 1 when it refuses",
        "skillshot promote challenger",
    )  # fmt: skip
    parser.add_argument("version", nargs="?", default="challenger", help="number or alias (default challenger)")
    parser.add_argument(
        "--accept", action="append", default=[], metavar="NAME", help="a changed definition or rule that is intended"
    )


def run(args: argparse.Namespace) -> int:
    """Judge, move, tell."""
    from skillshot.track.promotion import promote

    store, by = open_store()
    verdict = promote(store, args.version, by, args.accept)
    rows = [row.to_json() for row in verdict.rows]
    if args.json:
        moved = asdict(verdict.move) if verdict.move else None
        print_json({"version": verdict.version, "before": verdict.before, "rows": rows, "move": moved})
    elif rows:
        print(table(rows, COLUMNS))
    before = f"version {verdict.before}" if verdict.before else "nobody"
    if verdict.move:
        told = f"version {verdict.version} is champion, after {before}; a server follows at its next start"
    elif verdict.rows:
        told = f"version {verdict.version} is refused; champion stays {before}"
    else:
        told = f"version {verdict.version} is champion already"
    print(f"promote: {told}", file=sys.stderr)
    return 0 if verdict.passed else 1


def open_store() -> tuple[MlflowStore, str]:
    """The repository's MLflow store, and who is asking (git's user.name)."""
    from skillshot.common.environment import repository
    from skillshot.common.params import load_params
    from skillshot.track.mlflow_store import MlflowStore
    from skillshot.track.state import git

    root = repository()
    settings = load_params(root / "params.yaml").register
    return MlflowStore(root, settings.experiment, settings.model_name), git(root, "config", "user.name", check=False)
