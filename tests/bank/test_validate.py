"""The validate stage: quarantined rows, refused banks, suites that can fail, pages that open offline."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.hostile import GOOD
from skillshot.bank.checks import CHECKS
from skillshot.bank.expectations import FAMILIES, family_of, run_suite, suite_items
from skillshot.bank.validate import validate
from skillshot.common.errors import InputError
from skillshot.common.io import read_jsonl, sha256_file
from skillshot.common.params import CorruptionParams, IngestParams, Params, ValidateParams
from skillshot.common.record import ORIGIN, Record

NUMBERS = [
    Record(f"n{i}", f"{i} pens and {i + 1}?", f"{i} + {i + 1} = {2 * i + 1}", str(2 * i + 1), answer_type="number")
    for i in range(30)
]
HELD_OUT = [
    Record(f"q{i}", f"{i} cups and 2?", f"{i} + 2 = {i + 2}", str(i + 2), answer_type="number") for i in range(5)
]
BANKS = {
    "numbers": NUMBERS,
    "choices": [
        Record(f"c{i}", f"Which is {i}?", f"It is {i}", "B", options=(str(i + 1), str(i)), answer_type="choice")
        if i % 2
        else Record(f"c{i}", f"Is {i} even?", f"{i} is red", "red", options=("red", "blue"), answer_type="choice_text")
        for i in range(30)
    ],
    "programs": [
        Record(f"p{i}", f"List t{i}", f"#1 t{i}", f"SELECT a FROM t{i}", answer_type="sql" if i % 2 else "lf")
        for i in range(30)
    ],
    "statements": [
        Record(f"s{i}", f"Is {i} odd?", f"fact {i}", "no" if i % 2 else "yes", answer_type="bool") for i in range(30)
    ],
}


def stage_input(folder: Path, bank: list[dict[str, Any]], queries: list[dict[str, Any]] = []) -> Path:  # noqa: B006
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("bank", bank), ("queries", queries)):
        lines = [json.dumps({**row, ORIGIN: f"mine.jsonl:{i}"}) for i, row in enumerate(rows, 1)]
        (folder / f"{name}.jsonl").write_text("".join(line + "\n" for line in lines))
    return folder


def rows(records: list[Record]) -> list[dict[str, Any]]:
    return [record.to_dict() for record in records]


@pytest.mark.parametrize("family", FAMILIES)
def test_valid_bank_meets_its_suite(family: str) -> None:
    outcome = run_suite(BANKS[family], ValidateParams())
    assert outcome.family == family == family_of(BANKS[family])
    assert outcome.failures == ()
    assert outcome.expectations == len(suite_items(family)) >= 16


def test_every_suite_has_every_row_check() -> None:
    for family in FAMILIES:
        columns = {item["kwargs"].get("column") for item in suite_items(family)}
        assert {f"failed_{name}" for name in CHECKS} <= columns


@pytest.mark.parametrize(
    ("broken", "expectation", "row"),
    [
        ([], "table_row_count_to_be_between", ""),
        ([*NUMBERS, NUMBERS[4]], "column_values_to_be_unique [id]", "n4"),
        ([*NUMBERS, replace(NUMBERS[4], id="x", answer="")], "[failed_empty_answer]", "x"),
        ([*NUMBERS, replace(NUMBERS[4], id="x", question="")], "[failed_empty_question]", "x"),
        ([*NUMBERS, replace(NUMBERS[4], id="x", answer="five")], "[failed_answer_not_of_type]", "x"),
        ([*NUMBERS, replace(NUMBERS[4], id="x", answer="77")], "[failed_answer_not_in_rationale]", "x"),
        ([*NUMBERS, replace(NUMBERS[4], id="x", rationale="9 cafÃ©")], "[failed_mojibake]", "x"),
        ([*NUMBERS, replace(NUMBERS[4], id="x", question="q" * 9000)], "[failed_over_long]", "x"),
        ([replace(r, answer="1", rationale=f"{r.rationale} 1") for r in NUMBERS], "unique_value_count", ""),
        ([replace(r, rationale="9 1 3", answer="9") for r in NUMBERS], "proportion_of_unique_values", ""),
    ],
)
def test_invalid_bank_fails_and_names_the_row(broken: list[Record], expectation: str, row: str) -> None:
    failures = run_suite(broken, ValidateParams()).failures
    hit = [failure for failure in failures if expectation in failure.expectation]
    assert hit, failures
    assert row in hit[0].rows or not row


def test_missing_column_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Great Expectations then gives an empty result; the cause is only in exception_info."""
    from skillshot.bank import expectations

    full = expectations.frame
    monkeypatch.setattr(expectations, "frame", lambda *args: full(*args).drop(columns="answer_type"))
    (failure,) = run_suite(NUMBERS, ValidateParams()).failures
    assert "answer_type" in failure.expectation and "answer_type" in failure.observed


