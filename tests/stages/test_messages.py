"""What stages print: results and the next command, errors with a line for params.yaml, no bars."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from skillshot.common.errors import ColumnsError
from skillshot.common.io import write_json
from skillshot.stages._runner import stage_main
from skillshot.stages.register import show_results

Capture = pytest.CaptureFixture[str]


def test_a_stage_shows_log_lines_and_names_the_parameter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)

    @stage_main
    def main() -> None:
        logging.getLogger("skillshot").info("ingest: 3 rows")
        raise ColumnsError("bank.jsonl: no question", {"question": "problem", "id": ""})

    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "ingest: 3 rows", "bank.jsonl: no question", "set ingest.columns: {question: problem, id: ''}",
    ]  # fmt: skip


def test_register_shows_the_results(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "skillshot")
    show_results(tmp_path / "evaluate.json")
    assert not caplog.records
    pair = {"accuracy": {"diff": 0.1, "low": -0.1, "high": 0.3, "p": 1.0}}
    report = {
        "llm": "smollm2", "queries": 15, "selectors": {"question": {"nll": 1.1}, "skillshot": {"nll": 0.4}},
        "pairs": {"skillshot-question": pair},
        "alignment": {"queries": 300, "selectors": {"skillshot": {"hit@k": 0.99}}},
    }  # fmt: skip
    write_json(tmp_path / "evaluate.json", report)
    show_results(tmp_path / "evaluate.json")
    assert [line.split() for line in caplog.text.splitlines() if "0.990" in line] == [["skillshot", "0.990", "0.400"]]
    assert "15 queries with smollm2, hit@k on 300 queries" in caplog.text
    assert "15 queries cannot separate skillshot from question by accuracy" in caplog.text
