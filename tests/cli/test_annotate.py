"""`skillshot annotate` with a writer that is a function: what it writes, prints, refuses and resumes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.writer_fakes import Endpoint, FakeWriter, sums
from skillshot.bank.load import load_bank
from skillshot.cli.main import main
from skillshot.common.io import write_jsonl
from skillshot.common.record import write_records

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeWriter:
    engine = FakeWriter()
    monkeypatch.setattr("skillshot.llm.open.open_engine", lambda _: engine)
    return engine


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    write_jsonl(
        tmp_path / "bank.jsonl", ({"problem": r.question, "answer": r.answer, "topic": "sum"} for r in sums(30))
    )
    words = ["annotate", str(tmp_path / "bank.jsonl"), "--out", str(tmp_path / "bank2.jsonl"), "--columns"]
    return [*words, "question=problem,answer=answer", "--cache", str(tmp_path / "answers.jsonl")]


def report(command: list[str], capsys: Capture) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_bank_is_written_and_the_report_counts_every_row(
    command: list[str], model: FakeWriter, tmp_path: Path, capsys: Capture
) -> None:
    before = (tmp_path / "bank.jsonl").read_bytes()
    found = report(command, capsys)
    assert found["rows"] == 30 == found["annotated"] + found["without_rationale"] and found["annotated"] >= 27
    assert found["llm"] == "writer/1" and found["stopped"] is None and found["had_rationale"] == 0
    assert Path(found["review"]).read_text().count('<div class="card">') == 30
    loaded = load_bank(tmp_path / "bank2.jsonl")
    assert sum(bool(record.rationale) for record in loaded.records) == found["annotated"] and not loaded.quarantined
    assert {record.metadata["topic"] for record in loaded.records} == {"sum"}
    assert (tmp_path / "bank.jsonl").read_bytes() == before
    again, calls = report(command, capsys), len(model.calls)
    assert again["timing"]["calls_made"] == 0 and len(model.calls) == calls
    assert {**again, "timing": 0} == {**found, "timing": 0}


def test_the_text_counts_and_ends_with_the_next_command(command: list[str], model: FakeWriter, capsys: Capture) -> None:
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("annotated") for line in lines) and any("answers rejected: blank" in x for x in lines)
    assert lines[-1].startswith("next: skillshot fit ") and lines[-2].startswith("to review: ")
    assert model.calls


def test_a_bank_with_all_rationales_asks_for_nothing_and_says_so(
    tmp_path: Path, model: FakeWriter, capsys: Capture
) -> None:
    rows = [
        {"question": f"What is {i} + 1?", "answer": str(i + 1), "rationale": f"{i} + 1 = {i + 1}"} for i in range(5)
    ]
    write_jsonl(tmp_path / "bank.jsonl", rows)
    command = [
        "annotate",
        str(tmp_path / "bank.jsonl"),
        "--out",
        str(tmp_path / "b2.jsonl"),
        "--cache",
        str(tmp_path / "c"),
    ]
    assert main(command) == 0
    assert "every row has a rationale: nothing was asked for" in capsys.readouterr().out
    assert not model.calls and not (tmp_path / "c").exists()
    assert [record.rationale for record in load_bank(tmp_path / "b2.jsonl").records] == [r["rationale"] for r in rows]


def test_limit_asks_for_some_rows_and_writes_all(command: list[str], model: FakeWriter, capsys: Capture) -> None:
    found = report([*command, "--limit", "5", "--samples", "1"], capsys)
    assert found["asked"] == len(model.calls) == 5 and found["rows"] == 30


def test_rows_that_cannot_be_used_are_kept_in_a_file(
    command: list[str], model: FakeWriter, tmp_path: Path, capsys: Capture
) -> None:
    with (tmp_path / "bank.jsonl").open("a") as handle:
        handle.write('{"problem": "No answer?"}\nnot JSON\n')
    found = report(command, capsys)
    assert found["quarantined"] == 2 and found["rows"] == 30 and model.calls
    lines = (tmp_path / "bank2.jsonl.quarantine.jsonl").read_text().splitlines()
    assert [json.loads(line)["reason"].partition(":")[0] for line in lines] == ["empty_answer", "not JSON"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--max-calls", "5"], "--max-calls bounds an endpoint; for the embedded model use --limit"),
        (["--set", "llm.max_tokens=5"], "--max-tokens bounds an endpoint"),
        (["--max-usd", "1", "--base-url", "http://127.0.0.1:9/v1", "--llm", "m"], "--max-usd needs the prices"),
        (["--offline"], "--offline: 16 of 16 answers of writer/1 are not in"),
    ],
)
def test_what_cannot_work_is_refused_before_a_call(
    command: list[str], model: FakeWriter, tmp_path: Path, capsys: Capture, more: list[str], message: str
) -> None:
    assert main([*command, *more]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not model.calls and not (tmp_path / "bank2.jsonl").exists()


def test_neither_bank_nor_cache_is_written_over(
    command: list[str], model: FakeWriter, tmp_path: Path, capsys: Capture
) -> None:
    bank = str(tmp_path / "bank.jsonl")
    before = Path(bank).read_bytes()
    for words in (["--out", bank], ["--cache", bank], ["--out", str(tmp_path / "answers.jsonl")]):
        assert main([*command, *words]) == 2
        assert Path(bank).read_bytes() == before and not model.calls
    assert "give another" in capsys.readouterr().err


def test_a_budget_ends_the_command_cleanly_and_a_second_run_goes_on(
    command: list[str], tmp_path: Path, capsys: Capture
) -> None:
    pytest.importorskip("openai")
    with Endpoint() as server:
        command = [*command, "--base-url", server.url, "--llm", "m", "--set", "llm.retries=0"]
        found = report([*command, "--max-calls", "9"], capsys)
        assert found["stopped"].startswith("llm.max_calls 9") and len(server.seen) == found["llm_calls"] == 9
        assert len(load_bank(tmp_path / "bank2.jsonl").records) == 30 and found["asked"] == 9
        priced = ["--set", "llm.price_input=1", "--set", "llm.price_output=2", "--max-usd", "1"]
        found = report([*command, *priced], capsys)
        assert found["stopped"] is None and len(server.seen) == found["llm_calls"] and found["money"] > 0
        rows = [json.loads(line) for line in (tmp_path / "bank2.jsonl").read_text().splitlines()]
        assert {row.get("rationale_model") for row in rows if row.get("rationale")} == {"m"}, "without the address"


def test_an_endpoint_that_is_not_there_is_named_and_an_old_file_stays(
    command: list[str], tmp_path: Path, capsys: Capture
) -> None:
    pytest.importorskip("openai")
    (tmp_path / "bank2.jsonl").write_text("old\n")
    assert main([*command, "--base-url", "http://127.0.0.1:9/v1", "--llm", "m", "--set", "llm.retries=0"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert "127.0.0.1:9" in error[-2] and "run again to continue" in error[-1]
    assert (tmp_path / "bank2.jsonl").read_text() == "old\n"


@pytest.mark.parametrize(("reply", "calls"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_a_terminal_is_asked_before_an_endpoint_is(
    command: list[str], model: FakeWriter, monkeypatch: pytest.MonkeyPatch, capsys: Capture, reply: str, calls: bool
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return reply

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("skillshot.cli.annotate.counted", lambda n, noun: f"{n} {noun}s")
    endpoint = ["--base-url", "http://127.0.0.1:9/v1", "--llm", "m", "--samples", "1"]
    assert main([*command, *endpoint]) == (0 if calls else 2)
    assert bool(model.calls) == calls
    assert "30 rows to ask m for, at most 30 calls" in capsys.readouterr().err
    assert main([*command, *endpoint, "--yes"]) == 0


def test_answers_that_steer_a_terminal_or_are_no_text_do_no_harm(
    command: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    import helpers.writer_fakes as fakes

    bad = "\x1b]0;x\x07<img src=x onerror=alert(1)> \u202e"
    monkeypatch.setattr(fakes, "written", lambda *_: f"{bad}\nThe answer is {bad}.")
    monkeypatch.setattr("skillshot.llm.open.open_engine", lambda _: FakeWriter())
    assert main(command) == 0
    shown = capsys.readouterr()
    page = (tmp_path / "bank2.jsonl.review.html").read_text(encoding="utf-8")
    for text in (shown.out, shown.err, page, (tmp_path / "bank2.jsonl").read_text(encoding="utf-8")):
        assert "\x1b" not in text and "\u202e" not in text and "<img" not in text


def test_rows_marked_wrong_are_not_asked_for(tmp_path: Path, model: FakeWriter, capsys: Capture) -> None:
    records = sums(6)
    write_records(tmp_path / "b.jsonl", records)
    lines = (tmp_path / "b.jsonl").read_text().splitlines()
    lines[0] = json.dumps({**json.loads(lines[0]), "correct": False})
    (tmp_path / "b.jsonl").write_text("\n".join(lines))
    words = ["annotate", str(tmp_path / "b.jsonl"), "--out", str(tmp_path / "b2.jsonl"), "--cache", str(tmp_path / "c")]
    assert report([*words, "--samples", "1"], capsys)["asked"] == len(model.calls) == 5
