"""`skillshot gate`: did anything get worse since a git revision?"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from skillshot.cli.arguments import add_accept, add_command, add_markdown
from skillshot.cli.markdown import markdown
from skillshot.cli.output import print_json
from skillshot.common.tables import table

COLUMNS = ("name", "status", "baseline", "current", "allowed", "detail")


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "gate", "compare reports/ with a git revision under gates.yaml; exit 1 on a regression",
        "skillshot gate --baseline origin/main --markdown",
    )  # fmt: skip
    parser.add_argument("--baseline", default="HEAD", metavar="REV", help="git revision to compare with (default HEAD)")
    parser.add_argument("--gates", default="gates.yaml", metavar="FILE", help="the rules (default gates.yaml)")
    add_accept(parser)
    add_markdown(parser)


def run(args: argparse.Namespace) -> int:
    """Compare and print; 1 when a row fails."""
    from skillshot.common.environment import repository
    from skillshot.common.errors import TrackError
    from skillshot.track.gate import compare
    from skillshot.track.rules import parse_gates
    from skillshot.track.snapshot import of_revision, of_tree
    from skillshot.track.staleness import staleness

    root = repository()
    path = root / args.gates
    if not path.is_file():
        raise TrackError(f"{args.gates}: no such file in {root}\nit holds the rules of the gate; give it with --gates")
    gates = parse_gates(path.read_text(encoding="utf-8"), args.gates)
    rows = staleness(root) + compare(gates, of_revision(root, args.baseline), of_tree(root), args.accept)
    failed = [row for row in rows if not row.passed]
    if args.json:
        print_json({"baseline": args.baseline, "passed": not failed, "rows": [row.to_dict() for row in rows]})
    elif args.markdown:
        print(markdown(f"Gate against `{args.baseline}`", [row.to_dict() for row in rows], COLUMNS))
    else:
        print(table([row.to_dict() for row in rows], COLUMNS))
    for row in failed:
        print(f"gate: {row.name}: {row.status}; {row.detail}".rstrip("; "), file=sys.stderr)
    verdict = f"{len(failed)} of {len(rows)} checks fail" if failed else f"all {len(rows)} checks pass"
    print(f"gate: {verdict} against {args.baseline}", file=sys.stderr)
    return 1 if failed else 0
