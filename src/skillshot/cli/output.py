"""What commands print: one JSON document for machines, a plain table for people."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from skillshot.common.io import dump_json


def add_command(subparsers: Any, name: str, help: str, example: str) -> argparse.ArgumentParser:
    """A command's parser with the parts all commands share."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=help, description=help, epilog=f"example: {example}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, everything else on stderr")
    return parser


def print_json(value: Any) -> None:
    """One JSON document."""
    print(dump_json(value), end="")


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Aligned text table; floats with three digits, missing values as a dash."""
    cells = [list(columns)] + [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    lines = ["  ".join(_align(line[i], widths[i], i) for i in range(len(columns))).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _align(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)
