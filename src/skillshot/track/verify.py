"""Verify the committed results: run the committed pipeline in a clean clone and compare with `dvc.lock`."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.common.errors import TrackError
from skillshot.track.clone import RECORD, clone, environment
from skillshot.track.distance import distance
from skillshot.track.machine import describe, differences
from skillshot.track.rules import VerifyRule, parse_verify
from skillshot.track.state import PUBLISHER, git, lock_stages, md5_of

SAME, WITHIN, DIFFERS, STALE, NOT_RUN = "same bytes", "within tolerance", "differs", "stale lock", "did not run"


@dataclass(frozen=True)
class Checked:
    """Verdict on one output of one stage. apart: relative difference, None where it is unknown."""

    stage: str
    path: str
    verdict: str
    apart: float | None = 0.0
    tolerance: float = 0.0
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether the output is that of the lock."""
        return self.verdict in (SAME, WITHIN)


@dataclass(frozen=True)
class Verification:
    """machine: rows of (fact, when committed, now)."""

    commit: str
    checked: tuple[Checked, ...]
    machine: tuple[tuple[str, str, str], ...]

    @property
    def passed(self) -> bool:
        """Whether every output is the same or within its tolerance."""
        return bool(self.checked) and all(row.passed for row in self.checked)


def verify(root: Path, revision: str = "HEAD", folder: Path | None = None, stages: Sequence[str] = ()) -> Verification:
    """Clone `revision` into `folder` (default: a temporary one), run its stages, compare.

    Args:
        stages: only these and what they need (default: all but the publishing stage).

    Raises:
        TrackError: no such revision, no committed `dvc.lock`, or the folder is not empty.
    """
    try:
        commit = git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except TrackError as error:
        raise TrackError(f"--revision {revision}: git knows no such revision in {root}") from error
    text = git(root, "show", f"{commit}:dvc.lock", check=False, strip=False)
    if not text:
        raise TrackError(f"dvc.lock is not committed at {revision}\nrun `make run`, commit dvc.lock and verify again")
    if folder is not None:
        if folder.exists() and any(folder.iterdir()):
            raise TrackError(f"{folder}: not empty; give an empty or new folder for the clone")
        return _verify(root, commit, lock_stages(text), folder, stages)
    with tempfile.TemporaryDirectory(prefix="skillshot-verify-") as name:
        return _verify(root, commit, lock_stages(text), Path(name) / "copy", stages)


def _verify(root: Path, commit: str, then: dict[str, Any], copy: Path, stages: Sequence[str]) -> Verification:
    import yaml

    clone(root, commit, copy)
    gates = yaml.safe_load((copy / "gates.yaml").read_text()) if (copy / "gates.yaml").exists() else {}
    rule = parse_verify(gates.get("verify"))
    declared = [name for name in yaml.safe_load((copy / "dvc.yaml").read_text())["stages"] if name != PUBLISHER]
    unknown = [name for name in stages if name not in declared]
    if unknown:
        raise TrackError(f"--stage {unknown[0]}: no such stage; stages: {', '.join(declared)}")
    reproduce(copy, stages or declared)
    lock = copy / "dvc.lock"
    now = lock_stages(lock.read_text(encoding="utf-8")) if lock.exists() else {}
    wanted = [name for name in declared if name in now or not stages or name in stages]
    checked = [row for name in wanted for row in check(name, then, now, root, copy, rule)]
    report = git(root, "show", f"{commit}:reports/{PUBLISHER}.json", check=False)
    known = json.loads(report).get("machine", {}) if report else {}
    return Verification(commit, tuple(checked), tuple(differences(known, describe()) if known else ()))


def reproduce(copy: Path, stages: Sequence[str]) -> None:
    """Run stages in the clone with its own code, an empty cache and no lock; a failing stage ends the run.

    Raises:
        TrackError: the clone would run code from outside.
    """
    (copy / "dvc.lock").unlink(missing_ok=True)  # a stage that fails must not have an entry
    config = copy / ".dvc" / "config.local"
    config.parent.mkdir(exist_ok=True)
    config.write_text("[cache]\n    dir = cache\n    type = reflink,hardlink,copy\n", encoding="utf-8")
    variables = dict(environment(copy))
    variables.pop("SKILLSHOT_CACHE", None)  # answers of a language model are results too, and are requested again
    (copy / RECORD).unlink(missing_ok=True)
    # progress goes to stderr, because stdout is for the result
    command = [sys.executable, "-m", "dvc", "repro", "--no-run-cache", *stages]
    subprocess.run(command, cwd=copy, env=variables, stdout=2, check=False)


def check(
    name: str, then: Mapping[str, Any], now: Mapping[str, Any], root: Path, copy: Path, rule: VerifyRule
) -> list[Checked]:
    """Compare one stage's entries of two locks.

    Args:
        rule: `verify` of gates.yaml.
    """
    if name not in now:
        return [Checked(name, "", NOT_RUN, None, detail="it failed, or a stage that it depends on failed")]
    if name not in then:
        return [Checked(name, "", STALE, None, detail="the committed dvc.lock has no such stage")]
    made = {out["path"] for stage in then.values() for out in stage.get("outs", ())}
    inputs = {
        side: {dep["path"]: dep.get("md5") for dep in stage.get("deps", ()) if dep["path"] not in made}
        for side, stage in (("then", then[name]), ("now", now[name]))
    }
    rows = [
        Checked(name, path, STALE, None, detail="not the file of dvc.lock; commit dvc.lock after `make run`")
        for path in sorted(inputs["then"].keys() | inputs["now"].keys())
        if inputs["then"].get(path) != inputs["now"].get(path)
    ]
    if then[name].get("params") != now[name].get("params"):
        rows.append(Checked(name, "params.yaml", STALE, None, detail="not the params of dvc.lock"))
    tolerance = rule.tolerance.get(name, 0.0)
    digests = {out["path"]: out["md5"] for out in now[name].get("outs", ())}
    for out in then[name].get("outs", ()):
        path = out["path"]
        if digests.get(path) == out["md5"]:
            rows.append(Checked(name, path, SAME, 0.0, tolerance))
        elif not (root / path).exists() or md5_of(root / path) != out["md5"]:
            rows.append(Checked(name, path, DIFFERS, None, tolerance, "the original is missing; run `dvc checkout`"))
        else:
            apart = distance(root / path, copy / path, rule.ignore)
            verdict = WITHIN if apart.value <= tolerance and math.isfinite(apart.value) else DIFFERS
            detail = apart.place if apart.value else "only keys of verify.ignore"
            rows.append(Checked(name, path, verdict, apart.value, tolerance, detail))
    return rows
