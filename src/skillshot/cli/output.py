"""What commands print: one JSON document for machines, text for people."""

from __future__ import annotations

import shlex
from typing import Any

from skillshot.common.io import dump_json


def print_json(value: Any) -> None:
    """One JSON document."""
    print(dump_json(value), end="")


def print_next(*words: object) -> None:
    """The next command, ready to paste into a shell."""
    print(f"next: {shlex.join(map(str, words))}")
