"""Rules are read strictly; which metrics a change makes incomparable."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from skillshot.common.errors import TrackError
from skillshot.track.gate import concerns
from skillshot.track.rules import parse_gates
from skillshot.track.snapshot import Snapshot

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


def test_no_rule_of_a_rival_blocks_and_no_bound_fits_one_bank_alone() -> None:
    rivals = {name for name in REAL.metrics if any(word in name for word in ("question.hit", "lars", "question.nll"))}
    rivals |= {name for name in REAL.metrics if "-question" in name or name.startswith("train.verdict.question")}
    assert len(rivals) == 5 and all(REAL.metrics[name].warn for name in rivals)
    bounded = {name for name, rule in REAL.metrics.items() if not rule.warn and (rule.minimum or rule.maximum)}
    assert bounded == {"evaluate.shipped.same_choice", "export.skillshot.same_top_k", "export.encoder.max_difference"}
    labelled = [rule for name, rule in REAL.metrics.items() if name.startswith("evaluate.alignment.")]
    assert labelled and all(rule.optional for rule in labelled)


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
        ("metrics: {a: {direction: lower, drift: -0.1}}", "drift: expected a number of at least 0"),
        ("metrics: {a: {direction: same, drift: 0.1}}", "drift: has no meaning with direction same"),
        ("metrics: {a: {direction: lower, of_bank: true}}", "of_bank: has no meaning with direction lower"),
        ("metrics: {a: {direction: lower, warn: 1}}", "warn: expected true or false, got 1"),
        ("metrics: {a: {direction: lower, optional: yes please}}", "optional: expected true or false"),
        ("metrics: [a]", "at least one rule"),
        ("- a", "expected a section"),
        ("a: b: c", "not YAML"),
    ],
)
def test_invalid_rules_are_refused(text: str, message: str) -> None:
    with pytest.raises(TrackError, match=message):
        parse_gates(text)
