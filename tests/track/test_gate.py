"""The gate passes an unchanged state and fails every planted regression."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import track_bed as bed
from helpers.gate_bed import GAP, HIT, NLL, SABOTAGE, one_row, report, rows_csv, rules
from skillshot.cli import gate as command
from skillshot.common.errors import TrackError


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
