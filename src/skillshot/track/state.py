"""State of the pipeline: the stages of `dvc.lock` and the git commit, as one fingerprint.

DVC writes a stage's entry after the stage has ended. A lock read inside a stage therefore has current entries of the
earlier stages and an old entry of the stage itself, so the publishing stage is left out of the fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.common.errors import ParamsError, TrackError
from skillshot.common.inputs import changed_inputs
from skillshot.common.io import read_json, sha256_text
from skillshot.common.params import load_params

PUBLISHER = "register"


@dataclass(frozen=True)
class PipelineState:
    """One state of the pipeline.

    root: the repository.
    commit: git commit, "" outside of git.
    dirty: paths that differ from the commit and are not outputs, so that the commit does not reproduce this state.
    stages: the entries of `dvc.lock` (cmd, deps, params, outs) without the publishing stage.
    unrecorded: outputs that the commit lacks or has in another version.
    """

    root: Path
    commit: str
    dirty: tuple[str, ...]
    stages: Mapping[str, Any]
    unrecorded: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Digest of every stage's command, deps, params and outs; it is the same in any clone and at any commit."""
        return sha256_text(json.dumps(self.stages, sort_keys=True))

    @property
    def fingerprint(self) -> str:
        """Identity of a publication: a hash of the stages' digest and of whether the tree is dirty.

        The commit is no part of it: one that changes only reports or pages makes no new state.
        """
        return fingerprint(self.digest, bool(self.dirty))

    def outs(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Pairs of stage name and out (`path`, `md5`, ...)."""
        for name, stage in self.stages.items():
            for out in stage.get("outs", ()):
                yield name, out

    def check_files(self) -> None:
        """Check that the files are those of the lock.

        Raises:
            TrackError: an output is missing or was changed after its stage ended, or a source file, or a file that
                params.yaml names, was changed since.
        """
        if edited := changed_files(self.root):
            raise TrackError(f"{edited[0]}: the file has changed since stage source read it\nrun `dvc repro`")
        for name, stage in self.stages.items():
            changed = changed_sources(self.root, stage, self.stages)
            if changed:
                raise TrackError(f"{changed[0]}: changed since stage {name} read it\nrun `dvc repro {name}`")
        for name, out in self.outs():
            path = self.root / out["path"]
            if not path.exists():
                raise TrackError(f"{out['path']}: missing, though dvc.lock has it\nrun `dvc repro {name}`")
            if out["md5"] != md5_of(path):
                raise TrackError(
                    f"{out['path']}: changed since stage {name} wrote it (dvc.lock: {out['md5']})\n"
                    f"run `dvc repro {name}`; reports are never edited by hand"
                )


def fingerprint(digest: str, dirty: bool) -> str:
    """See `PipelineState.fingerprint`."""
    return sha256_text(json.dumps([digest, dirty]))[:32]


def read_state(root: Path) -> PipelineState:
    """Read the state of the repository in `root`.

    Raises:
        TrackError: `dvc.lock` is missing, or lacks a stage of `dvc.yaml`.
    """
    stages = lock_stages(_read(root / "dvc.lock"))
    declared = yaml_of(root / "dvc.yaml")["stages"]
    missing = [name for name in declared if name not in stages and name != PUBLISHER]
    if missing:
        raise TrackError(f"dvc.lock: stage {missing[0]} has not run\nrun `dvc repro {missing[0]}`")
    stages = {name: stages[name] for name in sorted(stages) if name in declared}
    commit = git(root, "rev-parse", "HEAD", check=False)
    if not commit:
        return PipelineState(root, "", ("no git commit",), stages)
    status = git(root, "status", "--porcelain", "--untracked-files=all", strip=False)
    changed = [line[3:].strip('"') for line in status.splitlines()]
    outs = tuple(out["path"] for stage in stages.values() for out in stage.get("outs", ()))
    made = {path for path in changed if path.startswith(("dvc.lock", "reports/", *outs))}
    return PipelineState(root, commit, tuple(p for p in changed if p not in made), stages, tuple(sorted(made)))


def yaml_of(path: Path) -> Any:
    """A YAML file of the repository.

    Raises:
        TrackError: it is missing.
    """
    return _yaml(_read(path))


def lock_stages(text: str) -> dict[str, Any]:
    """The stages of a `dvc.lock` given as text, without the publishing stage."""
    stages = (_yaml(text) or {}).get("stages", {})
    return {name: stage for name, stage in stages.items() if name != PUBLISHER}


def git(root: Path, *args: str, check: bool = True, strip: bool = True) -> str:
    """Output of a git command in `root`; with `check=False`, "" where the command fails.

    Raises:
        TrackError: git failed; the message is git's.
    """
    try:
        done = subprocess.run(["git", "-C", str(root), *args], capture_output=True, text=True, errors="replace")
    except FileNotFoundError as error:
        raise TrackError("git is not installed; the tracking commands need it") from error
    if done.returncode:
        if check:
            raise TrackError(f"git {' '.join(args)}: {done.stderr.strip().splitlines()[-1:] or ['failed']}")
        return ""
    return done.stdout.strip() if strip else done.stdout


def changed_sources(root: Path, stage: Mapping[str, Any], stages: Mapping[str, Any]) -> list[str]:
    """Dependencies of a stage, files and folders, that are in the tree and differ from its lock entry.

    Outputs of other stages are left out, because they are checked as outputs.
    """
    made = {out["path"] for entry in stages.values() for out in entry.get("outs", ())}
    given = [(dep["path"], dep["md5"]) for dep in stage.get("deps", ()) if dep.get("md5") and dep["path"] not in made]
    return [path for path, md5 in given if (root / path).exists() and md5_of(root / path) != md5]


def changed_files(root: Path) -> list[str]:
    """Keys of params.yaml whose file has changed since the stage `source` read it; none without its report."""
    report = root / "reports/source.json"
    if not report.is_file():
        return []
    with suppress(ParamsError):  # params of another version of this package, in a clone of an older commit
        return changed_inputs(load_params(root / "params.yaml"), read_json(report), root)
    return []


def md5_of(path: Path) -> str:
    """DVC 3's digest of a file or, ending in `.dir`, of a folder, as in `dvc.lock`.

    Files that `.dvcignore` excludes (bytecode caches) are left out, as by DVC.
    """
    if path.is_file():
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "md5").hexdigest()
    files = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if _kept(file))
    listing = [{"md5": md5_of(file), "relpath": relative} for relative, file in files]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + ".dir"


def _kept(file: Path) -> bool:
    return file.is_file() and file.suffix != ".pyc" and "__pycache__" not in file.parts


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise TrackError(
            f"{path.name}: no such file in {path.parent}\nrun `make run` (or `dvc repro`) first"
        ) from error


def _yaml(text: str) -> Any:
    import yaml

    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
