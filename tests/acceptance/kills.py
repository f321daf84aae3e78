"""A stage is killed at a random moment; the next `dvc repro` ends with the same `dvc.lock`, and one version in MLflow.

    export PYTHONPATH=tests
    python -m acceptance.sabotage --folder DIR --only nothing   # a small finished pipeline, once
    python -m acceptance.kills DIR                              # 30 kills over all stages: about 15 minutes of CPU
    python -m acceptance.kills DIR --kills 5 --seed 3

Each stage is killed several times: it is forced to run again in a copy, and its process group gets SIGKILL after a
random share of the time that the stage takes. The language model's answers come from the cache.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from skillshot.common.io import read_json, write_json

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "reports/benchmarks/kills.json"
STAGES = tuple(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])
COUNT = """
import mlflow
client = mlflow.MlflowClient()
experiment = client.get_experiment_by_name("skillshot").experiment_id
runs = client.search_runs([experiment], "tags.`skillshot.kind` = 'pipeline'")
complete = sum("skillshot.complete" in run.data.tags for run in runs)
print(len(runs), complete, len(client.search_model_versions("name='skillshot-selector'")))
"""


class Pipeline:
    """A finished copy of the small pipeline, with its own cache and database."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.root = folder
        shutil.copytree(source, folder, symlinks=True, ignore=shutil.ignore_patterns("mlflow.db*", "mlartifacts"))
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "src"),
            "SKILLSHOT_CACHE": str(folder / ".record"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        }

    def __call__(self, *command: str) -> str:
        """Run to the end; another exit code than 0 ends the test."""
        done = subprocess.run(
            [sys.executable, *command], cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
        return done.stdout

    def forced(self, stage: str, seconds: float | None = None) -> tuple[float, bool]:
        """Run one stage again; killed after `seconds`. Gives the seconds it took, and whether the kill hit it."""
        command = [sys.executable, "-m", "dvc", "repro", "--single-item", "--force", "--no-run-cache", stage]
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=self.root, env=self.environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return time.monotonic() - began, True
        if process.returncode and seconds is None:
            raise SystemExit(f"stage {stage} failed without a kill")
        return time.monotonic() - began, False

    def lock(self) -> str:
        """`dvc.lock` as text."""
        return (self.root / "dvc.lock").read_text()


def main() -> int:
    """Kill, repair, compare; 1 when a lock differs or a version is there twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a finished pipeline, made by acceptance.sabotage")
    parser.add_argument("--kills", type=int, default=30, help="moments (default 30)")
    parser.add_argument("--seed", type=int, default=16, help="of stages and moments")
    args = parser.parse_args()
    draw, outcomes, bad = random.Random(args.seed), [], 0
    with tempfile.TemporaryDirectory(prefix="skillshot-kills-") as name:
        pipeline = Pipeline(args.folder.resolve(), Path(name) / "copy")
        pipeline("-m", "dvc", "repro")
        wanted, reports = pipeline.lock(), reports_of(pipeline.root)
        took = {stage: pipeline.forced(stage)[0] for stage in STAGES}
        pipeline("-m", "dvc", "repro")
        assert pipeline.lock() == wanted, "an unkilled second run gives another lock"
        for number in range(args.kills):
            stage = STAGES[number % len(STAGES)]
            moment = draw.uniform(0.02, 1.0) * took[stage]
            _, hit = pipeline.forced(stage, moment)
            pipeline("-m", "dvc", "repro")
            counts = pipeline("-c", COUNT).split()
            same = pipeline.lock() == wanted and reports_of(pipeline.root) == reports and counts == ["1", "1", "1"]
            bad += not same
            outcomes.append({"stage": stage, "seconds": round(moment, 2), "killed": hit, "same": same})
            print(f"{number + 1:3} {stage:9} {moment:6.2f} s {'killed' if hit else 'ended'} {same}", file=sys.stderr)
    write_json(REPORT, {"kills": outcomes, "different": bad})
    return 1 if bad else 0


def reports_of(root: Path) -> dict[str, object]:
    """Reports of the stages, by name."""
    return {stage: read_json(root / f"reports/{stage}.json") for stage in STAGES}


if __name__ == "__main__":
    sys.exit(main())
