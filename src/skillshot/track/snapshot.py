"""The reports of one state, from the working tree, a git revision or the artifacts of a run."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from skillshot.common.errors import TrackError
from skillshot.track.collect import PIPELINE_FILES
from skillshot.track.state import git, lock_stages
from skillshot.track.values import finite, read_report


@dataclass(frozen=True)
class Snapshot:
    """Reads a state's files.

    read: text of a repository path, or None where it does not exist.
    recomputed: paths whose text or digest was made by this command, not taken from the state.
    summary: whether it has figures alone, without the rows of CSV files.
    """

    name: str
    read: Callable[[str], str | None]
    recomputed: frozenset[str] = frozenset()
    summary: bool = False

    def with_texts(self, texts: Mapping[str, str], inputs: Iterable[str] = ()) -> Snapshot:
        """The same state with recomputed files in place of its own."""
        read = self.read
        return Snapshot(
            self.name, lambda path: texts[path] if path in texts else read(path), frozenset({*texts, *inputs})
        )

    def recomputes(self, name: str) -> bool:
        """Whether a metric or definition rests on a recomputed file."""
        return (name if "/" in name else f"reports/{name.partition('.')[0]}.json") in self.recomputed

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
            LookupError: the value or the path is missing, or a number is not finite.
        """
        if "/" not in name:
            value = self.value(name)
            return str(finite(value, name) if isinstance(value, float) else value)
        return self.digests.get(name) or str(_missing(f"no {name} in dvc.lock"))

    def number(self, key: str) -> float:
        """A report's value, as a number that may be compared.

        Raises:
            LookupError: report or key is missing.
            NotFiniteError: NaN, infinite, or no number.
        """
        return finite(self.value(key), key, text=False)

    def reason(self, key: str) -> str:
        """Why a part of a report is missing, by its own `missing`; "" where it says nothing."""
        with suppress(LookupError):
            report, parts = self._report(key.partition(".")[0]), key.split(".")
            names = (f"{'.'.join(parts[:end])}.missing" for end in range(len(parts) - 1, 0, -1))
            return next((text for name in names if isinstance(text := report.get(name), str) and text), "")
        return ""

    def paired(self, path: str, id: str, column: str, where: Mapping[str, str]) -> dict[str, float]:
        """A column of a CSV by id, for the rows that match `where`.

        Raises:
            LookupError: the file or a column is missing or there twice, or no row matches.
            NotFiniteError: a value is not a finite number; names the row.
        """
        text = self.read(path)
        if text is None:
            raise LookupError(f"{path}: missing")
        reader = csv.DictReader(io.StringIO(text))
        rows, columns = list(reader), list(reader.fieldnames or ())
        for name in (id, column, *where):
            if columns.count(name) != 1:
                raise LookupError(f"{path}: {'no' if name not in columns else 'more than one'} column {name}")
        chosen = [row for row in rows if all(row[key] == value for key, value in where.items())]
        found = {row[id]: finite(row[column], f"{path}: {column} of {row[id]}") for row in chosen}
        if len(found) != len(chosen) or not found:
            raise LookupError(f"{path}: {len(chosen)} rows for {len(found)} ids")
        return found

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digest of each output in `dvc.lock`, by path.

        Raises:
            LookupError: two stages give one path.
        """
        found: dict[str, str] = {}
        for stage in self.stages.values():
            for out in stage.get("outs", ()):
                if out["path"] in found:
                    raise LookupError(f"dvc.lock: two stages make {out['path']}")
                found[out["path"]] = out["md5"]
        return found

    @cached_property
    def stages(self) -> dict[str, Any]:
        """The entries of `dvc.lock`."""
        return lock_stages(self.read("dvc.lock") or "")

    def readers(self, path: str) -> set[str]:
        """Stages that read a path, by `dvc.lock`."""
        named = ((name, dep["path"]) for name, stage in self.stages.items() for dep in stage.get("deps", ()))
        return {name for name, dep in named if dep == path}

    def around(self, path: str) -> set[str]:
        """Stages that make or read a path, by `dvc.lock`."""
        makers = {name for name, stage in self.stages.items() if path in {out["path"] for out in stage.get("outs", ())}}
        return makers | self.readers(path)

    @cached_property
    def _reports(self) -> dict[str, dict[str, Any]]:
        return {}

    def _report(self, stage: str) -> dict[str, Any]:
        if stage not in self._reports:
            path = f"reports/{stage}.json"
            text = self.read(path)
            self._reports[stage] = read_report(text, stage) if text is not None else _missing(f"{path}: missing")
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
