"""`skillshot promote`: make the challenger champion, if the gate passes."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from skillshot.cli.arguments import add_accept, add_command, add_version
from skillshot.cli.gate import add_all, remarks, sources, verdicts
from skillshot.cli.output import print_json

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "promote", "move the alias champion, only through the gate; exit 1 when it refuses",
        "skillshot promote challenger",
    )  # fmt: skip
    add_version(parser)
    parser.add_argument(
        "--new-baseline", action="store_true",
        help="the bank is not the champion's: compare with the baseline that `gate --new-baseline` recorded",
    )  # fmt: skip
    add_accept(parser)
    add_all(parser)
    parser.add_argument(
        "--no-cache", action="store_true", help="request the language model's answers again instead of using the cache"
    )
    parser.add_argument(
        "--verify", action="store_true", help="also run all stages again from scratch, with the language model"
    )


def run(args: argparse.Namespace) -> int:
    """Recompute, compare, move the alias, and print the verdict."""
    from skillshot.common.environment import repository
    from skillshot.track.promotion import promote

    store, by = open_store()
    print("promote: recomputing the evaluation in a clean copy", file=sys.stderr)
    verdict = promote(
        store, repository(), args.version, by, args.accept,
        everything=args.verify, cached=not args.no_cache, new_baseline=args.new_baseline,
    )  # fmt: skip
    rows = [row.to_dict() for row in verdict.rows]
    if args.json:
        moved = asdict(verdict.move) if verdict.move else None
        print_json({"version": verdict.version, "before": verdict.before, "rows": rows, "move": moved})
    elif rows:
        print("\n".join(verdicts(rows, args.all)))
    for line in remarks(rows):
        print(f"promote: {line}", file=sys.stderr)
    print(f"promote: {sources(rows)}", file=sys.stderr)
    if verdict.move:
        before = f"after version {verdict.before}" if verdict.before else "the first one"
        outcome = f"version {verdict.version} is champion, {before}; a server follows at its next start"
    elif verdict.rows:
        stays = f"champion stays version {verdict.before}" if verdict.before else "there is no champion yet"
        outcome = f"version {verdict.version} is refused; {stays}"
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
