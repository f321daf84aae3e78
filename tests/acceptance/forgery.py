"""Forged reports against the real stage `evaluate`: none reaches `champion`.

    export PYTHONPATH=tests
    python -m acceptance.sabotage --folder DIR --only nothing   # a small finished pipeline, once
    python -m acceptance.forgery DIR                            # then ten forgeries: about 10 minutes of CPU

Each forger starts from the champion's commit, makes the reports look better, makes every digest fit that a committer
can write, commits and publishes. `tests/track/test_forgery.py` does it in more ways, with a stand-in for the stage.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from skillshot.common.io import read_json, write_json
from skillshot.runtime.manifest import describe
from skillshot.track.location import local_path
from skillshot.track.state import md5_of

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "reports/benchmarks/forgery.json"
ARTIFACTS = """
import sys, mlflow
client = mlflow.MlflowClient()
version = client.get_model_version("skillshot-selector", sys.argv[1])
print(client.get_run(version.run_id).info.artifact_uri)
print(client.search_logged_models([client.get_run(version.run_id).info.experiment_id],
      f"source_run_id = '{version.run_id}'")[0].artifact_location)
print(version.run_id)
"""


class Repository:
    """A copy of the small pipeline, with a champion."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.root = folder
        shutil.copytree(source, folder, symlinks=True, ignore=shutil.ignore_patterns("mlflow.db*", "mlartifacts"))
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "src"),
            "SKILLSHOT_CACHE": str(folder / ".record"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        }
        self.commit("gates of the small bank")
        self.base = self.git("rev-parse", "HEAD").strip()
        self.answers = (folder / ".record/llm.jsonl").read_bytes()
        self.champion = self.publish()
        code, output = self.run("-m", "skillshot.cli.main", "promote")
        assert code == 0, output

    def git(self, *arguments: str) -> str:
        """Output of git."""
        identity = ("-c", "user.name=Mallory", "-c", "user.email=mallory@example.org")
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout

    def commit(self, message: str) -> None:
        """Commit all."""
        self.git("add", "-A")
        self.git("commit", "-qm", message, "--allow-empty")

    def run(self, *command: str) -> tuple[int, str]:
        """Exit code and output of Python with the copy's code."""
        done = subprocess.run(
            [sys.executable, *command], cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def publish(self) -> str:
        """Commit and publish; the version."""
        self.commit("candidate")
        code, output = self.run("-m", "skillshot.stages.register")
        assert code == 0, output
        return output.split("as version ")[1].split(",")[0]

    def restore(self) -> None:
        """Back to the champion's commit, with its data, models and answers."""
        self.git("reset", "-q", "--hard", self.base)
        self.git("clean", "-fdq")
        code, output = self.run("-m", "dvc", "checkout", "--force", "-q")
        assert code == 0, output
        (self.root / ".record/llm.jsonl").write_bytes(self.answers)

    def places(self, version: str) -> tuple[Path, Path, str]:
        """Folders of a version's run and model, and the run's id."""
        code, output = self.run("-c", ARTIFACTS, version)
        assert code == 0, output
        run, model, number = output.splitlines()[-3:]
        folders = local_path(run), local_path(model)
        assert folders[0] and folders[1]
        return folders[0], folders[1], number

    # what forgers do

    def relock(self) -> None:
        """Give every output and every dependency in `dvc.lock` the digest of the file that is there."""
        path = self.root / "dvc.lock"
        tree = yaml.safe_load(path.read_text())
        for stage in tree["stages"].values():
            for entry in (*stage.get("deps", ()), *stage.get("outs", ())):
                if (self.root / entry["path"]).exists():
                    entry["md5"] = md5_of(self.root / entry["path"])
        path.write_text(yaml.safe_dump(tree))

    def report(self, hit: float = 0.999, nll: float = -0.2) -> None:
        """Better reports: skill alignment, likelihood and its rows."""
        path = self.root / "reports/evaluate.json"
        tree = read_json(path)
        tree["alignment"]["selectors"]["skillshot"]["hit@k"] = hit
        tree["selectors"]["skillshot"]["nll"] += nll
        write_json(path, tree)

    def rows(self, nll: float = -0.2) -> None:
        """Better rows of the evaluation."""
        path = self.root / "reports/evaluate_rows.csv"
        lines = path.read_text().splitlines()
        column = lines[0].split(",").index("nll")
        for i, line in enumerate(lines):
            cells = line.split(",")
            if ",skillshot," in line:
                cells[column] = str(float(cells[column]) + nll)
                lines[i] = ",".join(cells)
        path.write_text("\n".join(lines) + "\n")

    def yaml(self, path: str, change: Callable[[Any], Any]) -> None:
        """Edit a YAML file."""
        tree = yaml.safe_load((self.root / path).read_text())
        change(tree)
        (self.root / path).write_text(yaml.safe_dump(tree, sort_keys=False))


def numbers(r: Repository) -> str:
    r.report()
    r.relock()
    return r.publish()


def rows(r: Repository) -> str:
    r.rows()
    r.relock()
    return r.publish()


def lock(r: Repository) -> str:
    r.report(hit=0.998)
    r.relock()
    r.yaml("dvc.lock", lambda tree: tree["stages"]["evaluate"]["deps"].pop())
    return r.publish()


def record(r: Repository) -> str:
    r.report(hit=0.1)
    r.relock()
    version = r.publish()
    r.report(hit=0.997)
    r.relock()
    folder = r.places(version)[0]
    shutil.copyfile(r.root / "reports/evaluate.json", folder / "reports/evaluate.json")
    shutil.copyfile(r.root / "dvc.lock", folder / "pipeline/dvc.lock")
    return version


def params(r: Repository) -> str:
    r.yaml("params.yaml", lambda tree: tree["evaluate"].update(bootstrap=2500))
    r.report(hit=0.996)
    r.relock()
    r.yaml(
        "dvc.lock", lambda tree: tree["stages"]["evaluate"]["params"]["params.yaml"]["evaluate"].update(bootstrap=2500)
    )
    return r.publish()


def queries(r: Repository) -> str:
    path = r.root / "data/validate/queries.jsonl"
    lines = path.read_text().splitlines()
    path.chmod(0o644)
    path.unlink()
    path.write_text("\n".join(lines[: len(lines) // 2]) + "\n")
    r.report(hit=0.995)
    r.relock()
    return r.publish()


def gates(r: Repository) -> str:
    r.report(hit=0.2)
    r.yaml("gates.yaml", lambda tree: [rule.update(absolute=10.0) for rule in tree["metrics"].values()])
    r.relock()
    return r.publish()


def cache(r: Repository) -> str:
    path = r.root / ".record/llm.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if "logprobs" in line["answer"]:
            line["answer"]["logprobs"] = [value / 2 for value in line["answer"]["logprobs"]]
            line.pop("digest")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    r.report(hit=0.994, nll=-0.5)
    r.relock()
    return r.publish()


def old_tag(r: Repository) -> str:
    r.report(hit=0.993)
    r.relock()
    version, champion = r.publish(), r.places(r.champion)[2]
    code = (
        "import mlflow; c = mlflow.MlflowClient(); tags = c.get_run(%r).data.tags\n"
        "[c.set_tag(%r, k, tags[k]) for k in ('skillshot.recomputed', 'mlflow.source.git.commit')]\n"
        "c.set_model_version_tag('skillshot-selector', %r, 'skillshot.gate', 'passed')"
    )
    status, output = r.run("-c", code % (champion, r.places(version)[2], version))
    assert status == 0, output
    return version


def doctored_bundle(r: Repository) -> str:
    bundle = r.root / "models/selector"
    for path in bundle.rglob("skillshot.npy"):
        vectors = np.load(path, allow_pickle=False)
        path.chmod(0o644)
        path.unlink()
        np.save(path, np.ascontiguousarray(np.roll(vectors, 1, 0)), allow_pickle=False)
    manifest = bundle / "manifest.json"
    tree = read_json(manifest)
    manifest.chmod(0o644)
    write_json(manifest, tree | {"files": describe(bundle, [bundle])})
    r.report(hit=0.992)
    r.relock()
    return r.publish()


FORGERIES = (numbers, rows, lock, record, params, queries, gates, cache, old_tag, doctored_bundle)


def main() -> int:
    """Forge, promote, look who is champion; 1 when a forgery got through."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    outcomes: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory(prefix="skillshot-forgery-") as name:
        repository = Repository(Path(sys.argv[1]).resolve(), Path(name) / "copy")
        for forge in FORGERIES:
            version = forge(repository)
            code, output = repository.run("-m", "skillshot.cli.main", "promote", version)
            status, champion = repository.run("-m", "skillshot.cli.main", "lineage", "champion", "--json")
            held = status == 0 and f'"version": "{repository.champion}"' in champion and code != 0
            named = ("not reproduced", " stale", "answers of", "not of its lock", "not the commit's")
            lines = [line for line in output.splitlines() if any(words in line for words in named)]
            reason = (lines or output.splitlines())[-1][:200]
            outcomes[forge.__name__] = {"refused": held, "exit": code, "reason": " ".join(reason.split())}
            print(f"{forge.__name__:16} {'refused' if held else 'GOT THROUGH'} {reason}", file=sys.stderr, flush=True)
            repository.restore()
    write_json(REPORT, outcomes)
    return 0 if all(outcome["refused"] for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
