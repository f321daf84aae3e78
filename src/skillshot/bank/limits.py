"""What one row and one file may be: limits that no example reaches and that keep hostile input from taking hours.

A row over a limit is quarantined; a file over one is refused. The limits of questions and rationales are settings
(`validate.max_question_chars`, `validate.max_rationale_chars`); those here are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skillshot.common.errors import InputError
from skillshot.common.text import shown

MIB = 1 << 20
MAX_LINE = 4 * MIB  # bytes of a line or a row; reading a longer one whole could exhaust the memory
MAX_DOCUMENT = 64 * MIB  # bytes of one JSON object that holds a bank, which is read whole
MAX_YAML = 16 * MIB  # the same in YAML, whose parser is slow: about a second a MiB
MAX_CELL = 1_000_000  # characters of one text, metadata too: a page of a book has 3,000
MAX_COLUMNS = 1_000  # of a row; data sets have tens
MAX_VALUES = 100_000  # numbers, texts and containers in one row, nested ones too
MAX_DEPTH = 64  # containers in containers; Python's own limit depends on who calls and ends in a RecursionError
MAX_RATIO = 200  # bytes a file holds for each of its own; text compresses to a third, repeated rows to a 50th
FREE = 4 * MIB  # bytes that any file may hold, whatever their ratio
ROW_BYTES = 64  # the least that a row counts for the ratio


def why_refused(row: Mapping[Any, Any]) -> str:
    """Why a row is over a limit; "" where it is not. Costs one look at each value, and ends for circular ones."""
    if len(row) > MAX_COLUMNS:
        return f"too many columns: {len(row):,}, at most {MAX_COLUMNS:,}"
    level: list[Any] = [row]
    count = 0
    for _ in range(MAX_DEPTH + 1):
        deeper: list[Any] = []
        for container in level:
            values = container.values() if isinstance(container, Mapping) else container
            count += len(container)
            if count > MAX_VALUES:
                return f"too many values: over {MAX_VALUES:,}"
            for value in values:
                if isinstance(value, str):
                    if len(value) > MAX_CELL:
                        return f"too long a text: {len(value):,} characters{_where(row, value)}, at most {MAX_CELL:,}"
                elif isinstance(value, Mapping | list | tuple):
                    deeper.append(value)
        if not deeper:
            return ""
        level = deeper
    return f"nested too deeply: over {MAX_DEPTH} levels"


def check_ratio(path: Any, size: int, held: int) -> None:
    """Refuse a file that holds far more than its size.

    Args:
        size: the file's bytes; held: bytes of what it held up to now.

    Raises:
        InputError: over `MAX_RATIO` times the size, and over `FREE`.
    """
    if held > FREE and held > MAX_RATIO * size:
        raise InputError(
            f"{path}: {size:,} bytes that hold {held / MIB:,.0f} MiB or more: over {MAX_RATIO} times as much, "
            "which no bank does\nif it is one, write it as uncompressed jsonl and read that"
        )


def _where(row: Mapping[Any, Any], value: str) -> str:
    return next((f" in column {shown(name, 40)}" for name, cell in row.items() if cell is value), "")
