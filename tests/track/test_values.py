"""Numbers are checked once, where they enter a decision; a name of a report means one value."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.track.values import NotFiniteError, finite, read_report


@given(st.floats() | st.integers() | st.booleans() | st.none() | st.text() | st.lists(st.floats(), max_size=2))
def test_what_passes_is_a_finite_number(value: Any) -> None:
    try:
        assert math.isfinite(finite(value, "x"))
    except NotFiniteError as error:
        assert str(error).startswith("x is ")


@pytest.mark.parametrize("value", ["nan", "-NaN", "inf", "1e999", "", " ", "0.5x", None, True, [0.5], {}, 10**400])
def test_what_is_no_finite_number_is_named(value: Any) -> None:
    with pytest.raises(NotFiniteError, match=r"rows\.csv: nll of q3 is .*not a finite number"):
        finite(value, "rows.csv: nll of q3")


def test_text_counts_only_in_tables() -> None:
    assert finite("0.5", "x") == 0.5
    with pytest.raises(NotFiniteError, match=r"x is '0\.5'"):
        finite("0.5", "x", text=False)


@pytest.mark.parametrize(
    "text",
    [
        '{"nll": 0.9, "nll": 0.1}',
        '{"a": {"nll": 0.9}, "a.nll": 0.1}',
        '{"a.nll": 0.1, "a": {}}',
        '{"a": {"b": {"c": 0.9}}, "a.b": {"c": 0.1}}',
        '{"a": {"b": {"c": 0.9}, "b.c": 0.1}}',
        '{"": {"a": 1}, ".a": 2}',
    ],
)
def test_keys_that_shadow_others_are_refused(text: str) -> None:
    with pytest.raises(LookupError, match=r"reports/evaluate\.json: key .* shadows the key"):
        read_report(text, "evaluate")


def test_dotted_keys_that_hide_nothing_are_read() -> None:
    assert read_report('{"bytes": {"encoder.onnx": 3}}', "export") == {"export.bytes.encoder.onnx": 3}
    with pytest.raises(LookupError, match="not JSON"):
        read_report("[" * 100_000, "export")
