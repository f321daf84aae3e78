"""What every stage's `main` is wrapped in: errors without traceback, and inputs that hold still."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

from skillshot.errors import SkillshotError
from skillshot.stages.steady import steady


def told(main: Callable[[], None]) -> Callable[[], None]:
    """Wrap a stage's `main`: a SkillshotError is printed on stderr and ends the process with 2.

    A file or param that dvc.yaml names for the stage and that changes meanwhile is such an error.
    """
    stage = Path(main.__code__.co_filename).stem

    @functools.wraps(main)
    def run() -> None:
        try:
            with steady(stage, Path.cwd()):
                main()
        except SkillshotError as error:
            print(error, file=sys.stderr)
            raise SystemExit(2) from error

    return run
