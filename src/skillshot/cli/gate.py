"""`skillshot gate`: did anything get worse since a git revision?"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skillshot.cli.arguments import add_accept, add_command, add_markdown
from skillshot.cli.markdown import markdown
from skillshot.cli.output import print_json
from skillshot.common.sinks import one_line
from skillshot.common.tables import counted, table

NARROW = ("name", "status", "baseline", "current", "allowed")  # the text; reasons are on lines of their own
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
    parser.add_argument(
        "--new-baseline", action="store_true",
        help="the bank is another one than that of REV: record its first baseline in reports/baseline.json",
    )  # fmt: skip
    add_accept(parser)
    add_markdown(parser)
    add_all(parser)


def run(args: argparse.Namespace) -> int:
    """Compare and print; 1 when a row fails. A new baseline is recorded only if all checks pass."""
    from skillshot.common.environment import repository
    from skillshot.common.errors import TrackError
    from skillshot.track.baseline import BANK, BASELINE, FIRST, digest_of, record
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
    baseline = of_revision(root, args.baseline)
    rows += compare(gates, baseline, current, args.accept, args.new_baseline, _command(args))
    failed = [row for row in rows if not row.passed]
    document = [row.to_dict() for row in rows]
    if args.json:
        print_json({"baseline": args.baseline, "passed": not failed, "rows": document})
    elif args.markdown:
        print(markdown(f"Gate against `{args.baseline}`", document, COLUMNS))
    else:
        print("\n".join(verdicts(document, args.all)))
    for line in remarks(document):
        print(f"gate: {line}", file=sys.stderr)
    for row in failed:
        print(f"gate: {row.name}: {row.status}; {row.detail}".rstrip("; "), file=sys.stderr)
    moved = digest_of(baseline, BANK) != digest_of(current, BANK)
    if moved and failed and not args.new_baseline and all(row.name != "bank" for row in rows):
        hint = f"if it is a new bank, run `{_command(args)} --new-baseline`"
        print(f"gate: the bank is not that of {args.baseline}; {hint}", file=sys.stderr)
    print(f"gate: {sources(document)}", file=sys.stderr)
    verdict = f"{len(failed)} of {len(rows)} checks fail" if failed else f"all {len(rows)} checks pass"
    print(f"gate: {verdict} against {args.baseline}", file=sys.stderr)
    if args.new_baseline and not failed:
        bank = record(root, gates, baseline, current, args.accept)
        print(f"gate: {FIRST} ({bank[:8]}) is in {BASELINE}; commit it with the reports", file=sys.stderr)
    return 1 if failed else 0


def _command(args: argparse.Namespace) -> str:
    """The command line that a message repeats."""
    given = {"--baseline": (args.baseline, "HEAD"), "--gates": (args.gates, "gates.yaml")}
    words = [f"{name} {shlex.quote(value)}" for name, (value, default) in given.items() if value != default]
    return " ".join(["skillshot gate", *words])


def remarks(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Lines on what passes and is worth a look: warnings, and what was skipped, by reason."""
    for row in rows:
        if row["status"] == "warning":
            yield f"warning: {row['name']}: {one_line(row['detail'])}"
    for why in sorted({row["detail"] for row in rows if row["status"] == "skipped"}):
        count = sum(row["status"] == "skipped" and row["detail"] == why for row in rows)
        yield f"{counted(count, 'check')} skipped: {one_line(why)}"


def add_all(parser: argparse.ArgumentParser) -> None:
    """`--all`, where verdicts are printed."""
    parser.add_argument("--all", action="store_true", help="print also the checks whose values are the same")


def verdicts(rows: Sequence[Mapping[str, Any]], everything: bool) -> Iterator[str]:
    """Lines of the table, each reason below its row, without the rows that are `same` unless all are asked for."""
    shown = [row for row in rows if everything or row["status"] != "same"]
    if shown:
        lines = table(shown, NARROW).splitlines()
        yield from lines[:2]
        for line, row in zip(lines[2:], shown, strict=True):
            yield line
            if row["detail"]:
                yield f"    {one_line(row['detail'])}"
    if len(shown) < len(rows):
        yield f"{len(rows) - len(shown)} of {counted(len(rows), 'check')} the same; --all prints them"


def sources(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many rows rest on what was recomputed, and which reports on trust."""
    trusted = [row["name"] for row in rows if row["source"] == "on trust"]
    stages = sorted({name.partition(".")[0] for name in trusted if "." in name and not {":", "/"} & set(name)})
    count = f"{len(rows) - len(trusted)} of {len(rows)} checks rest on what was recomputed"
    return f"{count}; on trust: the reports of {', '.join(stages)}" if stages else count
