"""`skillshot inspect`: what a bank file is understood as, before anything is fitted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from skillshot.cli.arguments import add_columns, add_command, columns_of
from skillshot.cli.output import print_json, print_next
from skillshot.common.sinks import one_line
from skillshot.common.tables import counted

_FIELDS = ("question", "context", "options", "rationale", "answer", "answer_type")
_WIDTH = 200  # characters of a field that are shown
_WHERE = {
    "rationale": "its rationales", "answer": "its answers", "label": "its labels",
    "question": "its questions alone: similarity of wording decides",
}  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "inspect", "show what a bank file is understood as: form, columns, rows, language, duplicates",
        "skillshot inspect bank.csv --columns question=prompt",
    )  # fmt: skip
    parser.add_argument("bank", help="a file or folder, as `fit` reads it")
    add_columns(parser)


def run(args: argparse.Namespace) -> int:
    """Read the file and print what was understood, and the line to run next."""
    from skillshot.bank.inspection import inspect

    report = inspect(args.bank, columns_of(args))
    following = _next(args.bank, report)
    if args.json:
        import shlex

        print_json(report | {"next": shlex.join(following)})
        return 0
    rows = counted(report["rows"], "row")
    print(f"{one_line(args.bank)}: {rows} = {report['accepted']:,} accepted + {report['quarantined']:,} quarantined")
    print(f"file: {one_line(report['file'])}; form: {one_line(report['form'] or 'none')}")
    print(f"columns of the file: {one_line(', '.join(report['file_columns'])[:_WIDTH] or 'none')}")
    for field, source in report["columns"].items():
        print(one_line(f"  {field}: {source}"[:_WIDTH]))
    for reason, count in report["reasons"].items():
        print(one_line(f"quarantined: {count:,} {reason}, first {report['first'][reason]}"))
    if report["accepted"]:
        scripts = ", ".join(f"{name} {100 * share:.0f} %" for name, share in report["language"].items())
        print(f"language, as share of letters by script: {scripts or 'no letters'}")
        found = report["duplicates"]
        print(f"duplicates: {found['exact']:,} exact, {found['near']:,} near")
        print(f"structure: from {_WHERE[report['structure']]}")
    for note in report["notes"]:
        print(one_line(f"note: {note}"))
    for place, example in enumerate(report["examples"], 1):
        print(f"row {place}")
        for field in _FIELDS:
            if value := example.get(field):
                print(one_line(f"  {field}: {_shown(value)}"))
    print_next(*following)
    return 0


def _shown(value: Any) -> str:
    text = " | ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}..."


def _next(bank: str, report: Mapping[str, Any]) -> list[str]:
    """Fit what was understood; inspect again, with a map to complete, where nothing was."""
    to_try = report["columns_to_try"]
    option = ["--columns", ",".join(f"{field}={column}" for field, column in to_try.items())] if to_try else []
    command = ["skillshot", "fit", bank, "--out", "selector"] if report["accepted"] else ["skillshot", "inspect", bank]
    return [*command, *option]
