"""`skillshot inspect`: what was understood, as text and as one JSON document."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from helpers.hostile import GOOD
from skillshot.bank.inspection import duplicates, scripts
from skillshot.bank.load import load_bank
from skillshot.cli.main import main
from skillshot.common.record import Record

Capture = pytest.CaptureFixture[str]
KEYS = {
    "form", "columns", "rows", "accepted", "quarantined", "reasons", "language", "duplicates", "structure", "examples",
    "next",
}  # fmt: skip


def _write(path: Path, rows: list[dict[str, object]], more: str = "") -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + more, encoding="utf-8")
    return path


def test_the_document_has_everything_and_the_next_line_fits(tmp_path: Path, capsys: Capture) -> None:
    rows = [{"problem": row["question"], "solution": row["rationale"], "final": row["answer"]} for row in GOOD]
    path = _write(tmp_path / "my bank.jsonl", [*rows, {"problem": "", "final": "3"}], "oops\n")
    assert main(["inspect", str(path), "--json"]) == 0
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert report.keys() >= KEYS
    assert (report["rows"], report["accepted"], report["quarantined"]) == (32, 30, 2)
    assert report["reasons"] == {"not JSON": 1, "no question": 1}
    assert report["first"]["no question"] == "my bank.jsonl: line 31: no question"
    assert report["columns"] == {"question": "problem", "rationale": "solution", "answer": "final"}
    assert report["language"] == {"Latin": 1.0} and report["structure"] == "rationale"
    assert report["duplicates"] == {"exact": 0, "near": 29} and len(report["examples"]) == 3
    assert report["examples"][0]["question"] == GOOD[0]["question"]
    assert report["next"].startswith(f"skillshot fit '{path}' --out selector")
    assert "guessed" in output.err


def test_the_text_for_people(tmp_path: Path, capsys: Capture) -> None:
    turns = [{"role": "user", "content": "몇 개입니까?"}, {"role": "assistant", "content": "세 개\n\x1b[31m"}]
    path = _write(tmp_path / "log.jsonl", [{"messages": turns}])
    assert main(["inspect", str(path)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    lines = out.splitlines()
    assert lines[0] == f"{path}: 1 row = 1 accepted + 0 quarantined" and lines[1] == "file: JSON lines; form: chat"
    assert "  question: messages, the last turn of the user" in lines
    assert "language, as share of letters by script: Hangul 88 %, Latin 12 %" in lines
    assert lines[-1] == f"next: skillshot fit {path} --out selector"


def test_a_file_that_is_not_understood_gives_a_line_to_complete(tmp_path: Path, capsys: Capture) -> None:
    path = _write(tmp_path / "bank.jsonl", [{"left": f"a {i}", "right": f"b {i}"} for i in range(4)])
    assert main(["inspect", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["accepted"], report["quarantined"], report["structure"]) == (0, 4, None)
    assert report["next"] == f"skillshot inspect {path} --columns question=COLUMN,answer=COLUMN"
    assert main(["inspect", str(path), "--columns", "question=left,answer=right", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["accepted"] == 4
    assert shlex.split(report["next"])[-1] == "question=left,answer=right"


def test_repeated_ids_are_reported_and_dropped(tmp_path: Path, capsys: Capture) -> None:
    path = _write(tmp_path / "bank.jsonl", [{**row, "id": "x"} for row in GOOD])
    assert main(["inspect", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["accepted"] == 30 and "id 'x' was used by" in report["notes"][0]
    assert report["next"].endswith("--columns id=")


def test_an_unreadable_file_is_two(tmp_path: Path, capsys: Capture) -> None:
    assert main(["inspect", str(tmp_path / "nowhere.jsonl")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_declared_index_is_the_line_to_run_next(tmp_path: Path, capsys: Capture) -> None:
    rows = [{"question": f"Which, {i}?", "choices": ["x", "y", "z"], "answer": a} for i, a in enumerate([0, 1, 2])]
    path = _write(tmp_path / "bank.jsonl", rows)  # type: ignore[arg-type]
    assert main(["inspect", str(path), "--json"]) == 0
    option = shlex.split(json.loads(capsys.readouterr().out)["next"])[-1]
    assert option == "answer_from_0=answer"
    assert [r.answer for r in load_bank(path, columns=dict([option.split("=")])).records] == ["A", "B", "C"]


def test_scripts_and_duplicates() -> None:
    assert scripts([Record("1", "Привет мир", "ab", "1")]) == {"Cyrillic": 0.818, "Latin": 0.182}
    assert scripts([Record("1", "一二三", "", "1")]) == {"CJK": 1.0} and scripts([Record("1", "1 + 1?")]) == {}
    rows = [Record(str(i), text) for i, text in enumerate(["How many?", "how  many?", "Why is it so?"])]
    assert duplicates(rows) == {"exact": 1, "near": 0} and duplicates([]) == {"exact": 0, "near": 0}
