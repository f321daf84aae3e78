"""The reports of one state, from the working tree, a git revision or the artifacts of a run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from skillshot.common.errors import TrackError
from skillshot.track.collect import leaves
from skillshot.track.state import git, lock_stages

PIPELINE_FILES = ("dvc.lock", "dvc.yaml", "params.yaml", "gates.yaml")


@dataclass(frozen=True)
class Snapshot:
    """Reads a state's files. read: text of a repository path, or None where it does not exist."""

    name: str
    read: Callable[[str], str | None]

    def value(self, key: str) -> Any:
        """The value of a report at `stage.key.key`.

        Raises:
            LookupError: report or key is missing.
        """
        stage = key.partition(".")[0]
        return self._report(stage)[key] if key in self._report(stage) else _missing(f"no {key} in reports/{stage}.json")

    def definition(self, name: str) -> str:
        """A report's value, or the digest of a path in `dvc.lock`.

        Raises:
            LookupError: the value or the path is missing.
        """
        if "/" not in name:
            return str(self.value(name))
        return self.digests.get(name) or str(_missing(f"no {name} in dvc.lock"))

    def paired(self, path: str, id: str, column: str, where: Mapping[str, str]) -> dict[str, float]:
        """A column of a CSV by id, for the rows that match `where`.

        Raises:
            LookupError: the file or a column is missing, a value is not a number, or no row matches.
        """
        text = self.read(path)
        if text is None:
            raise LookupError(f"{path}: missing")
        rows = list(csv.DictReader(io.StringIO(text)))
        lacking = sorted({id, column, *where} - set(rows[0] if rows else ()))
        if lacking:
            raise LookupError(f"{path}: no column {lacking[0]}")
        chosen = [row for row in rows if all(row[key] == value for key, value in where.items())]
        found: dict[str, float] = {}
        for row in chosen:
            try:
                found[row[id]] = float(row[column])
            except ValueError:
                raise LookupError(f"{path}: {column} of {row[id]} is {row[column]!r}, not a number") from None
        if len(found) != len(chosen) or not found:
            raise LookupError(f"{path}: {len(chosen)} rows for {len(found)} ids")
        return found

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digest of each output in `dvc.lock`, by path."""
        stages = lock_stages(self.read("dvc.lock") or "")
        return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", ())}

    @cached_property
    def _reports(self) -> dict[str, dict[str, Any]]:
        return {}

    def _report(self, stage: str) -> dict[str, Any]:
        if stage not in self._reports:
            path = f"reports/{stage}.json"
            text = self.read(path)
            try:
                tree = json.loads(text) if text is not None else _missing(f"{path}: missing")
            except json.JSONDecodeError as error:
                raise LookupError(f"{path}: not JSON ({error})") from error
            self._reports[stage] = dict(leaves(tree, stage))
        return self._reports[stage]


def of_tree(root: Path, name: str = "working tree") -> Snapshot:
    """The files of a folder with the layout of the repository."""

    def read(path: str) -> str | None:
        file = root / path
        return file.read_text(encoding="utf-8") if file.is_file() else None

    return Snapshot(name, read)


def of_revision(root: Path, revision: str) -> Snapshot:
    """The files committed at a git revision.

    Raises:
        TrackError: git does not know the revision.
    """
    try:
        commit = git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except TrackError as error:
        raise TrackError(f"--baseline {revision}: git knows no such revision in {root}") from error

    def read(path: str) -> str | None:
        if not git(root, "ls-tree", "--name-only", commit, "--", path):
            return None
        return git(root, "show", f"{commit}:{path}", strip=False)

    return Snapshot(revision, read)


def of_published(read: Callable[[str], str | None], name: str) -> Snapshot:
    """The artifacts that `publish` uploaded; `read` returns the text of an artifact, or None where there is none."""
    return Snapshot(name, lambda path: read(f"pipeline/{path}" if path in PIPELINE_FILES else path))


def _missing(what: str) -> Any:
    raise LookupError(what)
