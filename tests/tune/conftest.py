"""The questions of the fitted bundle, once for all tests of tuning."""

from __future__ import annotations

from pathlib import Path

import pytest

from skillshot.tune.questions import BankQuestions, bank_questions


@pytest.fixture(scope="session")
def questions(bundle: Path) -> BankQuestions:
    return bank_questions(bundle, 0)
