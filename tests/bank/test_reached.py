"""Whether a rationale reaches its answer: by evaluation too, and only where the rule fits the bank."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from skillshot.bank.checks import answer_not_in_rationale
from skillshot.bank.expectations import run_suite
from skillshot.bank.load import load_bank
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record

CASES = Path(__file__).resolve().parents[3] / "shared/cases/banks"


def number(rationale: str, answer: str) -> Record:
    return Record("i", "q", rationale, answer, answer_type="number")


@pytest.mark.parametrize(
    ("rationale", "answer"),
    [
        ("x=30-11", "19"),
        ("( 76.0 - 25.0 )", "51"),
        ("X=(3+4)", "7"),
        ("- 8 2", "6"),
        ("48^0.5", "6.93"),
        ("x=(11.0/100)*20", "2.2"),
        ("180/3*5", "300"),
        ("3 × 4 ÷ 2", "6"),
        ("２０＋１", "21"),
        ("a = 3\nb = a * 4\nprint(b)", "12"),
        ("def f():\n    a = 3\n    return round(a / 7, 2)", "0.43"),
        ("x + 3 = 8", "5"),
        (r"\frac{3}{4} \times 8", "6"),
        ("4/8 = 0.5", "50%"),
        ("SELECT COUNT(*) FROM boats", "12"),  # a query is not run
        ("for x in xs:\n    t += x\nreturn t", "12"),  # nor is a loop
        ("2 - 5 = -3", "3"),
    ],
)
def test_a_rationale_that_evaluates_to_its_answer_reaches_it(rationale: str, answer: str) -> None:
    assert not answer_not_in_rationale(number(rationale, answer), ValidateParams())


@pytest.mark.parametrize(
    ("rationale", "answer"),
    [("x=30-11", "20"), ("a = 3\nb = a * 4\nprint(b)", "13"), ("9^9^9^9", "5"), ("1/0", "1000"), ("He sleeps.", "2")],
)
def test_another_value_does_not(rationale: str, answer: str) -> None:
    assert answer_not_in_rationale(number(rationale, answer), ValidateParams())


def bank(path: Path, bad: int, good: int) -> Path:
    rows = [
        {"question": f"{i} pens?", "rationale": "No number here." if i < bad else f"It is {i}.", "answer": str(i + 50)}
        for i in range(bad + good)
    ]
    for row in rows[bad:]:
        row["rationale"] = f"It is {row['answer']}."
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("mode", "bad", "quarantined"),
    [("auto", 2, 2), ("auto", 3, 0), ("always", 3, 3), ("never", 2, 0), ("auto", 0, 0)],
)
def test_a_rule_that_hits_over_a_tenth_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str, bad: int, quarantined: int
) -> None:
    limits = ValidateParams(answer_in_rationale=mode, min_bank=1)  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING, logger="skillshot"):
        loaded = load_bank(bank(tmp_path / "b.jsonl", bad, 20), validate=limits)
    assert [row.kind for row in loaded.quarantined] == ["answer_not_in_rationale"] * quarantined
    assert len(loaded.records) == bad + 20 - quarantined
    assert [record.question for record in loaded.records] == [
        f"{i} pens?" for i in range(bad + 20) if i >= quarantined
    ]  # in the file's order
    warned = [record.getMessage() for record in caplog.records if "does not reach" in record.getMessage()]
    assert len(warned) == (bad > quarantined)
    if warned:
        assert "answer_in_rationale=always" in warned[0] and f"of {bad} of {bad + 20} rows" in warned[0]
        assert warned[0].count("line ") == min(bad, 3) and "line 1: '50' after 'No number here.'" in warned[0]


@pytest.mark.parametrize("mode", ["auto", "never"])
def test_the_suite_agrees_with_what_was_accepted(mode: str) -> None:
    records = [Record(f"{i}", f"{i} pens?", f"No {i + 500}.", str(i + 50), answer_type="number") for i in range(30)]
    limits = ValidateParams(answer_in_rationale=mode)  # type: ignore[arg-type]
    assert not [f for f in run_suite(records, limits).failures if "answer_not_in_rationale" in f.expectation]
    always = ValidateParams(answer_in_rationale="always")
    assert [f for f in run_suite(records, always).failures if "answer_not_in_rationale" in f.expectation]


def test_a_bank_of_equations_is_accepted_whole() -> None:
    if not CASES.is_dir():
        pytest.skip("../shared/cases is not next to this checkout")
    columns = {"question": "question", "rationale": "equation", "answer": "ans"}
    loaded = load_bank(CASES / "equation_rationale.jsonl", columns=columns)
    assert loaded.records and not loaded.quarantined
