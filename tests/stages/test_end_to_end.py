"""The whole DAG in a clone, run twice: the second run does nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def run(command: list[str], folder: Path) -> str:
    binaries = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "SKILLSHOT_CACHE": str(ROOT / ".cache/skillshot"),
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.slow
def test_dag_runs_once(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_bytes((ROOT / name).read_bytes())
    params = yaml.safe_load((clone / "params.yaml").read_text())
    params["ingest"]["size"] = 240
    params["train"]["epochs"] = 20
    params["train"]["min_gap"] = -1.0  # with so few epochs the guard against collapse does not apply
    params["evaluate"] |= {"limit": 2, "selectors": ["zero-shot", "question", "skillshot"], "max_tokens": 16}
    (clone / "params.yaml").write_text(yaml.safe_dump(params))
    (clone / "dvc.lock").unlink(missing_ok=True)
    for command in (
        ["git", "init", "-q"],
        ["git", "add", "-A"],
        ["git", "-c", "user.name=t", "-c", "user.email=t@t.invalid", "commit", "-qm", "t"],
    ):
        run(command, clone)

    run(["dvc", "repro"], clone)
    stages = yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]
    for stage in stages:
        assert json.loads((clone / "reports" / f"{stage}.json").read_text()), stage
    evaluated = json.loads((clone / "reports/evaluate.json").read_text())
    assert (
        evaluated["alignment"]["selectors"]["skillshot"]["hit@k"]
        > evaluated["alignment"]["selectors"]["random"]["hit@k"]
    )
    lock = (clone / "dvc.lock").read_text()

    again = run(["dvc", "repro"], clone)
    assert again.count("didn't change, skipping") == len(stages) - 2  # source and register always run
    assert (clone / "dvc.lock").read_text() == lock
    code = (
        "import mlflow; c = mlflow.MlflowClient('sqlite:///mlflow.db'); "
        "e = c.get_experiment_by_name('skillshot').experiment_id; "
        "runs = c.search_runs([e]); parents = [r for r in runs if 'mlflow.parentRunId' not in r.data.tags]; "
        "print(len(parents), len(c.search_model_versions(\"name='skillshot-selector'\")))"
    )
    assert run([sys.executable, "-c", code], clone).split("\n")[-2] == "1 1"
