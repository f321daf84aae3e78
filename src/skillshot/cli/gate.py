"""`skillshot gate`: did anything get worse since a git revision?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from skillshot.cli.arguments import add_accept, add_command, add_markdown
from skillshot.cli.markdown import markdown
from skillshot.cli.output import print_json
from skillshot.common.tables import table

COLUMNS = ("name", "status", "baseline", "current", "allowed", "source", "detail")


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "gate", "compare reports/ with a git revision under gates.yaml; exit 1 on a regression",
        "skillshot gate --baseline origin/main --markdown",
    )  # fmt: skip
    parser.add_argument("--baseline", default="HEAD", metavar="REV", help="git revision to compare with (default HEAD)")
    parser.add_argument("--gates", default="gates.yaml", metavar="FILE", help="the rules (default gates.yaml)")
    parser.add_argument(
        "--recompute", action="store_true", help="compute the evaluation again from bundle, queries and cached answers"
    )
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
    current, rows = of_tree(root), staleness(root)
    if args.recompute:
        from skillshot.track.recompute import recompute_tree

        evidence = recompute_tree(root)
        current, rows = current.with_texts(evidence.texts, evidence.inputs), rows + list(evidence.rows)
    rows += compare(gates, of_revision(root, args.baseline), current, args.accept)
    failed = [row for row in rows if not row.passed]
    if args.json:
        print_json({"baseline": args.baseline, "passed": not failed, "rows": [row.to_dict() for row in rows]})
    elif args.markdown:
        print(markdown(f"Gate against `{args.baseline}`", [row.to_dict() for row in rows], COLUMNS))
    else:
        print(table([row.to_dict() for row in rows], COLUMNS))
    for row in failed:
        print(f"gate: {row.name}: {row.status}; {row.detail}".rstrip("; "), file=sys.stderr)
    print(f"gate: {sources([row.to_dict() for row in rows])}", file=sys.stderr)
    verdict = f"{len(failed)} of {len(rows)} checks fail" if failed else f"all {len(rows)} checks pass"
    print(f"gate: {verdict} against {args.baseline}", file=sys.stderr)
    return 1 if failed else 0


def sources(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many rows rest on what was recomputed, and which reports on trust."""
    trusted = [row["name"] for row in rows if row["source"] == "on trust"]
    stages = sorted({name.partition(".")[0] for name in trusted if ":" not in name and "/" not in name})
    count = f"{len(rows) - len(trusted)} of {len(rows)} checks rest on what was recomputed"
    return f"{count}; on trust: the reports of {', '.join(stages)}" if stages else count
