"""A small hand-made repository with a finished pipeline, for the tracking tests."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from skillshot.common.params import Params
from skillshot.track.state import md5_of

STAGES = {
    "validate": ["data/validate/bank.jsonl", "reports/validate.json"],
    "train": ["models/train", "reports/train.json", "reports/train_curves.csv"],
    "index": ["models/selector", "reports/index.json"],
    "evaluate": ["reports/evaluate.json", "reports/evaluate_rows.csv"],
}
EVALUATE = {
    "llm": "stub",
    "shots": 4,
    "queries": 40,
    "selectors": {"question": {"nll": 0.9, "hit@4": 0.3}, "skillshot": {"nll": 0.6, "hit@4": 0.9}},
    "alignment": {"selectors": {"lars": {"hit@k": 0.8}, "skillshot": {"hit@k": 0.9}}},
    "pairs": {"skillshot-question": {"nll": {"diff": -0.3, "low": -0.4, "high": -0.2}}},
}


def write(root: Path, path: str, content: Any) -> None:
    """Write text, or a value as JSON."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content if isinstance(content, str) else json.dumps(content))


def git(root: Path, *args: str) -> str:
    """Run git with a fixed identity."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", "-C", str(root), *identity, *args], check=True, capture_output=True, text=True).stdout


def commit(root: Path, message: str = "state") -> str:
    """Commit all; returns the commit."""
    git(root, "add", "-A")
    git(root, "commit", "-qm", message, "--allow-empty")
    return git(root, "rev-parse", "HEAD").strip()


def lock(root: Path) -> None:
    """Write `dvc.lock` as DVC would after running every stage on the files that are there."""
    stages = {
        name: {
            "cmd": f"python -m skillshot.stages.{name}",
            "outs": [{"path": p, "md5": md5_of(root / p)} for p in outs],
        }
        for name, outs in STAGES.items()
    }
    write(root, "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": stages}))


def make(root: Path) -> Path:
    """A repository with four stages that have run, committed; a bundle stub with two demonstrations."""
    root.mkdir(parents=True, exist_ok=True)
    write(root, "dvc.yaml", yaml.safe_dump({"stages": {name: {"cmd": "true"} for name in [*STAGES, "register"]}}))
    write(root, "params.yaml", yaml.safe_dump(Params().to_dict()))
    write(root, ".gitignore", "/data\n/models\nmlflow.db*\nmlartifacts\n")
    write(root, "data/validate/bank.jsonl", '{"id": "a"}\n')
    write(root, "reports/validate.json", {"bank": 2, "quarantined": {"empty": 0}})
    write(root, "models/train/policy.json", {"weights": [1, 2]})
    write(root, "reports/train.json", {"shuffled_z_gap": 0.2, "device": "cpu", "early": True})
    write(root, "reports/train_curves.csv", "epoch,loss,kl\n1,0.9,0.1\n2,0.8,0.2\n")
    write(root, "models/selector/manifest.json", {"demos": ["first", "second"]})
    write(root, "reports/index.json", {"vectors": 2})
    write(root, "reports/evaluate.json", EVALUATE)
    write(root, "reports/evaluate_rows.csv", "query,selector,nll\nq1,question,0.9\nq1,skillshot,0.6\n")
    lock(root)
    git(root, "init", "-q", "-b", "main")
    commit(root, "finished pipeline")
    return root
