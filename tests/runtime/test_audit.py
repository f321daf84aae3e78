"""What a Selector writes to an audit record."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skillshot import Selector
from skillshot.cli.main import main
from skillshot.common.chain import check
from skillshot.common.errors import InputError, SkillshotError

QUESTION = "A train covers 60 miles in 3 hours. How many miles does it cover in one hour?"


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("mode", ["full", "lite"])
def test_each_selection_is_one_line(bundle: Path, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "audit.jsonl"
    selector = Selector.load(bundle, mode, audit=path)
    chosen = selector.select(QUESTION, 3)
    selector.prompt(QUESTION)
    selector.explain({"question": QUESTION, "context": "a table"})
    selector.select_batch([QUESTION, "How many?"])
    selector.select(QUESTION, min_score=1.1)
    selector.confidence(QUESTION)
    rows = rows_of(path)
    assert len(rows) == 6, "confidence chooses nothing that is used"
    assert check(path).wrong == ()
    first = rows[0]
    assert first["chosen"] == [one.id for one in chosen]
    assert first["scores"] == pytest.approx([one.score for one in chosen], abs=1e-6)
    assert first["confidence"] == pytest.approx([one.confidence for one in chosen], abs=1e-6)
    assert [sum(parts.values()) for parts in first["reasons"]] == pytest.approx(first["scores"], abs=4e-6)
    assert first["question"] == hashlib.sha256(QUESTION.encode()).hexdigest() != rows[2]["question"]
    assert first["bundle"]["mode"] == mode and len(first["bundle"]["sha256"]) == 64
    assert first["time"].endswith("+00:00") and rows[-1]["chosen"] == []
    assert QUESTION not in path.read_text(), "the digest alone"


def test_a_line_is_json_whatever_an_id_holds(bundle: Path, tmp_path: Path) -> None:
    path, name = tmp_path / "audit.jsonl", 'a"\\\n%s é\u2028'
    selector = Selector.load(bundle, "lite", audit=path)
    (found,) = selector._find([QUESTION], 2, {})
    named = [one._replace(record=replace(one.record, id=name), score=1e-9) for one in found]
    selector._audit.write([QUESTION, QUESTION], [named, []])  # type: ignore[union-attr]
    _, first, empty = rows_of(path)
    assert first["chosen"] == [name, name] and first["scores"] == [0, 0]
    assert empty["chosen"] == empty["reasons"] == empty["confidence"] == []
    assert check(path).wrong == ()


def test_the_bundle_is_named_by_what_it_holds(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    selector = Selector.load(bundle, "lite", audit=path)
    copy = Selector.load(selector.save_pretrained(tmp_path / "copy"), "lite", audit=path)
    for one in (
        selector,
        copy,
        copy.remove(copy.record(0).id),
        pickle.loads(pickle.dumps(selector)),  # noqa: S301
        selector.reload(),
    ):
        one.select(QUESTION)
    digests = [row["bundle"]["sha256"] for row in rows_of(path)]
    assert len(digests) == 5, "reload, remove and a pickle go on writing"
    assert digests[0] == digests[1] == digests[3] == digests[4] != digests[2]


def test_a_selection_that_cannot_be_written_is_refused(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(SkillshotError, match="an audit record is a file that can be written"):
        Selector.load(bundle, "lite", audit=tmp_path / "none" / "a").select(QUESTION)
    (tmp_path / "bank.jsonl").write_text('{"question": "q"}\n')
    with pytest.raises(InputError, match="is no audit record"):
        Selector.load(bundle, "lite", audit=tmp_path / "bank.jsonl").select(QUESTION)


def test_nothing_is_written_for_a_refused_question(bundle: Path, tmp_path: Path) -> None:
    selector = Selector.load(bundle, "lite", audit=tmp_path / "a")
    for wrong in ("", " \n", {"text": "x"}):
        with pytest.raises(InputError):
            selector.select(wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "a").exists()
    selector.select_batch(iter([QUESTION]))  # type: ignore[arg-type]
    assert len(rows_of(tmp_path / "a")) == 1


def test_the_commands(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, questions = str(tmp_path / "audit.jsonl"), tmp_path / "questions.txt"
    questions.write_text(f"{QUESTION}\nHow many apples are left in the box?\n")
    more = ["--mode", "lite", "--audit", path, "-k", "2"]
    select, one = ["select", str(bundle), *more], ["select", str(bundle), QUESTION, *more]
    assert main([*one, "--json"]) == 0
    assert main([*one, "--explain", "--html"]) == 0
    assert "<!doctype html>" in capsys.readouterr().out
    assert main([*select, "--questions", str(questions)]) == 0
    assert "reasons" not in json.loads(capsys.readouterr().out.splitlines()[0])
    assert main([*select, "--questions", str(questions), "--explain"]) == 0
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        assert [r["demonstration"] for r in line["reasons"]] == line["demonstrations"]
    assert main(["audit", "verify", path]) == 0
    out = capsys.readouterr().out
    assert "6 lines, intact" in out
    last = out.split()[-1]
    lines = Path(path).read_text().splitlines(keepends=True)
    Path(path).write_text("".join(lines[:-1]))
    assert main(["audit", "verify", path]) == 0
    assert main(["audit", "verify", path, "--last", last]) == 1
    capsys.readouterr()
    Path(path).write_text("".join([lines[0], lines[1].replace("story", "glory", 1), *lines[3:]]))
    assert main(["audit", "verify", path, "--json"]) == 1
    found = capsys.readouterr()
    report = json.loads(found.out)
    assert report["passed"] is False and report["lines"] == 5
    assert [fault.split(":")[0] for fault in report["wrong"]] == ["line 2", "line 3"]
    assert "line 2: changed" in found.err
    assert main(["audit", "verify", str(tmp_path / "none")]) == 2
    assert main(["select", str(bundle), QUESTION, "--html"]) == 2
    with pytest.raises(SystemExit) as exit:
        main(["audit", "verify", path, "--last", "abc"])
    assert exit.value.code == 2
