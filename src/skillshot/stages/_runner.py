"""The wrapper of every stage's `main`: log lines on stderr, errors without traceback, inputs that must not change.

DVC takes the digests of a stage's dependencies after the stage has ended. An edit made while it runs would be recorded
as an input of results that never saw it.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from skillshot.common.errors import ColumnsError, InputError, SkillshotError
from skillshot.common.extras import extras_named
from skillshot.common.logs import logging_to_stderr
from skillshot.common.sinks import escaped_output


def stage_main(main: Callable[[], None]) -> Callable[[], None]:
    """Wrap a stage's `main`: a SkillshotError is printed on stderr and ends the process with 2.

    A change of a file or param that dvc.yaml names for the stage is such an error.
    """
    stage = Path(main.__code__.co_filename).stem

    @functools.wraps(main)
    def run() -> None:
        with escaped_output():
            try:
                with logging_to_stderr(), extras_named(), unchanged_inputs(stage, Path.cwd()):
                    main()
            except SkillshotError as error:
                print(error.for_params() if isinstance(error, ColumnsError) else error, file=sys.stderr)
                raise SystemExit(2) from error

    return run


@contextlib.contextmanager
def unchanged_inputs(stage: str, root: Path) -> Iterator[None]:
    """Watch the files and the params that dvc.yaml names for `stage` until the block ends.

    Raises:
        InputError: a file's size, time or inode, or a param, has changed; DVC then records nothing.
    """
    declared = _yaml(root / "dvc.yaml").get("stages", {}).get(stage, {})
    before = _inputs(root, declared)
    yield
    after = _inputs(root, declared)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if changed:
        raise InputError(f"{changed[0]} changed while stage {stage} was running; nothing is recorded\nrun it again")


def _inputs(root: Path, declared: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in (root / dep for dep in declared.get("deps", ()) if isinstance(dep, str)):
        for file in path.rglob("*") if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                state = file.stat()
                found[file.relative_to(root).as_posix()] = (state.st_size, state.st_mtime_ns, state.st_ino)
    params = _yaml(root / "params.yaml")
    for key in (key for key in declared.get("params", ()) if isinstance(key, str)):
        value: Any = params
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        found[f"params.yaml: {key}"] = value
    return found


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}
