"""What commands print and return, apart from what they compute."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from skillshot.cli import fit as fit_command
from skillshot.cli import gate, lineage, main
from skillshot.cli.markdown import markdown
from skillshot.common.errors import InputError
from skillshot.common.record import Record, write_records
from skillshot.evaluation.run import sample

Capture = pytest.CaptureFixture[str]


def test_markdown_puts_failures_first_and_keeps_its_cells() -> None:
    rows = [{"passed": True, "name": "a", "detail": None}, {"passed": False, "name": "b|c\nd", "detail": 0.123456}]
    assert markdown("Gate", rows, ["name", "detail"]).splitlines()[2:] == [
        "| | name | detail |", "|---|---|---|", "| ❌ | b\\|c d | 0.1235 |", "| ✅ | a |  |",
    ]  # fmt: skip


FOUND: dict[str, Any] = {
    "model": "skillshot-selector", "version": "3", "aliases": ["champion"], "run": "r1", "tracking": "sqlite:///x",
    "commit": "abc", "dirty": ["params.yaml"], "unrecorded": ["models/bundle"], "pipeline": "p1", "gate": "passed",
    "tuned": "",
    "data": {"bank": {"digest": "d1"}},
    "stages": {"train": {
        "cmd": "python -m train", "deps": {"data/bank.jsonl": "0123456789abcdef"}, "outs": {"models/model": "fedc"},
        "params": {"params.yaml": {"train.epochs": 40}},
    }},
    "machine": {"cpu": "2 cores", "python": "3.11"},
    "history": [{"at": "noon", "action": "promote", "before": "2", "version": "3", "by": "ann", "note": "better"}],
    "again": ["make run"],
}  # fmt: skip


def test_verdicts_are_those_that_differ_with_their_reasons_below() -> None:
    rows = [
        {"name": "evaluate.llm", "status": "same", "baseline": "m", "current": "m", "allowed": None, "detail": ""},
        {"name": "train.kl", "status": "worse", "baseline": 9.0, "current": 4.0, "allowed": 2.0, "detail": "r" * 120},
    ]
    shown = list(gate.verdicts(rows, False))
    assert [line.split()[0] for line in shown[:1]] == ["name"] and max(map(len, shown[:3])) < 80
    assert shown[2].split() == ["train.kl", "worse", "9.000", "4.000", "2.000"]
    assert shown[3:] == ["    " + "r" * 120, "1 of 2 checks the same; --all prints them"]
    everything = list(gate.verdicts(rows, True))
    assert len(everything) == 5 and everything[2].startswith("evaluate.llm")
    assert list(gate.verdicts(rows[:1], False)) == ["1 of 1 check the same; --all prints them"]


def test_a_full_lineage_lists_everything_that_made_a_version() -> None:
    assert list(lineage.lines(FOUND, full=True)) == [
        "skillshot-selector version 3 (champion)",
        "  run       r1  at sqlite:///x",
        "  commit    abc with uncommitted: params.yaml",
        "  outputs   not those of the commit: models/bundle",
        "  pipeline  p1",
        "  gate      passed",
        "  data      bank d1",
        "  stage train: python -m train",
        "    <- 0123456789ab  data/bank.jsonl",
        "    -> fedc          models/model",
        "    =  params.yaml: train.epochs 40",
        "  machine   cpu 2 cores",
        "  machine   python 3.11",
        "  history   noon promote 2 -> 3 by ann better",
        "make it again:",
        "  make run",
    ]


def test_a_short_lineage_has_at_most_twenty_lines() -> None:
    many = [f"path{i}" for i in range(50)]
    stage = {"cmd": "run", "deps": dict.fromkeys(many, "d"), "outs": {}, "params": {"params.yaml": {"a": 1, "b": 2}}}
    large = FOUND | {
        "dirty": many, "unrecorded": many, "data": {name: {"digest": "d"} for name in many},
        "stages": dict.fromkeys(("ingest", "train"), stage), "machine": dict.fromkeys(many, "long fact"),
        "history": FOUND["history"] * 50, "again": ["one", "two", "three"],
    }  # fmt: skip
    lines = list(lineage.lines(large, full=False))
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 160
    assert "  commit    abc with uncommitted: path0, path1, path2 and 47 more" in lines
    assert "  stages    ingest, train" in lines
    assert "            100 dependencies and outputs, 4 parameters: --full lists them" in lines
    assert len(list(lineage.lines(large, full=True))) > 200


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt(), 130), (InputError("no such bank"), 2)])
def test_exit_codes(raised: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def run(_: Any) -> int:
        raise raised

    monkeypatch.setattr(fit_command, "run", run)
    assert main.main(["fit", "bank.jsonl", "--out", "x"]) == code
    error = capsys.readouterr().err
    assert error.startswith("skillshot fit: ") and len(error.splitlines()) == 1


def test_a_reader_that_goes_away_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[int] = []

    def run(_: Any) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(fit_command, "run", run)
    monkeypatch.setattr(main.os, "dup2", lambda _, other: moved.append(other))
    monkeypatch.setattr(main.sys, "stdout", SimpleNamespace(fileno=lambda: 99))
    assert main.main(["fit", "bank.jsonl", "--out", "x"]) == 0
    assert moved == [99]


def test_fit_passes_its_settings_on(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    seen: list[Any] = []

    def fit(bank: str, out: Path, params: Any, *, baselines: bool, lite: bool) -> dict[str, Any]:
        seen.append((bank, out, params.train.latent_dim, params.ingest.columns, baselines, lite))
        counts = {"accepted": 5, "quarantined": 2, "reasons": {"mojibake": 2}}
        return counts | {"suspicious": {"rows": 0, "worst": []}, "diagnostics": {"learned_rows": 3.0}}

    monkeypatch.setattr("skillshot.api.fit_bundle", fit)
    columns = ["--columns", "question=problem, part 2,rationale=out.why", "--columns", "id="]
    assert main.main(["fit", "bank.jsonl", "--out", "x", "--set", "train.latent_dim=48", *columns]) == 0
    expected = {"question": "problem, part 2", "rationale": "out.why", "id": ""}
    assert seen == [("bank.jsonl", Path("x"), 48, expected, False, False)]
    assert capsys.readouterr().out.splitlines() == [
        "rows                           count",
        "------------------------------------",
        "accepted                           5",
        "quarantined: mojibake              2",
        "learned from, a random sample      3",
        "quarantined rows: x.quarantine.jsonl",
        "next: skillshot select x 'your question' -k 4 --prompt",
    ]
    assert main.main(["fit", "bank.jsonl", "--out", "x", "--set", "select.k=2"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "next: skillshot select x 'your question' -k 2 --prompt"
    assert main.main(["fit", "bank.jsonl", "--out", "x", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnostics"] == {"learned_rows": 3.0}


class Fake:
    """A selector that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def select_batch(self, questions: Sequence[Any], k: int, **filters: Any) -> list[list[Any]]:
        self.asked.append((len(questions), k, filters))
        return [[] for _ in questions]


