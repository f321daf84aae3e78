"""What commands print: one JSON document for machines, text for people.

All of it passes the terminal's sink (`skillshot.common.sinks`), in which a JSON document stays one.
"""

from __future__ import annotations

import shlex
import sys
from typing import Any

from skillshot.common.io import dump_json
from skillshot.common.sinks import exact, one_line


def print_json(value: Any) -> None:
    """One JSON document."""
    print(dump_json(value), end="")


def print_next(*words: object) -> None:
    """The next command, ready to paste into a shell."""
    print(f"next: {one_line(shlex.join(map(str, words)))}")


def print_text(text: str) -> None:
    """A text that is used as it is, such as a prompt: escaped on a terminal, exact in a file or a pipe."""
    stream = exact(sys.stdout)
    if sys.stdout.isatty() or (stream.encoding or "").lower() not in ("utf-8", "utf8"):
        print(text)
    else:
        print(text.encode("utf-8", "replace").decode(), file=stream)
