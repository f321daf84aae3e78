"""`skillshot verify`: run the committed pipeline again and compare with the committed `dvc.lock`."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skillshot.cli.arguments import add_command, add_markdown
from skillshot.cli.markdown import markdown
from skillshot.cli.output import print_json
from skillshot.common.tables import table

if TYPE_CHECKING:
    from skillshot.track.verify import Verification

COLUMNS = ("stage", "verdict", "outs", "apart", "tolerance", "detail")


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "verify", "re-run the committed pipeline from a clean copy and compare with dvc.lock",
        "skillshot verify --revision v0.1.0",
    )  # fmt: skip
    parser.add_argument("--revision", default="HEAD", metavar="REV", help="git revision to verify (default HEAD)")
    parser.add_argument("--stage", action="append", default=[], help="only this stage and what it needs; repeatable")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the copy goes and stays (default: temporary)")
    add_markdown(parser)


def run(args: argparse.Namespace) -> int:
    """Verify and print; 1 when something differs."""
    from skillshot.common.environment import repository
    from skillshot.track.state import git
    from skillshot.track.verify import verify

    root = repository()
    if git(root, "status", "--porcelain", check=False):
        print(f"verify: uncommitted changes are left out; {args.revision} is verified", file=sys.stderr)
    found = verify(root, args.revision, args.folder.resolve() if args.folder else None, args.stage)
    rows = per_stage(found)
    if args.json:
        print_json(
            {
                "commit": found.commit,
                "passed": found.passed,
                "stages": rows,
                "outs": [_finite(asdict(row)) for row in found.checked],
                "machine": [dict(zip(("fact", "then", "now"), row, strict=True)) for row in found.machine],
            }
        )
    elif args.markdown:
        print(markdown(f"verify `{found.commit[:12]}`", rows, COLUMNS))
    else:
        print(table(rows, COLUMNS))
    for fact, then, now in found.machine:
        print(f"verify: this machine differs: {fact}: {then} when committed, {now} here", file=sys.stderr)
    print(f"verify: {found.commit[:12]} {'is reproduced' if found.passed else 'is NOT reproduced'}", file=sys.stderr)
    return 0 if found.passed else 1


def per_stage(found: Verification) -> list[dict[str, Any]]:
    """One row per stage: its worst out."""
    rows = []
    for stage in dict.fromkeys(row.stage for row in found.checked):
        outs = [row for row in found.checked if row.stage == stage]
        worst = max(outs, key=lambda row: (not row.passed, row.verdict != "same bytes", row.apart or 0))
        apart = "" if worst.apart in (None, 0) else f"{worst.apart:.1e}"
        rows.append(
            {
                "stage": stage,
                "verdict": worst.verdict,
                "outs": len(outs),
                "apart": apart,
                "tolerance": f"{worst.tolerance:g}" if worst.tolerance else "bytes",
                "detail": "" if worst.verdict == "same bytes" else f"{worst.path} {worst.detail}".strip(),
                "passed": worst.passed,
            }
        )
    return rows


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {k: "infinite" if isinstance(v, float) and math.isinf(v) else v for k, v in row.items()}
