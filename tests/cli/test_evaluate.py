"""`skillshot evaluate` with a model that is a function: what it needs, what it prints, what it offers next."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path

import pytest

from helpers.llm_fakes import FakeEngine, examples
from skillshot.cli.main import main
from skillshot.common.record import write_records

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    engine = FakeEngine()
    monkeypatch.setattr("skillshot.llm.open.open_engine", lambda _: engine)
    return engine


@pytest.fixture
def command(bundle: Path, tmp_path: Path) -> list[str]:
    write_records(tmp_path / "queries.jsonl", examples(6))
    words = ["evaluate", str(bundle), str(tmp_path / "queries.jsonl"), "--selectors", "random,question,skillshot"]
    return [*words, "--cache", str(tmp_path / "my answers.jsonl")]


def test_the_text_has_each_pair_once_and_ends_with_the_same_command(command: list[str], capsys: Capture) -> None:
    given = [*command, "--limit", "5", "--seed", "3", "--set", "evaluate.bootstrap=50", "--columns", "id="]
    assert main(given) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fake/1: 5 queries, 4 shots"
    compared = [line.split(":")[0] for line in lines if ": nll " in line]
    assert len({frozenset(name.split("-")) for name in compared}) == len(compared) == 3
    assert sum("cannot separate" in line for line in lines) == 1
    assert any(line.endswith(" % of the time was spent in the language model") for line in lines)
    assert shlex.split(lines[-1].removeprefix("next: ")) == ["skillshot", *given, "--out", "evaluation"]


def test_the_offered_command_runs(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--limit", "2", "--out", "evaluation"]) == 0
    assert (tmp_path / "evaluation/evaluate.json").exists()


def test_one_query_is_singular(command: list[str], capsys: Capture) -> None:
    assert main([*command, "--limit", "1", "--shots", "1"]) == 0
    assert capsys.readouterr().out.startswith("fake/1: 1 query, 1 shot\n")


def test_queries_without_answers_are_refused_and_the_line_to_paste_works(
    command: list[str], tmp_path: Path, model: FakeEngine, capsys: Capture
) -> None:
    rows = [{"question": f"What is {i} + 1?", "zz": str(i + 1)} for i in range(4)]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(command) == 2
    error = capsys.readouterr().err.splitlines()
    assert error[0].endswith("queries.jsonl: no query has an answer") and not model.calls
    assert "zz" in "\n".join(error)
    assert main([*command, *shlex.split(error[-1].removeprefix("add ").replace("COLUMN", "zz"))]) == 0


def test_queries_that_lack_something_are_left_out_of_what_needs_it(
    command: list[str], tmp_path: Path, model: FakeEngine, capsys: Capture
) -> None:
    full = examples(4)
    bare = [dataclasses.replace(full[0], id="a", question="Why?", answer=""),
            dataclasses.replace(full[1], id="b", question="Who?", answer="", rationale="")]  # fmt: skip
    write_records(tmp_path / "queries.jsonl", [*full, *bare])
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "accuracy: 2 of 6 queries left out: without an answer" in lines
    assert "nll: 1 of 6 queries left out: without a rationale and an answer" in lines
    assert sum(call.startswith("complete") for call in model.calls) <= 3 * 4, "nothing to compare an answer with"


def test_without_answers_to_write_a_rationale_is_enough(command: list[str], tmp_path: Path, capsys: Capture) -> None:
    write_records(tmp_path / "queries.jsonl", [dataclasses.replace(query, answer="") for query in examples(4)])
    assert main(command) == 2
    assert main([*command, "--no-answers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["selectors"]["random"]["nll"] > 0


def test_values_are_printed_and_written_and_cost_a_prompt_for_each_other_subset(
    command: list[str], tmp_path: Path, model: FakeEngine, capsys: Capture
) -> None:
    given = [*command, "--shots", "2", "--no-answers", "--set", "evaluate.bootstrap=50"]
    assert main(given) == 0
    before = len(model.calls)
    capsys.readouterr()
    assert main([*given, "--values", "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert "values: 6 queries, 24 prompts; nats per token of the gold text; positive helps" in text
    assert "rows that help most, by the sum over their queries:" in text and "little evidence" in text
    assert len(model.calls) - before == 6 * 3, "the whole set is in the cache"
    summary = json.loads((tmp_path / "out/values.json").read_text())
    assert sum(row["queries"] for row in summary["rows"]) == 12
    assert sum(row["sum"] for row in summary["rows"]) == pytest.approx(6 * summary["gain"]["mean"], abs=1e-3)
    assert main([*given, "--values", "--offline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["values"] == summary


def test_values_need_skillshot_and_at_most_six_demonstrations(
    command: list[str], model: FakeEngine, capsys: Capture
) -> None:
    assert main([*command, "--values", "--shots", "7"]) == 2
    assert "give --shots 6 or fewer" in capsys.readouterr().err
    assert main([*command, "--values", "--selectors", "random"]) == 2
    assert (
        "--values: the demonstrations of skillshot are valued; add skillshot to --selectors" in capsys.readouterr().err
    )
    assert not model.calls