def test_rows_are_quarantined_with_their_origin(tmp_path: Path) -> None:
    bad = replace(NUMBERS[3], id="bad", answer="five")
    source = stage_input(tmp_path / "in", rows([*NUMBERS, bad]), rows(HELD_OUT[:2]))
    report = validate(Params(), source, tmp_path / "out", tmp_path / "state.json")
    (entry,) = read_jsonl(tmp_path / "out/quarantine.jsonl")
    assert (entry["reason"], entry["file"], entry["line"]) == ("answer_not_of_type", "mine.jsonl", 31)
    assert entry["row"]["id"] == "bad"
    assert report["bank"] == {
        "rows": 31, "accepted": 30, "quarantined": 1, "reasons": {"answer_not_of_type": 1}, "marked_incorrect": 0,
    }  # fmt: skip
    assert all(ORIGIN not in row for row in read_jsonl(tmp_path / "out/bank.jsonl"))
    assert len(list(read_jsonl(tmp_path / "out/queries.jsonl"))) == 2


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Our lines; Great Expectations writes its own."""
    return [record.getMessage() for record in caplog.records if record.name == "skillshot"]


SMALL = "examples, below validate.min_bank 20: little can be learned; similarity of wording decides"


@pytest.mark.parametrize(
    ("family", "count"),
    [
        pytest.param(family, count, marks=() if count == 1 or family == "numbers" else pytest.mark.slow)
        for family in FAMILIES
        for count in (1, 2, 7)
    ],
)
def test_a_small_bank_is_accepted_with_a_warning(
    family: str, count: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = stage_input(tmp_path / "in", rows(BANKS[family][:count]))
    report = validate(Params(), source, tmp_path / "out", tmp_path / "state.json")
    assert report["bank"]["accepted"] == len(list(read_jsonl(tmp_path / "out/bank.jsonl"))) == count
    wanted = f"{count} {SMALL}" if count > 1 else SMALL.replace("examples", "1 example")
    assert logged(caplog)[0] == f"{source / 'bank.jsonl'}: {wanted}"


DULL = {
    "one rationale": [replace(r, rationale="same 1 3", answer="3") for r in NUMBERS],
    "one question": [replace(r, question="How many?") for r in NUMBERS],
    "rationales without numbers": [replace(r, rationale="so", metadata={"correct": False}) for r in NUMBERS],
}


@pytest.mark.parametrize("name", DULL)
def test_a_dull_bank_is_accepted_with_a_warning(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    source = stage_input(tmp_path / "in", rows(DULL[name]))
    report = validate(Params(), source, tmp_path / "out", tmp_path / "state.json")
    assert report["bank"]["accepted"] == 30 and report["suite"]["failed"] == len(logged(caplog)) > 0
    assert all("bank.jsonl: little variety, accepted: column_" in message for message in logged(caplog))
    assert f"expectations met, {report['suite']['failed']} not; " in capsys.readouterr().err


@pytest.mark.parametrize("family", FAMILIES)
def test_a_bank_without_rationales_meets_its_suite(
    family: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether none has one or some have: neither a fault nor a matter of variety."""
    for kept in (0, 3):
        bank = [replace(r, rationale=r.rationale if i < kept else "") for i, r in enumerate(BANKS[family])]
        report = validate(Params(), stage_input(tmp_path / "in", rows(bank)), tmp_path / "out", tmp_path / "state.json")
        assert report["bank"]["accepted"] == 30 and report["bank"]["without_rationale"] == 30 - kept
        assert report["suite"]["failed"] == 0 and not logged(caplog)
        assert f"accepted without a rationale: {30 - kept}" in capsys.readouterr().err
        assert (tmp_path / "out/docs/index.html").is_file()


def test_given_queries_may_lack_answers_and_held_out_ones_may_not(tmp_path: Path) -> None:
    question_only = [{"id": "q", "question": "How many?"}]
    source = stage_input(tmp_path / "in", rows(NUMBERS), rows(HELD_OUT[:3]) + question_only)
    given = Params().changed(ingest=IngestParams(source="file", path="b", queries="q"))
    for params, accepted in ((given, 4), (Params(), 3)):
        report = validate(params, source, tmp_path / "out", tmp_path / "state.json")
        assert report["queries"]["accepted"] == accepted


def test_leaked_held_out_queries_are_refused_and_given_ones_are_counted(tmp_path: Path) -> None:
    duplicate = replace(NUMBERS[3], id="duplicate", question="  3 PENS and 4? ")
    related = replace(HELD_OUT[1], group="shop")
    bank = [*NUMBERS[:-1], replace(NUMBERS[-1], group="shop")]
    given = Params().changed(ingest=IngestParams(source="file", path="b", queries="q"))
    for leaked, counts in ((duplicate, (1, 0)), (related, (0, 1)), (HELD_OUT[2], (0, 0))):
        source = stage_input(tmp_path / "in", rows(bank), rows([HELD_OUT[0], leaked]))
        report = validate(given, source, tmp_path / "out", tmp_path / "state.json")
        found = report["leaks"]
        assert (found["queries_identical_to_bank"], found["queries_grouped_with_bank"]) == counts
        if any(counts):
            with pytest.raises(InputError, match="1 of 2 held-out queries are also in the bank"):
                validate(Params(), source, tmp_path / "out", tmp_path / "state.json")
        else:
            assert validate(Params(), source, tmp_path / "out", tmp_path / "state.json")["leaks"] == found


