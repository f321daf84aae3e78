"""What the scripts that write tables into pages share: marks, reports, Markdown tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def report(name: str, root: Path = ROOT) -> dict[str, Any]:
    """reports/NAME.json."""
    found: dict[str, Any] = json.loads((root / f"reports/{name}.json").read_text(encoding="utf-8"))
    return found


def put(text: str, mark: str, made: str) -> str:
    """The text with `made` between <!--mark--> and <!--/mark-->; unchanged where the mark is not on the page."""
    return re.sub(
        rf"(<!--{re.escape(mark)}-->\n).*?(<!--/{re.escape(mark)}-->)",
        lambda match: f"{match[1]}{made.rstrip()}\n{match[2]}",
        text,
        flags=re.DOTALL,
    )


def put_values(text: str, values: Mapping[str, str]) -> str:
    """The text with each value inside <!--value:NAME-->...<!--/value--> made anew; KeyError: no such value."""
    return re.sub(
        r"<!--value:([\w.]+)-->.*?<!--/value-->",
        lambda match: f"<!--value:{match[1]}-->{values[match[1]]}<!--/value-->",
        text,
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def number(value: float | None) -> str:
    """Three digits, or nothing where it was not measured."""
    return "" if value is None else f"{value:.3f}"


def interval(pair: Mapping[str, float] | None) -> str:
    """Difference with its interval, or nothing where it was not measured."""
    return f"{pair['diff']:+.3f} [{pair['low']:+.3f}, {pair['high']:+.3f}]" if pair else ""
