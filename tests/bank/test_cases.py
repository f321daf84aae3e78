"""Every row-level case of ../shared/cases: small files that once failed, one fault each."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from skillshot.bank.examples import raw_rows
from skillshot.bank.inspection import inspect
from skillshot.bank.intake import GOLD, Intake, Placed
from skillshot.bank.load import load_bank

BANKS = Path(__file__).resolve().parents[3] / "shared" / "cases" / "banks"
pytestmark = pytest.mark.skipif(not BANKS.is_dir(), reason="../shared/cases is not next to this checkout")

CASES: dict[str, tuple[dict[str, str], int, dict[str, Any]]] = {  # file -> columns, rows, fields of the first
    "q_and_sql.jsonl": ({}, 22, {"answer": "SELECT COUNT(*) FROM boats", "answer_type": "sql", "rationale": ""}),
    "equation_rationale.jsonl": ({}, 5, {"rationale": "x=30-11", "answer": "19"}),
    "mc_index.jsonl": ({}, 1, {"answer": "B", "options": ("frog", "dog", "trout"), "answer_type": "choice"}),
    "mc_label_text.jsonl": ({}, 2, {"answer": "B", "options": ("frog", "dog"), "answer_type": "choice"}),
    "pandas_list.csv": ({}, 1, {"answer": "dog", "options": ("frog", "dog"), "answer_type": "choice_text"}),
    "chat_multi_turn.jsonl": ({}, 1, {"question": "And 120?", "answer": "193.1"}),
    "chat_ids.jsonl": ({}, 40, {"question": "What is 0 + 1?", "answer": "1", "id": "0"}),
    "math_ids.jsonl": ({"id": ""}, 40, {"question": "What is 0 + 1?", "answer": "1"}),
    "question_be*_problem.jsonl": ({}, 1, {"question": "What is 2 + 3?", "answer": "5",
                                             "rationale": "2 + 3 = \\boxed{5}"}),
    "foreign_answer_type.jsonl": ({}, 1, {"answer": "5", "answer_type": "number"}),
    "nested.parquet": ({"question": "prompt.0.content", "answer": "reward_model.ground_truth"}, 40,
                       {"question": "Kim has 1 pens and buys 2. How many?", "answer": "3"}),
    "csv_caps.csv": ({}, 1, {"question": "How many is 1 + 1?", "answer": "2", "rationale": "1 + 1 = 2"}),
    "latex_answer.jsonl": ({}, 1, {"answer": "\\frac{3}{4}"}),
}  # fmt: skip


def _file(pattern: str) -> Path:
    return next(BANKS.glob(pattern))


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_understood(name: str) -> None:
    columns, rows, expected = CASES[name]
    found = list(Intake(columns, needs=GOLD).take(raw_rows(_file(name))))
    records = [item.record for item in found if isinstance(item, Placed)]
    assert len(found) == len(records) == rows
    assert {key: getattr(records[0], key) for key in expected} == expected


def test_earlier_turns_are_the_context() -> None:
    (record,) = load_bank(BANKS / "chat_multi_turn.jsonl").records
    assert "How far is 60 miles in km?" in record.context and "The answer is 96.5" in record.context
    assert "And 120?" not in record.context and "193.1" not in record.context


def test_what_is_not_obvious_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    for name, line in {
        "mc_index.jsonl": "to confirm: --columns answer_from_0=answer",
        "chat_ids.jsonl": "ids repeat with other content",
        "foreign_answer_type.jsonl": "answer_type 'Numerical' is none of number",
        "question_be*_problem.jsonl": "",
    }.items():
        caplog.clear()
        with caplog.at_level(logging.WARNING, "skillshot"):
            load_bank(_file(name))
        assert sum(line in message for message in caplog.messages) == bool(line), name


@pytest.mark.parametrize("name", sorted(path.name for path in BANKS.glob("*.jsonl")) if BANKS.is_dir() else [])
def test_each_row_is_accepted_or_quarantined(name: str) -> None:
    found = inspect(BANKS / name)
    assert found["rows"] == found["accepted"] + found["quarantined"] == len(list(raw_rows(BANKS / name)))
    assert sum(found["reasons"].values()) == found["quarantined"] and found["first"].keys() == found["reasons"].keys()
