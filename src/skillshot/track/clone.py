"""Clean copies of a git revision, in which stages run with the revision's own code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from skillshot.common.errors import TrackError
from skillshot.track.state import git

RECORD = "reports/answers.jsonl"  # answers in git: no evidence, whoever wrote the reports can have written them too


def clone(root: Path, commit: str, copy: Path) -> None:
    """Check `commit` out of the repository `root` into the new folder `copy`.

    Raises:
        TrackError: git failed.
    """
    git(root, "clone", "--quiet", "--no-checkout", "--shared", str(root), str(copy))
    git(copy, "checkout", "--quiet", "--detach", commit)


def environment(copy: Path, **more: str) -> Mapping[str, str]:
    """Variables with which a process in `copy` runs the copy's code.

    Raises:
        TrackError: it would run code from outside.
    """
    programs = str(Path(sys.executable).parent)
    found = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(copy / "src"), os.environ.get("PYTHONPATH", "")])),
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", "")]),
        **more,
    }
    if (copy / "src" / "skillshot").exists():
        probe = [sys.executable, "-c", "import skillshot; print(skillshot.__file__)"]
        used = subprocess.run(probe, cwd=copy, env=found, capture_output=True, text=True).stdout.strip()
        if not Path(used).resolve().is_relative_to(copy.resolve()):
            raise TrackError(f"the clone in {copy} would run {used or 'no skillshot'}\nunset PYTHONPATH and try again")
    return found
