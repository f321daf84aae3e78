"""Verdicts as a Markdown table, for pull requests and job summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skillshot.common.sinks import markdown as escape


def markdown(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Table of rows, failures first; each row has `passed`."""
    lines = [f"### {title}", "", f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for row in sorted(rows, key=lambda row: bool(row["passed"])):
        cells = [_cell(row.get(column)) for column in columns]
        lines.append(f"| {'✅' if row['passed'] else '❌'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else escape(str(value))
