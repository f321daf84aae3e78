"""Arithmetic in texts: exact, safe, and as people and data sets write it."""

from __future__ import annotations

import ast
import operator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.common.arithmetic import evaluate, solve
from skillshot.common.equations import program_values, values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("( 8.0 - 2.0 )", 6), ("2 + 3 * 4", 14), ("(2 + 3) * 4", 20), ("-2^2", -4), ("2^3^2", 512), ("2**3", 8),
        ("2^-1", Fraction(1, 2)), ("17 % 5", 2), ("20% * 50", 10), ("17 // 5", 3), ("1,200 + 300",
        1500), ("2(3+4)", 14),
        ("(1+2)(3)", 9), ("3 × 4 ÷ 2", 6), ("3 x 4", 12), ("5 − 7", -2), ("[2 + {3}] * 2", 10), ("$5 * 3", 15),
        (r"\frac{3}{4} \times 8", 6), (r"\dfrac12 + 1", Fraction(3, 2)), ("２＋３", 5), ("½ + 1", Fraction(3, 2)),
        ("10²", 100), ("١ + ٢", 3), ("- 8 2", 6), ("+ * 3 4 5", 17), ("(- 8.0 2.0)", 6), ("8 2 -", 6), ("--3", 3),
        ("6e2 + 1", 601), (".5 * 4", 2),
    ],
)  # fmt: skip
def test_an_expression_has_its_value(text: str, value: int | Fraction) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "x", "3 4", "3 +", "* 3", "(3", "3)", "()", "1/0", "0^-1", "9^9^9^9", "2^99999999", "9" * 61, "a + b",
    "3 +* 4",
     "(-8)^0.5", "import os", "__import__('os')", "1e99^99", "5 apples", "%", "1" + "+1" * 5000, "(" * 9000],
)  # fmt: skip
def test_anything_else_has_none(text: str) -> None:
    assert evaluate(text) is None


def test_a_root_is_close() -> None:
    value = evaluate("48^0.5")
    assert value is not None and abs(value - Fraction("6.9282032")) < Fraction(1, 10**6)


@pytest.mark.parametrize(
    ("equation", "solved"),
    [
        ("x + 3 = 8", ("x", 5)), ("2x + 4 = 10", ("x", 3)), ("30 - 11 = n", ("n", 19)), ("x = x",
        None), ("x*x = 4", None),
        ("x + y = 3", None), ("3 = 3", None), ("x + 1 = x", None), ("x / 4 = 2", ("x", 8)), ("x + 3", None),
    ],
)  # fmt: skip
def test_one_unknown_is_solved(equation: str, solved: tuple[str, int] | None) -> None:
    assert solve(equation, {}) == solved


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x=2\ny=x*3\nz = y + 1", {2, 6, 7}),
        ("Natalia sold 48/2 = 24 clips", {24}),
        ("우리는 30-11 개를", {19}),
        ("x=30-11", {19}),
        ("a = 3\nb = a * 4\nprint(b + 1)", {3, 12, 13}),
        ("def f():\n    a = 3\n    a += 2\n    return max(a, 9) / 2", {3, 5, Fraction(9, 2)}),
        ("No numbers at all.", set()),
    ],
)
def test_values_of_a_text(text: str, expected: set[int | Fraction]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("program", "complete"),
    [
        ("a = 1\nprint(a)", True),
        ("a = f(1)", False),
        ("for i in x:\n    a = 1", False),
        ("a = 'text'", False),
        ("'doc'", False),
    ],
)
def test_a_program_says_whether_all_of_it_was_read(program: str, complete: bool) -> None:
    assert program_values(ast.parse(program))[1] is complete


@pytest.mark.parametrize("text", ["a = 9**9**9", "a = 1 << 99999999", "a = int('9' * 9)", "a = 1/0", "a = ~1"])
def test_a_program_that_costs_too_much_has_no_value(text: str) -> None:
    assert values(text) <= {9, 10}


NUMBERS = st.integers(0, 999) | st.decimals(0, 99, places=2, allow_nan=False)
SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


@given(st.recursive(NUMBERS, lambda inner: st.tuples(inner, st.sampled_from(list(SIGNS)), inner), max_leaves=8))
def test_it_agrees_with_fractions(tree: object) -> None:
    def text(node: object) -> str:
        return f"({text(node[0])} {node[1]} {text(node[2])})" if isinstance(node, tuple) else str(node)

    def value(node: object) -> Fraction:
        return SIGNS[node[1]](value(node[0]), value(node[2])) if isinstance(node, tuple) else Fraction(str(node))

    try:
        expected: Fraction | None = value(tree)
    except ZeroDivisionError:
        expected = None
    assert evaluate(text(tree)) == expected


@given(st.text() | st.text(st.sampled_from("0123456789+-*/^%()=x. \n,$\\{}ab")))
def test_no_text_is_a_traceback(text: str) -> None:
    values(text)
    evaluate(text)
