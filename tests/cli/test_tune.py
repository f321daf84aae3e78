"""`skillshot tune`: what it writes, what it prints, when it leaves the bundle alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from helpers import tiny_bundle
from helpers.tune_fakes import Liking
from skillshot import Selector
from skillshot.cli.main import main
from skillshot.runtime.manifest import read_manifest
from skillshot.tune.questions import bank_questions


@pytest.fixture(scope="module")
def liking(bundle: Path) -> Liking:
    return Liking(bank_questions(bundle, 0), [0, 1, 0])


def tune(monkeypatch: pytest.MonkeyPatch, engine: Liking, *words: object) -> int:
    monkeypatch.setattr("skillshot.llm.open.open_engine", lambda _: engine)
    return main(["tune", *map(str, words)])


def test_accepted_weights_are_in_a_new_bundle_with_a_report_next_to_it(
    bundle: Path, liking: Liking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, out, cache = read_manifest(bundle), tmp_path / "tuned", tmp_path / "llm.jsonl"
    words = (bundle, "--budget", 170, "--out", out, "--cache", cache)
    assert tune(monkeypatch, liking, *words, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    made = report["timing"].pop("calls_made")
    assert report["accepted"] and made == report["calls"] <= 170
    assert report == json.loads((tmp_path / "tuned.tune.json").read_text())
    found = read_manifest(out)
    assert found["tuned"]["after"] == found["score"]["full"]["shares"] == report["shares"]["after"]
    assert found["score"]["full"]["confidence"] != before["score"]["full"]["confidence"]
    assert found["score"]["lite"] == before["score"]["lite"] and read_manifest(bundle) == before
    assert len(Selector.load(out, mode="full").select("How many?", k=4)) == 4
    files = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    shutil.rmtree(out)
    assert tune(monkeypatch, liking, *words, "--offline") == 0
    text = capsys.readouterr().out
    assert "tuned (cross-validated)" in text and f"skillshot evaluate {out} queries.jsonl" in text
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == files


def test_where_nothing_is_found_the_bundle_stays(
    bundle: Path, liking: Liking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Liking(liking._questions, [0, 0, 0], 0.3, 1)
    assert tune(monkeypatch, engine, bundle, "--budget", 170, "--out", tmp_path / "t", "--cache", tmp_path / "c") == 0
    assert "tuning found nothing: " in capsys.readouterr().out
    assert not (tmp_path / "t").exists() and (tmp_path / "t.tune.json").exists()


def test_bad_input_is_two_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["tune", "nowhere"]) == 2 and "nowhere: no such folder" in capsys.readouterr().err
    assert main(["tune", str(tiny_bundle.make(tmp_path / "tiny"))]) == 2
    assert "no metric 'ridge'" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["tune", "x", "--budget", "0"])
