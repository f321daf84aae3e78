"""A new bank gets its first baseline on request, once; a label, a rival and a bank of one's own block nothing."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from helpers import track_bed as bed
from helpers.gate_bed import GAP, HIT, data, report, rows_csv, rules
from skillshot.cli import gate as command
from skillshot.common.errors import TrackError
from skillshot.track.baseline import BASELINE, First, digest_of, recorded
from skillshot.track.rules import parse_gates
from skillshot.track.snapshot import Snapshot, of_tree

QUERIES = "data/validate/queries.jsonl"
CONTROL, RIVAL = "evaluate.selectors.random.hit@4", "evaluate.selectors.question.hit@4"
LABEL, ALIGNED = "evaluate.alignment.label", "evaluate.alignment.selectors.skillshot.hit@k"


def own_rules(tree: dict[str, Any]) -> None:
    tree["definitions"] = ["evaluate.llm", "evaluate.shots", LABEL, QUERIES]
    tree["metrics"][HIT] = {"direction": "higher", "absolute": 0.02, "drift": 0.05, "maximum": 1.0}
    tree["metrics"][GAP] |= {"optional": True}
    tree["metrics"][RIVAL] = {"direction": "higher", "absolute": 0.03, "warn": True}
    tree["metrics"][CONTROL] = {"direction": "same", "absolute": 0.02, "of_bank": True, "optional": True}
    tree["metrics"][ALIGNED] = {"direction": "higher", "absolute": 0.02, "optional": True}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = bed.make(tmp_path / "repository")
    bed.write(made, "reports/evaluate_rows.csv", rows_csv())
    rules(made, own_rules)
    edit(made, lambda tree: tree["alignment"].update(label="skill"))
    data(made, "a", "q")
    bed.commit(made)
    monkeypatch.chdir(made)
    return made


def scored(root: Path, **changes: Any) -> None:
    """Figures of skillshot, with the label."""
    report(root, **changes)
    edit(root, lambda tree: tree["alignment"].update(label="skill"))


def edit(root: Path, change: Any) -> None:
    path = root / "reports/evaluate.json"
    tree = json.loads(path.read_text())
    change(tree)
    bed.write(root, "reports/evaluate.json", tree)


def gate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Exit code, rows by name, what stderr shows."""
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    code = command.run(parser.parse_args(["gate", "--json", *arguments]))
    shown = capsys.readouterr()
    return code, {row["name"]: row for row in json.loads(shown.out)["rows"]}, shown.err


def entry(root: Path) -> str:
    return f"baseline:{digest_of(of_tree(root), 'data/validate/bank.jsonl')[:8]}"


def test_another_bank_gets_its_first_baseline_and_is_then_held_to_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(root, hit_at_4=0.3, nll=2.0)
    data(root, "b", "r")
    code, rows, shown = gate(capsys)
    assert [name for name, row in rows.items() if not row["passed"]] == ["bank"] and code == 1
    assert "is it a new bank? run `skillshot gate --new-baseline`" in shown
    assert not (root / BASELINE).exists()
    code, rows, shown = gate(capsys, "--new-baseline")
    assert (code, rows["bank"]["detail"], rows[HIT]["status"]) == (0, "first baseline of this bank", "new")
    assert "gate: first baseline of this bank" in shown and f"{BASELINE}; commit it" in shown
    bed.commit(root)
    assert gate(capsys)[0] == 0
    scored(root, hit_at_4=0.27, nll=2.0)
    code, rows, _ = gate(capsys)
    assert (code, rows[HIT]["status"]) == (1, "regressed")


def test_a_bank_has_one_first_baseline(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TrackError, match="has a baseline already, HEAD\nrun `skillshot gate`, or name the change"):
        gate(capsys, "--new-baseline")
    first = entry(root)
    data(root, "b", "r")
    assert gate(capsys, "--new-baseline")[0] == 0
    bed.commit(root)
    data(root, "a", "q")
    scored(root, hit_at_4=0.6)
    with pytest.raises(TrackError, match=f"has a baseline already, {BASELINE}\n.*--accept {first}"):
        gate(capsys, "--new-baseline")
    code, rows, _ = gate(capsys)  # the replaced bank is compared with its own figures, not judged as new
    assert (code, rows["bank"]["status"], rows[HIT]["status"]) == (1, "same", "regressed")
    code, rows, _ = gate(capsys, "--new-baseline", "--accept", first)
    assert (code, rows[HIT]["status"]) == (1, "regressed"), "consent to a new record excuses no regression"


