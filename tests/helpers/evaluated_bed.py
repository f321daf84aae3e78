"""The bed of the tracking tests with an evaluation that can be recomputed: a bundle, queries, answers, a program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from helpers import track_bed as bed
from skillshot.llm.cache import AnswerCache, digest
from skillshot.track.state import md5_of

HIT = "evaluate.selectors.skillshot.hit@4"
NLL = "evaluate.selectors.skillshot.nll"
GATES: dict[str, Any] = {
    "definitions": ["evaluate.shots", "data/validate/queries.jsonl"],
    "metrics": {
        HIT: {"direction": "higher", "absolute": 0.02, "minimum": 0.5},
        NLL: {"direction": "lower", "absolute": 0.01, "maximum": 1.0},
    },
}
QUERIES = "data/validate/queries.jsonl"
PROGRAM = """
import json, sys
from pathlib import Path
import yaml
from skillshot.llm.cache import AnswerCache, default_path, digest

if Path("reports/answers.jsonl").exists():
    sys.exit("answers in git are no evidence")
bundle = json.loads(Path("models/selector/manifest.json").read_text())
shots = yaml.safe_load(Path("params.yaml").read_text())["evaluate"]["shots"]
cache = AnswerCache(default_path())
rows = []
for query in Path("data/validate/queries.jsonl").read_text().splitlines():
    answer = cache.get(digest("stub", "score", query, [bundle["hit"], shots]))
    if answer is None:
        sys.exit(f"--offline: no answer of stub to {query} in {cache.path}")
    rows.append((query, answer["nll"]))
mean = sum(nll for _, nll in rows) / len(rows)
skillshot = {"nll": mean, "hit@4": bundle["hit"]}
report = {"llm": "stub", "shots": shots, "queries": len(rows), "selectors": {"skillshot": skillshot}}
Path("reports/evaluate.json").write_text(json.dumps(report))
lines = "".join(f"{query},skillshot,{nll}\\n" for query, nll in rows)
Path("reports/evaluate_rows.csv").write_text("query,selector,nll\\n" + lines)
"""


def make(root: Path, cache: Path) -> Path:
    """A repository whose stage `evaluate` runs; its answers are in `cache`, the value of SKILLSHOT_CACHE."""
    bed.make(root)
    tree = yaml.safe_load((root / "dvc.yaml").read_text())
    tree["stages"]["evaluate"] = {
        "cmd": "python evaluate.py",
        "deps": ["evaluate.py", "models/selector", QUERIES],
        "params": ["evaluate.shots"],
        "outs": [{"reports/evaluate.json": {"cache": False}}, {"reports/evaluate_rows.csv": {"cache": False}}],
    }
    bed.write(root, "dvc.yaml", yaml.safe_dump(tree))
    bed.write(root, "evaluate.py", PROGRAM)
    bed.write(root, "gates.yaml", yaml.safe_dump(GATES))
    bed.write(root, QUERIES, "q1\nq2\n")
    bed.write(root, "reports/answers.jsonl", "")  # recomputing must not read it
    bed.git(root, "config", "user.name", "Ada")
    AnswerCache(cache / "llm.jsonl")
    return root


def run(root: Path, cache: Path, hit: float = 0.9, nll: float = 0.6, shots: int = 4) -> None:
    """Run the pipeline: a bundle, the answers it gets, reports, `dvc.lock`."""
    tree = yaml.safe_load((root / "params.yaml").read_text())
    tree["evaluate"]["shots"] = shots
    bed.write(root, "params.yaml", yaml.safe_dump(tree))
    bed.write(root, "models/selector/manifest.json", {"hit": hit})
    answers = AnswerCache(cache / "llm.jsonl")
    queries = (root / QUERIES).read_text().splitlines()
    for query in queries:
        answers.add(digest("stub", "score", query, [hit, shots]), {"nll": nll})
    report(root, hit, nll, shots)
    lock(root)


def report(root: Path, hit: float, nll: float, shots: int = 4) -> None:
    """Write the reports as the program would."""
    queries = (root / QUERIES).read_text().splitlines()
    skillshot = {"nll": sum([nll] * len(queries)) / len(queries), "hit@4": hit}
    tree = {"llm": "stub", "shots": shots, "queries": len(queries), "selectors": {"skillshot": skillshot}}
    bed.write(root, "reports/evaluate.json", json.dumps(tree))
    rows = "".join(f"{query},skillshot,{nll}\n" for query in queries)
    bed.write(root, "reports/evaluate_rows.csv", "query,selector,nll\n" + rows)


def lock(root: Path) -> None:
    """Write `dvc.lock` for the files that are there, as DVC would, or a forger."""
    bed.lock(root)
    tree = yaml.safe_load((root / "dvc.lock").read_text())
    tree["stages"]["validate"]["outs"].append({"path": QUERIES, "md5": md5_of(root / QUERIES)})
    deps = ("evaluate.py", "models/selector", QUERIES)
    shots = yaml.safe_load((root / "params.yaml").read_text())["evaluate"]["shots"]
    tree["stages"]["evaluate"] |= {
        "cmd": "python evaluate.py",
        "deps": [{"path": path, "md5": md5_of(root / path)} for path in deps],
        "params": {"params.yaml": {"evaluate.shots": shots}},
    }
    bed.write(root, "dvc.lock", yaml.safe_dump(tree))
