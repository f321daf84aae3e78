"""Equations are recomputed; what is no plain arithmetic is not judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.annotate.recompute import wrong_equation


@pytest.mark.parametrize(
    "text",
    [
        "3 + 4 = 7", "2 + 3 * 4 = 14", "$3 * 4 = $12", "10 / 3 = 3.33", "10 / 3 = 3.3", "20 / 3 = 7", "50% * 8 = 4",
        "1,200 + 300 = 1,500", "1 / 4 = 25%", "x - 3 + 4 = 9", "x = 5", "2x + 3 = 7", "(1 + 2) * 3 = 9", "a3 + 4 = 1",
        "2 ^ 3 + 1 = 9", "17 / 5 = 3 remainder 2", "3 + 4 = 7 + x", "5 / 0 = 3", "3 − 1 = 2",
        r"3 \times 4 = 12", "3 + 4 = 7 = 7", "8 - 10 = -2", "3/4 = 0.75", "3 + 4 == 9", "on 3/4 = Tuesday",
    ],
)  # fmt: skip
def test_equations_that_hold_or_are_not_judged(text: str) -> None:
    assert wrong_equation(text) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [("So 3 + 4 = 8 pens.", "3 + 4 = 8"), ("2 * 3 = 6\n6 * 7 = 41.", "6 * 7 = 41"), ("10 / 4 = 3.5", "10 / 4 = 3.5"),
     ("$3 * 4 = $13", "3 * 4 = 13")],
)  # fmt: skip
def test_wrong_equations_are_named(text: str, found: str) -> None:
    assert wrong_equation(text).replace(" ", "") == found.replace(" ", "")


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    wrong_equation(text)