def test_an_unfinished_record_is_no_way_to_step_down(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data(root, "b", "r")
    assert gate(capsys, "--new-baseline")[0] == 0
    before = (root / BASELINE).read_text()
    scored(root, hit_at_4=0.89)
    code, rows, _ = gate(capsys, "--new-baseline")
    assert (code, rows[HIT]["status"]) == (0, "tolerated")
    assert (root / BASELINE).read_text() == before
    scored(root, hit_at_4=0.5)
    code, rows, _ = gate(capsys, "--new-baseline")
    assert (code, rows[HIT]["status"]) == (1, "regressed")


def test_a_first_baseline_must_be_measured_and_within_the_bounds(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data(root, "b", "r")
    for value, status in ((float("nan"), "not a number"), (1.5, "out of bounds")):
        scored(root, hit_at_4=value)
        code, rows, _ = gate(capsys, "--new-baseline")
        assert (code, rows[HIT]["status"], (root / BASELINE).exists()) == (1, status, False)
    (root / "reports/evaluate.json").unlink()
    code, rows, _ = gate(capsys, "--new-baseline")
    assert (code, rows[HIT]["status"], (root / BASELINE).exists()) == (1, "missing", False)


def test_on_the_same_queries_the_evaluation_is_still_compared(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data(root, "a, longer", "q")
    bed.write(root, "reports/train.json", {"shuffled_z_gap": 0.06})
    scored(root, hit_at_4=0.7)
    code, rows, shown = gate(capsys)
    assert (code, rows[HIT]["status"], rows[GAP]["status"]) == (1, "regressed", "regressed") and "bank" not in rows
    assert "if it is a new bank, run `skillshot gate --new-baseline`" in shown
    code, rows, _ = gate(capsys, "--new-baseline")
    assert (code, rows[HIT]["status"], rows[GAP]["status"]) == (1, "regressed", "new")
    scored(root)
    assert gate(capsys, "--new-baseline")[0] == 0


def test_recorded_baselines_stay(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data(root, "b", "r")
    gate(capsys, "--new-baseline")
    bed.commit(root)
    name, text = entry(root), (root / BASELINE).read_text()
    bed.write(root, BASELINE, text.replace("0.9", "0.5"))
    code, rows, _ = gate(capsys)
    assert (code, rows[name]["status"]) == (1, "baseline changed")
    assert gate(capsys, "--accept", name)[1][name]["status"] == "accepted"
    (root / BASELINE).unlink()
    assert gate(capsys)[1][name]["status"] == "baseline removed"
    bed.write(root, BASELINE, text.replace("0.9", "NaN"))
    with pytest.raises(TrackError, match=r"hit@. is nan, not a finite number\nrestore the committed file"):
        gate(capsys)


def test_small_steps_do_not_lead_away_from_the_first_baseline(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data(root, "b", "r")
    gate(capsys, "--new-baseline")
    for hit, status in ((0.885, "tolerated"), (0.87, "tolerated"), (0.852, "drifted")):
        bed.commit(root)
        scored(root, hit_at_4=hit)
        code, rows, _ = gate(capsys)
        assert (code, rows[HIT]["status"]) == (int(status == "drifted"), status)
    data(root, "b, longer", "r")  # more rows, the same queries
    assert gate(capsys)[1][HIT]["status"] == "drifted"


def test_a_rival_blocks_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(root, lambda tree: tree["selectors"]["question"].update({"hit@4": 0.1}))
    code, rows, shown = gate(capsys)
    assert (code, rows[RIVAL]["status"], rows[RIVAL]["detail"]) == (0, "warning", "regressed")
    assert f"gate: warning: {RIVAL}: regressed" in shown
    edit(root, lambda tree: tree["selectors"].pop("question"))
    code, rows, _ = gate(capsys)
    assert (code, rows[RIVAL]["status"]) == (0, "warning") and rows[RIVAL]["detail"].startswith("missing; ")
    edit(root, lambda tree: tree["selectors"].update(question={"hit@4": float("inf")}))
    code, rows, _ = gate(capsys)
    assert (code, rows[RIVAL]["status"]) == (1, "not a number"), "a broken report is no rival's doing"


@pytest.mark.parametrize(("bank", "code", "status"), [("a", 1, "control moved"), ("c", 0, "warning")])
def test_a_control_of_the_bank_blocks_where_nothing_but_the_measure_moves_it(
    root: Path, bank: str, code: int, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(root, lambda tree: tree["selectors"].update(random={"hit@4": 0.1}))
    bed.commit(root)
    edit(root, lambda tree: tree["selectors"].update(random={"hit@4": 0.9}))
    data(root, bank, "q")
    found, rows, _ = gate(capsys)
    assert (found, rows[CONTROL]["status"]) == (code, status)
    assert status != "warning" or rows[CONTROL]["detail"].startswith("control moved")


def test_without_a_label_what_needs_one_is_skipped(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(root, lambda tree: tree.update(alignment={"missing": "evaluate.label is null"}))
    code, rows, _ = gate(capsys)  # a label that the baseline had cannot be dropped in silence
    assert (code, rows[LABEL]["status"], rows[ALIGNED]["status"]) == (1, "definition changed", "missing")
    code, rows, _ = gate(capsys, "--accept", LABEL)
    assert (code, rows[LABEL]["status"], rows[ALIGNED]["status"]) == (0, "accepted", "skipped")
    data(root, "b", "r")
    code, rows, shown = gate(capsys, "--new-baseline")
    assert (code, rows[LABEL]["status"], rows[ALIGNED]["status"]) == (0, "skipped", "skipped")
    assert "gate: 2 checks skipped: evaluate.label is null" in shown
    bed.commit(root)
    assert gate(capsys)[0] == 0
    edit(root, lambda tree: tree.update(alignment={"label": "skill", "selectors": {"skillshot": {"hit@k": 0.4}}}))
    code, rows, _ = gate(capsys)
    assert (code, rows[LABEL]["status"], rows[ALIGNED]["status"]) == (0, "new", "new")


def test_an_optional_metric_that_the_baseline_has_may_not_vanish(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in ({"kl": 1.0}, {"shuffled_z_gap": None}):
        bed.write(root, "reports/train.json", value)
        code, rows, _ = gate(capsys)
        assert (code, rows[GAP]["status"]) == (1, "missing")
    bed.commit(root)
    code, rows, _ = gate(capsys)
    assert (code, rows[GAP]["status"]) == (0, "skipped")


def test_accepted_queries_are_compared_as_before(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data(root, "b", "r")
    bed.write(root, "reports/train.json", {"shuffled_z_gap": 0.06})
    code, rows, _ = gate(capsys, "--accept", QUERIES)
    assert (code, rows[HIT]["status"], rows[GAP]["status"]) == (1, "new", "regressed") and "bank" not in rows


def test_the_message_repeats_the_command(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bed.git(root, "tag", "v1")
    data(root, "b", "r")
    assert "run `skillshot gate --baseline v1 --new-baseline`" in gate(capsys, "--baseline", "v1")[2]


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1, max_size=12)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(metrics=st.dictionaries(NAMES, FINITE, max_size=4), definitions=st.dictionaries(NAMES, NAMES, max_size=4))
def test_what_is_written_is_read(metrics: dict[str, float], definitions: dict[str, str]) -> None:
    tree = {"banks": {"0a": {"metrics": metrics, "definitions": definitions}}}
    assert recorded(Snapshot("s", {BASELINE: json.dumps(tree)}.get)) == {"0a": First(metrics, definitions)}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["banks", "metrics", "definitions", "a", "a.b"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(text=JSON.map(json.dumps) | st.text(max_size=40))
def test_any_other_file_is_refused_by_its_name(text: str) -> None:
    try:
        found = recorded(Snapshot("HEAD", {BASELINE: text}.get))
    except TrackError as error:
        assert f"{BASELINE} of HEAD" in str(error) and "git checkout" in str(error)
    else:
        assert all(isinstance(value, float) for first in found.values() for value in first.metrics.values())


def test_the_rules_of_this_repository_can_be_read_from_any_baseline() -> None:
    text = (Path(__file__).resolve().parents[2] / "gates.yaml").read_text()
    assert parse_gates(text) == parse_gates(yaml.safe_dump(yaml.safe_load(text)))


def test_the_bank_is_no_report(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data(root, "b", "r")
    assert "on trust: the reports of evaluate, train\n" in gate(capsys, "--new-baseline")[2]
