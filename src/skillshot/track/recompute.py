"""Recompute the evaluation of a published version in a clean copy: reports and digests in git are written by hand.

Taken from the version: its bundle and the files that describe it. From git: code, params and rules of its commit; not
the record of answers, which is no evidence. From this machine: the evaluation queries, if they have the digest of
`dvc.lock`, and the answer cache, which is no file of the repository. The language model is asked only without the
cache. What training, export and validation reported stays on trust; `skillshot promote --verify` runs those stages
again too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skillshot.common.errors import TrackError
from skillshot.common.io import sha256_text
from skillshot.track.baseline import BASELINE
from skillshot.track.clone import RECORD, clone, environment
from skillshot.track.collect import PIPELINE_FILES
from skillshot.track.distance import distance
from skillshot.track.publish import BUNDLE, COMMIT
from skillshot.track.rows import RECOMPUTED, GateRow
from skillshot.track.rules import VerifyRule, parse_gates
from skillshot.track.snapshot import Snapshot, of_tree
from skillshot.track.staleness import staleness
from skillshot.track.state import git, lock_stages, md5_of, yaml_of

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore

STAGE = "evaluate"
COMPARED = (".json", ".csv")  # pages and plots decide nothing
OFFLINE = "SKILLSHOT_OFFLINE"  # the stage then takes answers from the cache alone


@dataclass(frozen=True)
class Recomputed:
    """What was recomputed.

    rows: checks, for the gate's table. texts: path -> recomputed report. inputs: digests of what it was made from.
    reports: path -> SHA-256 of the published report that the recomputed one confirms.
    """

    rows: tuple[GateRow, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[str, str] = field(default_factory=dict)

    def to_tag(self, by: str, at: str) -> str:
        """Who recomputed what from what, for the run."""
        return json.dumps({"by": by, "at": at, "inputs": self.inputs, "reports": self.reports}, sort_keys=True)


def recompute(store: MlflowStore, root: Path, number: str, published: Snapshot, *, cached: bool = True) -> Recomputed:
    """Run the stage `evaluate` of version `number` again and compare with what was published.

    Args:
        root: the repository, which has the version's commit and its evaluation queries.
        published: the files of the version's run.
        cached: take answers from the cache alone; otherwise all are requested again.

    Raises:
        TrackError: an input is missing here, or the stage fails.
    """
    commit = store.client.get_run(store.versions()[number].run_id).data.tags.get(COMMIT, "")
    if not commit or not git(root, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", check=False):
        raise TrackError(f"version {number}: this repository has no commit {commit or '(none)'}\nrun `git fetch`")
    with tempfile.TemporaryDirectory(prefix="skillshot-recompute-") as name:
        copy = Path(name) / "copy"
        clone(root, commit, copy)
        rows = _described(copy, commit, published)
        if not all(row.passed for row in rows):
            return Recomputed(tuple(rows))
        rows += [row for row in staleness(copy) if not row.passed]
        bundle = store.download_bundle(number, Path(name) / "version")
        rows += _with_data(copy, root, published, bundle)
        if not all(row.passed for row in rows):
            return Recomputed(tuple(rows))
        return run_again(copy, root, published, rows, {"commit": commit}, cached)


def recompute_tree(root: Path) -> Recomputed:
    """The same for the working tree: its code, its bundle, its queries.

    Raises:
        TrackError: an input is missing, or the stage fails.
    """
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", strip=False)
    with tempfile.TemporaryDirectory(prefix="skillshot-recompute-") as name:
        copy = Path(name) / "copy"
        for path in filter(None, listed.split("\0")):
            if (root / path).is_file():
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / path, copy / path)
        published = of_tree(root)
        if STAGE not in published.stages:
            raise TrackError(f"dvc.lock: stage {STAGE} has not run\nrun `dvc repro {STAGE}`")
        rows = _with_data(copy, root, published, root / BUNDLE)
        return run_again(copy, root, published, rows, {}) if not rows else Recomputed(tuple(rows))


def run_again(
    copy: Path,
    root: Path,
    published: Snapshot,
    rows: Sequence[GateRow],
    inputs: Mapping[str, str],
    cached: bool = True,
) -> Recomputed:
    """Run the stage in `copy`, with a row for each report that compares it with the published one.

    Raises:
        TrackError: the stage fails.
    """
    gates = parse_gates((copy / "gates.yaml").read_text(encoding="utf-8"))
    # whatever dvc.yaml calls an output: what the gate reads of this stage is compared
    outs = {out["path"] for out in published.stages[STAGE]["outs"] if Path(out["path"]).suffix in COMPARED}
    outs |= {f"reports/{STAGE}.json"} | {rule.interval.rows for rule in gates.metrics.values() if rule.interval}
    for path in (*outs, RECORD):
        (copy / path).unlink(missing_ok=True)
    cache = root / os.environ.get("SKILLSHOT_CACHE", ".cache/skillshot/llm") if cached else copy.parent / "answers"
    variables = environment(copy, SKILLSHOT_CACHE=str(cache.absolute()), **{OFFLINE: str(int(cached))})
    command = yaml_of(copy / "dvc.yaml")["stages"][STAGE]["cmd"]
    done = subprocess.run(
        command, shell=True, cwd=copy, env=variables, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-3:]) or f"exit code {done.returncode}"
        fix = "\nthe cache of the machine that evaluated has them; `promote --no-cache` requests them" if cached else ""
        raise TrackError(f"{published.name}: its evaluation cannot be recomputed: {last[-600:]}{fix}")
    texts = {path: (copy / path).read_bytes().decode() for path in sorted(outs) if (copy / path).is_file()}
    compared = [_compared(path, texts, published, gates.verify, copy) for path in sorted(outs)]
    reports = {path: sha256_text(published.read(path) or "") for path in texts}
    digests = {dep["path"]: dep["md5"] for dep in published.stages[STAGE].get("deps", ())}
    return Recomputed((*rows, *compared), texts, {**digests, **inputs}, reports)


def _compared(path: str, texts: Mapping[str, str], published: Snapshot, rule: VerifyRule, copy: Path) -> GateRow:
    name, then, folder = f"recomputed:{path}", published.read(path), copy.parent / "published"
    if path not in texts or then is None:
        lacking = "not published" if then is None else f"stage {STAGE} did not write it again"
        return GateRow(name, "missing", detail=lacking, source=RECOMPUTED)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(then.encode())
    apart = distance(folder / path, copy / path, rule.ignore)
    if apart.value > rule.tolerance.get(STAGE, 0.0):
        detail = f"{apart.place or 'its bytes'}: not what bundle, queries and answers give"
        return GateRow(name, "not reproduced", detail=detail, source=RECOMPUTED)
    return GateRow(name, "same", source=RECOMPUTED)


def _described(copy: Path, commit: str, published: Snapshot) -> list[GateRow]:
    """Pipeline, params, rules, baselines must be the commit's; the published `dvc.lock` replaces the copy's."""
    rows = []
    for path in (*PIPELINE_FILES, BASELINE):
        text, file = published.read(path), copy / path
        if path == BASELINE and text is None and not file.is_file():
            continue
        if path == "dvc.lock":
            if text is None or STAGE not in lock_stages(text):
                return [GateRow(path, "missing", detail=f"published without stage {STAGE}")]
            file.write_bytes(text.encode())
        elif text is None or text != (file.read_bytes().decode() if file.is_file() else None):
            rows.append(GateRow(f"published:{path}", "not the commit's", detail=f"differs from {commit[:12]}"))
    for stage in published.stages.values():
        for out in stage.get("outs", ()):
            text = published.read(out["path"]) if Path(out["path"]).suffix in COMPARED else None
            if text is not None and out.get("md5") and _md5(text) != out["md5"]:
                rows.append(
                    GateRow(f"published:{out['path']}", "not of its lock", detail="the digest of dvc.lock differs")
                )
    return rows


def _with_data(copy: Path, root: Path, published: Snapshot, bundle: Path) -> list[GateRow]:
    """Put what the stage reads into `copy`, by the digests of the lock."""
    made = {out["path"]: out["md5"] for stage in published.stages.values() for out in stage.get("outs", ())}
    rows = []
    for path in (dep["path"] for dep in published.stages[STAGE].get("deps", ()) if dep["path"] in made):
        found = bundle if path == BUNDLE else _held(root, path, made[path])
        if md5_of(found) != made[path]:
            rows.append(GateRow(f"published:{path}", "not of its lock", detail="the digest of dvc.lock differs"))
            continue
        target = copy / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            shutil.copytree(found, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(found, target)
    return rows


def _held(root: Path, path: str, md5: str) -> Path:
    """A data file with a given digest, from the working tree or DVC's cache.

    Raises:
        TrackError: neither has it.
    """
    for found in (root / path, root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]):
        if found.exists() and md5_of(found) == md5:
            return found
    raise TrackError(
        f"{path}: not the file of the version's dvc.lock, and DVC's cache has none with that digest\n"
        "check out the version's commit and run `dvc pull` or `dvc repro evaluate` there, then promote"
    )


def _md5(text: str) -> str:
    import hashlib

    return hashlib.md5(text.encode()).hexdigest()


def tag_of(tags: Mapping[str, str], key: str) -> dict[str, Any]:
    """A tag that holds JSON; empty where there is none."""
    try:
        found = json.loads(tags.get(key, "{}"))
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
