"""The gate passes an unchanged state and fails every planted regression."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import track_bed as bed
from skillshot.cli import gate as command
from skillshot.common.errors import TrackError
from skillshot.track.gate import concerns
from skillshot.track.rules import parse_gates
from skillshot.track.snapshot import Snapshot

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


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = bed.make(tmp_path / "repository")
    bed.write(made, "reports/evaluate_rows.csv", rows_csv())
    rules(made, dict)
    bed.lock(made)
    bed.commit(made)
    monkeypatch.chdir(made)
    return made


def gate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code and rows by name."""
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    code = command.run(parser.parse_args(["gate", "--json", *arguments]))
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] == (code == 0) == all(row["passed"] for row in document["rows"])
    return code, {row["name"]: row for row in document["rows"]}


@pytest.mark.usefixtures("root")
def test_unchanged_state_passes(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = gate(capsys)
    assert code == 0
    assert {row["status"] for row in rows.values()} == {"same"}
    assert len(rows) == 6 + len(bed.STAGES)


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


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_every_sabotage_is_stopped(root: Path, sabotage: str, capsys: pytest.CaptureFixture[str]) -> None:
    damage, name, status = SABOTAGE[sabotage]
    damage(root)
    code, rows = gate(capsys)
    assert code == 1
    assert rows[name]["status"] == status


@pytest.mark.parametrize(
    ("changes", "name", "status"),
    [
        ({"hit_at_4": 0.95}, HIT, "improved"),
        ({"hit_at_4": 0.89}, HIT, "tolerated"),
        ({"nll": 0.61}, NLL, "tolerated"),  # the mean is over the tolerance, the pairs do not say so
    ],
)
def test_other_changes_pass(
    root: Path, changes: dict[str, float], name: str, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report(root, **changes)
    bed.write(root, "reports/evaluate_rows.csv", rows_csv(shift=0.01, noise=0.2))
    code, rows = gate(capsys)
    assert (code, rows[name]["status"]) == (0, status)


def test_the_row_that_is_not_a_number_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one_row("nan")(root)
    _, rows = gate(capsys)
    assert rows[NLL]["detail"] == "reports/evaluate_rows.csv: nll of q3 is 'nan', not a finite number"


def test_after_an_accepted_control_only_its_own_measure_is_not_compared(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    control = "evaluate.selectors.question.nll"
    rules(root, lambda tree: tree["metrics"].update({control: {"direction": "same", "absolute": 0.02}}))
    bed.commit(root)
    tree = json.loads(json.dumps(bed.EVALUATE))
    tree["selectors"] = {"question": {"nll": 0.5, "hit@4": 0.3}, "skillshot": {"nll": 5.0, "hit@4": 0.8}}
    bed.write(root, "reports/evaluate.json", tree)
    code, rows = gate(capsys, "--accept", control)
    statuses = {name: rows[name]["status"] for name in (control, NLL, HIT, GAP)}
    assert (code, statuses) == (1, {control: "accepted", NLL: "new", HIT: "regressed", GAP: "same"})
    assert rows[NLL]["detail"] == f"no comparable baseline after the change of {control}"


def test_after_an_accepted_definition_the_rest_is_compared(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bed.write(root, "reports/train.json", {"shuffled_z_gap": 0.06})
    report(root, llm="other", hit_at_4=0.6)
    code, rows = gate(capsys, "--accept", "evaluate.llm")
    assert (code, rows[HIT]["status"], rows[GAP]["status"]) == (1, "new", "regressed")


REAL = parse_gates((Path(__file__).resolve().parents[2] / "gates.yaml").read_text())


@pytest.mark.parametrize(
    ("changed", "freed", "compared"),
    [
        ("evaluate.llm", "evaluate.selectors.skillshot.nll", "evaluate.alignment.selectors.skillshot.hit@k"),
        ("evaluate.queries", "evaluate.pairs.skillshot-question.nll.diff", "evaluate.shipped.same_choice"),
        ("evaluate.alignment.k", "evaluate.alignment.selectors.lars.hit@k", "evaluate.selectors.skillshot.accuracy"),
        ("evaluate.shipped.mode", "evaluate.shipped.same_choice", "evaluate.alignment.selectors.lars.hit@k"),
        (
            "evaluate.selectors.zero-shot.nll",
            "evaluate.selectors.skillshot.nll",
            "evaluate.selectors.skillshot.accuracy",
        ),
        ("train.kl", "train.kl", "train.active_units"),
        ("data/validate/queries.jsonl", "evaluate.selectors.skillshot.nll", "train.shuffled_z_gap"),
    ],
)
def test_what_a_change_makes_incomparable(changed: str, freed: str, compared: str) -> None:
    lock = yaml.safe_dump({"stages": {"evaluate": {"deps": [{"path": "data/validate/queries.jsonl", "md5": "0"}]}}})
    state = Snapshot("state", {"dvc.lock": lock}.get)
    assert {"evaluate.alignment.queries", "evaluate.shipped.queries", "evaluate.shipped.mode"} <= set(REAL.definitions)
    assert (changed == freed or concerns(changed, freed, REAL, state)) and not concerns(changed, compared, REAL, state)


def test_intended_change_can_be_accepted_and_a_regression_cannot(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(root, llm="other", hit_at_4=0.6)
    code, rows = gate(capsys, "--accept", "evaluate.llm")
    assert (code, rows["evaluate.llm"]["status"], rows[HIT]["status"]) == (0, "accepted", "new")
    report(root, hit_at_4=0.6)
    with pytest.raises(TrackError, match=r"--accept .*hit@4: it did not change"):
        gate(capsys, "--accept", HIT)
    rules(root, lambda tree: tree["metrics"][HIT].update(absolute=0.03))
    code, rows = gate(capsys, "--accept", f"rule:{HIT}")
    assert (code, rows[f"rule:{HIT}"]["status"], rows[HIT]["status"]) == (1, "accepted", "regressed")


def test_first_state_is_compared_only_with_its_bounds(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bed.git(root, "rm", "-q", "--cached", "gates.yaml", "reports/evaluate.json")
    bed.git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "before the gate")
    code, rows = gate(capsys)
    assert (code, rows[HIT]["status"]) == (0, "new")
    report(root, hit_at_4=0.4)
    code, rows = gate(capsys)
    assert (code, rows[HIT]["status"]) == (1, "out of bounds")


def test_baseline_without_a_metric_fails(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bed.git(root, "rm", "-q", "--cached", "reports/train.json")
    bed.git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "report forgotten")
    code, rows = gate(capsys)
    assert (code, rows[GAP]["status"]) == (1, "baseline missing")
    with pytest.raises(TrackError, match="git knows no such revision"):
        gate(capsys, "--baseline", "nowhere")


def test_terminal_and_pull_requests_get_tables(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(root, hit_at_4=0.7)
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    assert command.run(parser.parse_args(["gate", "--markdown"])) == 1
    shown = capsys.readouterr()
    assert f"| ❌ | {HIT} | regressed | 0.9 | 0.7 | 0.02 |" in shown.out
    assert shown.out.index("❌") < shown.out.index("✅")
    assert f"gate: {HIT}: regressed" in shown.err and "1 of 10 checks fail" in shown.err
    assert command.run(parser.parse_args(["gate"])) == 1
    assert "regressed" in capsys.readouterr().out


def test_reports_of_other_code_fail(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bed.write(root, "src/train.py", "as it ran")
    train = {"deps": [{"path": "src/train.py", "md5": bed.md5_of(root / "src/train.py")}, {"path": "models/x"}]}
    lock = yaml.safe_load((root / "dvc.lock").read_text())
    lock["stages"]["train"] |= train | {"params": {"params.yaml": {"train.beta": 0.1, "seed": 7}}}
    bed.write(root, "dvc.lock", yaml.safe_dump(lock))
    assert gate(capsys)[0] == 0
    bed.write(root, "src/train.py", "edited, not run")
    code, rows = gate(capsys)
    assert (code, rows["stage:train"]["status"]) == (1, "stale") and "src/train.py" in rows["stage:train"]["detail"]
    bed.write(root, "src/train.py", "as it ran")
    (root / "params.yaml").write_text((root / "params.yaml").read_text().replace("beta: 0.1", "beta: 0.2"))
    code, rows = gate(capsys)
    assert (code, rows["stage:train"]["status"]) == (1, "stale") and "train.beta" in rows["stage:train"]["detail"]
    (root / "params.yaml").write_text((root / "params.yaml").read_text().replace("beta: 0.2", "beta: 0.1"))
    report(root, hit_at_4=0.95)
    code, rows = gate(capsys)
    assert (code, rows["stage:evaluate"]["status"], rows[HIT]["status"]) == (0, "edited", "improved")
    del lock["stages"]["evaluate"]
    bed.write(root, "dvc.lock", yaml.safe_dump(lock))
    code, rows = gate(capsys)
    assert (code, rows["stage:evaluate"]["status"]) == (1, "missing")


@pytest.mark.parametrize("now", [0.25, 0.35])
def test_control_may_move_in_neither_direction(root: Path, now: float, capsys: pytest.CaptureFixture[str]) -> None:
    name = "evaluate.selectors.question.hit@4"
    rules(root, lambda tree: tree["metrics"].update({name: {"direction": "same", "absolute": 0.02}}))
    bed.commit(root)
    tree = json.loads(json.dumps(bed.EVALUATE))
    for value, status in ((0.3, "same"), (0.31, "tolerated"), (now, "control moved")):
        tree["selectors"]["question"]["hit@4"] = value
        bed.write(root, "reports/evaluate.json", tree)
        code, rows = gate(capsys)
        assert (code, rows[name]["status"]) == (int(status == "control moved"), status)
    tree["selectors"]["skillshot"]["hit@4"] = 0.6
    bed.write(root, "reports/evaluate.json", tree)
    code, rows = gate(capsys, "--accept", name)
    assert (code, rows[name]["status"], rows[HIT]["status"]) == (0, "accepted", "new"), "only the bounds hold"
    tree["selectors"]["skillshot"]["hit@4"] = 0.4
    bed.write(root, "reports/evaluate.json", tree)
    assert gate(capsys, "--accept", name)[1][HIT]["status"] == "out of bounds"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metrics: {}", "passes everything"),
        ("metrics: {a: {direction: up}}", "expected higher, lower or same, got 'up'"),
        ("metrics: {a: {direction: lower, absolut: 1}}", "unknown key absolut"),
        ("metrics: {a: {direction: lower, absolute: -1}}", "expected a number of at least 0"),
        ("metrics: {a: {direction: lower, absolute: .inf}}", "expected a number of at least 0, got inf"),
        ("metrics: {a: {direction: lower, relative: .nan}}", "expected a number of at least 0, got nan"),
        ("metrics: {a: {direction: lower, maximum: .nan}}", "maximum: expected a number, got nan"),
        (
            "{metrics: {a: {direction: lower}}, verify: {tolerance: {train: .inf}}}",
            "tolerance: train: expected a number",
        ),
        ("{metrics: {a: {direction: lower}}, verify: {tolerances: {}}}", "unknown key tolerances"),
        ("metrics: {a: {direction: lower, minimum: low}}", "minimum: expected a number"),
        ("metrics: {a: {direction: lower, interval: {rows: x}}}", "rows and column are needed"),
        ("metrics: [a]", "at least one rule"),
        ("- a", "expected a section"),
        ("a: b: c", "not YAML"),
    ],
)
def test_invalid_rules_are_refused(text: str, message: str) -> None:
    with pytest.raises(TrackError, match=message):
        parse_gates(text)
