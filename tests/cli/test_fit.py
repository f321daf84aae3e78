"""What `skillshot fit` prints of its verdict. Nothing is fitted."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from skillshot.cli import main
from skillshot.training.verdict import judge

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a fit reports; nothing is fitted."""
    question = np.random.default_rng(0).uniform(0.2, 0.6, 200)
    found = judge(question + 0.1, question, question, source="answer", mode="lite", trust=0.5, seed=0)
    held = [{"id": f"row{i}", "score": 0.9, "reason": f"line {i}\n\x1b[31m"} for i in range(5)]
    report = {
        "accepted": 200, "quarantined": 0, "reasons": {}, "structure": "answer", "verdict": found.to_dict(),
        "diagnostics": {}, "suspicious": {"rows": 25, "worst": held},
    }  # fmt: skip
    monkeypatch.setattr("skillshot.api.fit_bundle", lambda *_, **__: report)
    return report


@pytest.mark.usefixtures("report")
def test_the_verdict_is_five_lines_before_the_next_command(capsys: Capture) -> None:
    assert main.main(["fit", "bank.jsonl", "--out", "x"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[7] == "verdict: use it" and lines[11].startswith("what helps: ")
    assert lines[12].startswith("next: ") and len(lines) == 13
    assert lines[3].startswith("suspicious: row0: line 0") and lines[5].startswith("suspicious: row2")
    assert lines[6] == "suspicious rows: 25, all in x.suspicious.jsonl"


def test_the_verdict_is_in_the_json(report: dict[str, Any], capsys: Capture) -> None:
    assert main.main(["fit", "bank.jsonl", "--out", "x", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == report


def test_a_text_of_the_verdict_stays_on_its_line(report: dict[str, Any], capsys: Capture) -> None:
    report["verdict"]["advice"] = "one\ntwo \x1b[31m"
    assert main.main(["fit", "bank.jsonl", "--out", "x"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 13 and "\x1b" not in out