def test_select_asks_in_batches_and_passes_the_filters_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    fake = Fake()
    monkeypatch.setattr("skillshot.runtime.selector.Selector.load", lambda *_, **__: fake)
    questions = tmp_path / "questions.txt"
    questions.write_text("\n".join(["", *(f"Question {i}?" for i in range(66))]))
    arguments = ["select", "x", "--questions", str(questions), "-k", "2", "--where", "steps=3", "topic=rates"]
    assert main.main([*arguments, "--exclude", "a", "b", "--min-confidence", "0.4"]) == 0
    filters = {"exclude": ["a", "b"], "where": {"steps": 3, "topic": "rates"}, "min_confidence": 0.4}
    assert fake.asked == [(64, 2, filters), (2, 2, filters)]
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["question"] for row in rows] == [f"Question {i}?" for i in range(66)]


@pytest.mark.parametrize("given", [[], ["How many?", "--questions", "file"]])
def test_select_wants_one_kind_of_question(given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("skillshot.runtime.selector.Selector.load", lambda *_, **__: pytest.fail("loaded"))
    assert main.main(["select", "x", *given]) == 2
    assert "either a question or --questions FILE" in capsys.readouterr().err


def test_score_passes_its_settings_on_and_reports_what_was_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    asked: list[Any] = []

    def fake(_: str, records: Sequence[Record], label: str, k: int, names: Any, **__: Any) -> Any:
        asked.append(([record.id for record in records], label, k, names))
        report = {"selectors": {"lars": {"hit@k": 0.5}}, "queries": len(records), "k": k, "pairs": {}, "nmi": {}}
        return SimpleNamespace(to_dict=lambda: report, left_out={})

    monkeypatch.setattr("skillshot.evaluation.alignment.score", fake)
    records = [Record(str(i), f"What is {i} + 1?", f"It is {i + 1}", str(i + 1)) for i in range(9)]
    path = tmp_path / "queries.jsonl"
    write_records(path, records)
    with path.open("a", encoding="utf-8") as handle:
        handle.write("not JSON\n")
    assert main.main(["score", "x", str(path), "--label", "skill", "-k", "3", "--selectors", "lars, ridge"]) == 0
    assert f"{path}: 1 row left out" in capsys.readouterr().err
    limited = ["score", "x", str(path), "--label", "skill", "--limit", "5"]
    for seed in ("0", "1", "0"):
        assert main.main([*limited, "--seed", seed]) == 0
    assert "5 queries are few" in capsys.readouterr().out
    assert asked[0] == ([str(i) for i in range(9)], "skill", 3, ("lars", "ridge"))
    drawn = [ids for ids, *_ in asked[1:]]
    assert drawn[0] == [record.id for record in sample(records, 5, 0)]
    assert drawn[0] == drawn[2] != drawn[1]
