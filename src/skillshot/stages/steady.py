"""A stage's inputs must not change while it runs.

DVC takes the digests of a stage's dependencies after it has ended: an edit made meanwhile would be recorded as
what the results were made from, and never be run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skillshot.errors import InputError


@contextlib.contextmanager
def steady(stage: str, root: Path) -> Iterator[None]:
    """Watch the files and the params that dvc.yaml names for `stage` until the block ends.

    Raises:
        InputError: a file's size, time or inode, or a param, is another one; DVC then records nothing.
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