def test_incorrect_examples_are_kept_and_counted(tmp_path: Path) -> None:
    wrong = [{**row, "id": f"w{i}", "answer": "999", "correct": False} for i, row in enumerate(rows(NUMBERS[:4]))]
    source = stage_input(tmp_path / "in", rows(NUMBERS) + wrong)
    report = validate(Params(), source, tmp_path / "out", tmp_path / "state.json")
    assert report["bank"]["marked_incorrect"] == 4 and report["bank"]["accepted"] == 34


@pytest.mark.parametrize(
    ("bank", "words"),
    [
        ([], "bank.jsonl: no examples, at least one is needed"),
        (
            rows([replace(r, answer="x") for r in NUMBERS]),
            r"30 of 30 rows.*answer_not_of_type \(30, first mine.jsonl: li",
        ),
        (rows([*NUMBERS, NUMBERS[3]]), r"fails suite numbers: column_values_to_be_unique \[id\], got 2; rows n3"),
    ],
)
def test_refused_bank_leaves_old_outputs(bank: list[dict[str, Any]], words: str, tmp_path: Path) -> None:
    source, out = stage_input(tmp_path / "in", bank), tmp_path / "out"
    out.mkdir()
    (out / "bank.jsonl").write_text("old")
    with pytest.raises(InputError, match=words) as caught:
        validate(Params(), source, out, tmp_path / "state.json")
    assert len(str(caught.value).splitlines()) <= 3
    assert (out / "bank.jsonl").read_text() == "old"
    assert not (tmp_path / "state.json").exists()


def test_pages_open_offline_and_are_reproducible(tmp_path: Path) -> None:
    source = stage_input(tmp_path / "in", rows(NUMBERS), rows(HELD_OUT[:2]))
    seen = []
    for _ in range(2):
        validate(Params(), source, tmp_path / "out", tmp_path / "state.json")
        seen.append({f.name: sha256_file(f) for f in (tmp_path / "out").rglob("*") if f.is_file()})
    assert seen[0] == seen[1]
    pages = {page.name: page.read_text() for page in (tmp_path / "out/docs").iterdir()}
    assert set(pages) == {"index.html", "validation_result.html", "expectation_suite.html"}
    for page in pages.values():
        assert not re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", page)
        assert "<script" not in page and "<footer" not in page and "@import" not in page and "url(" not in page
        for link in re.findall(r'href="([^"#]+)"', page):
            assert link in pages
    assert "failed_mojibake" in pages["validation_result.html"]


def test_drift_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(bank: list[Record]) -> str:
        validate(Params(), stage_input(tmp_path / "in", rows(bank)), tmp_path / "out", tmp_path / "state.json")
        return capsys.readouterr().err

    assert "no earlier bank" in run(NUMBERS)
    first = run(BANKS["statements"])
    assert "answer_types 1 (large)" in first
    assert run(BANKS["statements"]) == first


def test_corruption_is_applied_last_and_only_to_the_bank(tmp_path: Path) -> None:
    source = stage_input(tmp_path / "in", rows(NUMBERS), rows(HELD_OUT))
    params = Params().changed(corruption=CorruptionParams(wrong_rationales=0.5))
    report = validate(params, source, tmp_path / "out", tmp_path / "state.json")
    assert report["corruption"]["wrong_rationales"] == 15
    bank = list(read_jsonl(tmp_path / "out/bank.jsonl"))
    assert sum("corruption" in row for row in bank) == 15
    assert not any("corruption" in row for row in read_jsonl(tmp_path / "out/queries.jsonl"))


@pytest.mark.slow
def test_stages_exit_with_2_and_a_short_message(tmp_path: Path) -> None:
    (tmp_path / "bank.jsonl").write_text("".join(json.dumps(row) + "\n" for row in GOOD[:10]))
    params = Params().changed(ingest=IngestParams(source="file", path="bank.jsonl", near_duplicates=0.0))

    def run(stage: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(params.to_dict()))
        command = [sys.executable, "-m", f"skillshot.stages.{stage}"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    done = run("validate")
    assert done.returncode == 2 and "run the ingest stage first" in done.stderr
    assert run("ingest").returncode == 0
    done = run("validate")
    assert done.returncode == 0 and SMALL in done.stderr
    assert (tmp_path / "reports/validate.json").is_file()
    params = params.changed(ingest=IngestParams(source="file", path="none.jsonl"))
    done = run("ingest")
    assert done.returncode == 2 and "none.jsonl: no such file" in done.stderr and "Traceback" not in done.stderr
