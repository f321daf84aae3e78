"""The command line: help with an example, JSON alone on stdout, exit codes, short messages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.story import Story
from skillshot.cli.main import COMMANDS, main
from skillshot.common.record import write_records

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert f"example: skillshot {command}" in " ".join(text.split())
    assert "--json" in text


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["select"],
        ["select", "nowhere", "a question"],
        ["select", "{bundle}"],
        ["select", "{bundle}", "q", "-k", "0"],
        ["select", "{bundle}", "q", "-k", "many"],
        ["select", "{bundle}", "q", "--where", "grade"],
        ["select", "{bundle}", "q", "--exclude", "nobody"],
        ["select", "{bundle}", "--questions", "nowhere.txt"],
        ["score", "{bundle}", "nowhere.jsonl", "--label", "skill"],
        ["score", "{bundle}", "{queries}", "--label", "colour"],
        ["score", "{bundle}", "{queries}", "--label", "skill", "-k", "0"],
        ["fit", "nowhere.jsonl", "--out", "{new}"],
        ["fit", "{queries}", "--out", "{new}", "--set", "train.betta=1"],
        ["fit", "{queries}", "--out", "{queries}"],
        ["add", "{bundle}", "{queries}", "--fast"],
        ["remove", "{bundle}", "nobody"],
        ["bench", "nowhere"],
    ],
)
def test_bad_usage_is_two_and_short(
    arguments: list[str], bundle: Path, story: Story, tmp_path: Path, capsys: Capture
) -> None:
    write_records(tmp_path / "queries.jsonl", story[1][:30])
    places = {"bundle": bundle, "queries": tmp_path / "queries.jsonl", "new": tmp_path / "new"}
    try:
        code: object = main([argument.format(**places) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2
    assert "Traceback" not in error
    assert 1 <= len(error.strip().splitlines()) <= 3
    assert not (tmp_path / "new").exists()


def test_select(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["select", str(bundle), "How many in all?", "-k", "2", "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert len(chosen) == 2 and chosen[0]["rationale"]
    assert main(["select", str(bundle), "How many in all?", "--prompt", "--where", "language=en"]) == 0
    assert capsys.readouterr().out.endswith("Question: How many in all?\nAnswer:\n")
    assert main(["select", str(bundle), "How many in all?", "--explain", "--exclude", chosen[0]["id"]]) == 0
    assert chosen[0]["id"] not in capsys.readouterr().out
    (tmp_path / "q.txt").write_text('How many?\n\n{"question": "How far?", "context": "a map"}\n')
    assert main(["select", str(bundle), "--questions", str(tmp_path / "q.txt"), "--prompt"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["question"] for row in rows] == ["How many?", "How far?"]
    assert "a map" in rows[1]["prompt"]


def test_score(bundle: Path, story: Story, tmp_path: Path, capsys: Capture) -> None:
    write_records(tmp_path / "queries.jsonl", story[1])
    assert main(["score", str(bundle), str(tmp_path / "queries.jsonl"), "--label", "skill", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["k"] == 4 and report["queries"] == len(story[1])
    assert set(report["selectors"]["skillshot"]) == {"hit@1", "hit@k", "any@k"}
    assert main(["score", str(bundle), str(tmp_path / "queries.jsonl"), "--label", "skill"]) == 0
    assert "oracle" in capsys.readouterr().out


def test_add_and_remove(bundle: Path, story: Story, tmp_path: Path, capsys: Capture) -> None:
    shutil.copytree(bundle, tmp_path / "copy")
    write_records(tmp_path / "more.jsonl", story[1][:25])
    assert main(["add", str(tmp_path / "copy"), str(tmp_path / "more.jsonl"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 25
    assert main(["remove", str(tmp_path / "copy"), story[1][0].id]) == 0
    assert "1 removed" in capsys.readouterr().out


def test_bench(bundle: Path, capsys: Capture) -> None:
    assert main(["bench", str(bundle), "--queries", "5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["modes"]) == {"full", "lite"}
    assert report["modes"]["full"]["recall"] == 1.0


def test_the_installed_command_and_a_closed_pipe(bundle: Path) -> None:
    command = [sys.executable, "-m", "skillshot.cli.main", "select", str(bundle), "How many?", "--prompt"]
    done = subprocess.run(
        f"{' '.join(command[:-2])} 'How many?' --prompt | head -1", shell=True, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
