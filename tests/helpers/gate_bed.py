"""A repository for the tests of the gate, and what is planted in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from helpers import track_bed as bed
from skillshot.track.state import md5_of

GATES: dict[str, Any] = {
    "definitions": ["evaluate.llm", "evaluate.shots", "data/validate/bank.jsonl"],
    "metrics": {
        "evaluate.selectors.skillshot.hit@4": {"direction": "higher", "absolute": 0.02, "minimum": 0.5},
        "evaluate.selectors.skillshot.nll": {
            "direction": "lower",
            "relative": 0.01,
            "interval": {
                "rows": "reports/evaluate_rows.csv",
                "column": "nll",
                "id": "query",
                "where": {"selector": "skillshot"},
            },
        },
        "train.shuffled_z_gap": {"direction": "higher", "relative": 0.5, "minimum": 0.05},
    },
}
HIT, NLL, GAP = GATES["metrics"]


def rows_csv(shift: float = 0.0, noise: float = 0.0, queries: int = 40) -> str:
    lines = ["query,selector,nll"]
    for i in range(queries):
        wobble = noise * (1 if i % 2 else -1)
        lines += [f"q{i},skillshot,{0.6 + shift + wobble}", f"q{i},question,{0.9 + shift}"]
    return "\n".join(lines) + "\n"


def report(root: Path, **changes: Any) -> None:
    """Rewrite evaluate.json with other values of skillshot, or of the keys at the top where they are there."""
    tree = json.loads(json.dumps(bed.EVALUATE))
    for key, value in changes.items():
        (tree if key in tree else tree["selectors"]["skillshot"])[key.replace("_at_", "@")] = value
    bed.write(root, "reports/evaluate.json", tree)


def rules(root: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    tree = json.loads(json.dumps(GATES))
    change(tree)
    bed.write(root, "gates.yaml", yaml.safe_dump(tree))


def data(root: Path, bank: str, queries: str) -> None:
    """Another bank and other queries, as if all stages had run on them; `dvc.lock` says who reads what."""
    bed.write(root, "data/validate/bank.jsonl", f'{{"id": "{bank}"}}\n')
    bed.write(root, "data/validate/queries.jsonl", f"{queries}\n")
    bed.lock(root)
    lock = yaml.safe_load((root / "dvc.lock").read_text())
    made = {path: md5_of(root / path) for path in ("data/validate/bank.jsonl", "data/validate/queries.jsonl")}
    lock["stages"]["validate"]["outs"] = [{"path": path, "md5": md5} for path, md5 in made.items()]
    for stage, path in (("train", "data/validate/bank.jsonl"), ("evaluate", "data/validate/queries.jsonl")):
        lock["stages"][stage]["deps"] = [{"path": path, "md5": made[path]}]
    bed.write(root, "dvc.lock", yaml.safe_dump(lock))


def worse_noisy_metric(root: Path) -> None:
    report(root, nll=0.7)
    bed.write(root, "reports/evaluate_rows.csv", rows_csv(shift=0.1, noise=0.05))


def other_queries(root: Path) -> None:
    bed.write(root, "reports/evaluate_rows.csv", rows_csv(queries=39))


def other_bank(root: Path) -> None:
    bed.write(root, "data/validate/bank.jsonl", '{"id": "b"}\n')
    bed.lock(root)


def one_row(value: str) -> Callable[[Path], Any]:
    text = rows_csv().replace("q3,skillshot,0.6", f"q3,skillshot,{value}")
    return lambda root: (report(root, nll=0.7), bed.write(root, "reports/evaluate_rows.csv", text))


def shadowed(root: Path) -> None:
    tree = json.loads(json.dumps(bed.EVALUATE))
    bed.write(root, "reports/evaluate.json", tree | {"selectors.skillshot.hit@4": 0.99})


def lock_with_a_second_entry(root: Path) -> None:
    lock = yaml.safe_load((root / "dvc.lock").read_text())
    lock["stages"]["zzz"] = {"cmd": "true", "outs": lock["stages"]["validate"]["outs"]}
    bed.write(root, "dvc.lock", yaml.safe_dump(lock))


def no_selector_rows(root: Path) -> None:
    bed.write(root, "reports/evaluate_rows.csv", "query,selector,nll\nq1,question,0.1\n")


SABOTAGE: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "worse than tolerated": (lambda root: report(root, hit_at_4=0.87), HIT, "regressed"),
    "below the bound": (lambda root: report(root, hit_at_4=0.1), HIT, "out of bounds"),
    "NaN": (lambda root: report(root, hit_at_4=float("nan")), HIT, "not a number"),
    "infinite": (lambda root: report(root, nll=float("inf")), NLL, "not a number"),
    "a text": (lambda root: report(root, hit_at_4="0.9"), HIT, "not a number"),
    "a bool": (lambda root: report(root, hit_at_4=True), HIT, "not a number"),
    "null": (lambda root: report(root, hit_at_4=None), HIT, "not a number"),
    "key gone": (lambda root: bed.write(root, "reports/train.json", {"kl": 1.0}), GAP, "missing"),
    "report gone": (lambda root: (root / "reports/train.json").unlink(), GAP, "missing"),
    "report broken": (lambda root: bed.write(root, "reports/train.json", '{"kl": '), GAP, "missing"),
    "report is a list": (lambda root: bed.write(root, "reports/train.json", "[1]"), GAP, "missing"),
    "noisy and certain": (worse_noisy_metric, NLL, "regressed"),
    "queries left out": (other_queries, NLL, "missing"),
    "queries added": (
        lambda root: bed.write(root, "reports/evaluate_rows.csv", rows_csv(queries=41)), NLL, "missing"
    ),
    "a query twice": (
        lambda root: bed.write(root, "reports/evaluate_rows.csv", rows_csv() + "q0,skillshot,0.1\n"), NLL, "missing"
    ),
    "NaN in one row": (one_row("nan"), NLL, "not a number"),
    "infinity in one row": (one_row("-inf"), NLL, "not a number"),
    "overflow in one row": (one_row("1e999"), NLL, "not a number"),
    "empty cell in one row": (one_row(""), NLL, "not a number"),
    "text in one row": (one_row("low"), NLL, "not a number"),
    "a huge integer": (lambda root: report(root, hit_at_4=10**400), HIT, "not a number"),
    "column twice": (
        lambda root: bed.write(root, "reports/evaluate_rows.csv", rows_csv().replace("nll\n", "nll,nll\n", 1)),
        NLL, "missing"
    ),
    "a dotted key that shadows": (shadowed, HIT, "missing"),
    "a definition that is NaN": (lambda root: report(root, shots=float("nan")), "evaluate.shots", "missing"),
    "two entries of the lock for one path": (lock_with_a_second_entry, "data/validate/bank.jsonl", "missing"),
    "tolerance of verify widened": (
        lambda root: rules(root, lambda tree: tree.update(verify={"tolerance": {"train": 1.0}})),
        "rule:verify", "rule changed"
    ),
    "rows of the selector gone": (no_selector_rows, NLL, "missing"),
    "rows gone": (lambda root: (root / "reports/evaluate_rows.csv").unlink(), NLL, "missing"),
    "another model": (lambda root: report(root, llm="other"), "evaluate.llm", "definition changed"),
    "fewer shots": (lambda root: report(root, shots=2), "evaluate.shots", "definition changed"),
    "other data": (other_bank, "data/validate/bank.jsonl", "definition changed"),
    "lock gone": (lambda root: (root / "dvc.lock").unlink(), "data/validate/bank.jsonl", "missing"),
    "gate loosened": (
        lambda root: rules(root, lambda tree: tree["metrics"][HIT].update(absolute=1)), f"rule:{HIT}", "rule changed"
    ),
    "rule taken away": (lambda root: rules(root, lambda tree: tree["metrics"].pop(HIT)), f"rule:{HIT}", "rule removed"),
    "definition taken away": (
        lambda root: rules(root, lambda tree: tree["definitions"].pop(0)), "rule:evaluate.llm", "rule removed"
    ),
}  # fmt: skip
