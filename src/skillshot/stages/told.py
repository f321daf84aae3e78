"""Errors of a stage as the user sees them: the message and exit code 2, no traceback."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from skillshot.errors import SkillshotError


def told(main: Callable[[], None]) -> Callable[[], None]:
    """Wrap a stage's `main`: a SkillshotError is printed on stderr and ends the process with 2."""

    @functools.wraps(main)
    def run() -> None:
        try:
            main()
        except SkillshotError as error:
            print(error, file=sys.stderr)
            raise SystemExit(2) from error

    return run
