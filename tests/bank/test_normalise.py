"""Normalisation is idempotent, never raises, and is right on the formats of published data sets."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.bank.convert import FIELDS, RowError, to_record
from skillshot.bank.formats import WRITTEN
from skillshot.bank.normalise import (
    clean_text,
    infer_answer_type,
    operations,
    split_hash_answer,
    stored_rationale,
)
from skillshot.common.canonical import canonical_answer, steps, strip_letter
from skillshot.common.record import ANSWER_TYPES, Record

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
ANY_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=())),  # lone surrogates and all
    st.text(st.sampled_from("<>#=+-*/ \n\r\t\0()ABCD.:;answer is the12,345$%€−\ufeff\u0301é")),
    st.sampled_from(
        ["<<1<<2>>3>>", "#### 7", "\ud83d\ude00", "a\r\r\n b", "Answer: (B)\nAnswer: C", "-0.00", "1,234,567"]
    ),
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
ANY_VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
FORMS = ("messages", "problem", "solution", "facts", "correct", "choices", "table", "query", "db_id", "sentence")
FIELD = st.sampled_from([*FIELDS, *FORMS, "logical_form", "metadata"])


@given(ANY_TEXT)
def test_text_rules_are_idempotent(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    once.encode("utf-8")
    assert "\r" not in once and "\0" not in once
    stored, _ = stored_rationale(text)
    assert stored_rationale(stored) == (stored, [])
    learned = steps(stored)
    assert steps(learned) == learned
    stripped = strip_letter(learned)
    assert strip_letter(stripped) == stripped
    rationale, answer = split_hash_answer(text)
    assert len(rationale) + len(answer) <= len(text)
    assert operations(text)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("cafe\u0301", "cafe\u0301"),  # not composed: as written
        ("\n    t = 0\n    return t\n", "    t = 0\n    return t"),  # indentation, of the first line too
        (" First.\nThen.", "First.\nThen."),  # no indentation
        ("a\t\nb  \n\n\nc", "a\t\nb  \n\n\nc"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\ufeffa\x00b\x1b[1m ", "ab[1m"),
        ("\ud83d\ude00 \ud83d", "😀 \ufffd"),  # a pair is joined, a lone surrogate is replaced
        (" line  \n\ttab\t\n", "line  \n\ttab"),
    ],
)
def test_clean_text(given: str, expected: str) -> None:
    assert clean_text(given) == expected


@given(ANY_TEXT, st.sampled_from(ANSWER_TYPES), st.lists(ANY_TEXT, max_size=4))
def test_answers_are_idempotent(text: str, answer_type: str, options: list[str]) -> None:
    options = [clean_text(option) for option in options]
    once = canonical_answer(text, answer_type, options)
    assert canonical_answer(once, answer_type, options) == once
    assert infer_answer_type(text, options) in ANSWER_TYPES


@settings(max_examples=100)
@given(st.dictionaries(FIELD | st.text(), ANY_VALUE, max_size=8))
def test_any_row_gives_a_record_or_a_reason_and_converting_a_record_again_changes_nothing(
    row: dict[str, object],
) -> None:
    try:
        record = to_record(row)
    except RowError as error:
        assert str(error)
        return
    text = json.dumps(record.to_dict(), allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")
    assert Record.from_dict(json.loads(text)) == record
    assert to_record(record.to_dict()) == record


@pytest.mark.parametrize(
    ("given", "answer_type", "expected"),
    [
        ("$1,234.50", "number", "1234.5"),
        ("−7", "number", "-7"),
        ("50%", "number", "50"),
        ("10.0", "number", "10"),
        ("-0.0", "number", "0"),
        (".5", "number", "0.5"),
        ("2/7", "number", "2/7"),
        ("1,23", "number", "1,23"),  # no thousands separator: left as it is, and then quarantined
        ("twelve", "number", "twelve"),
        ("(b)", "choice", "B"),
        ("C.", "choice", "C"),
        ("yellow", "choice", "B"),
        ("YELLOW", "choice_text", "yellow"),
        ("True", "bool", "yes"),
        ("No.", "bool", "no"),
        ("SELECT  a\nFROM b  WHERE c = 'x  y' ;", "sql", "SELECT a FROM b WHERE c = 'x  y'"),
        ("hope (  agent = Liam )", "lf", "hope ( agent = Liam )"),
        (r"$\frac{3}{4}$", "number", "3/4"),
        (r"-\dfrac34", "number", "-3/4"),
        ("2 1/2", "number", "5/2"),
        ("3½", "number", "7/2"),
        ("6e8", "number", "600000000"),
        ("10 000", "number", "10000"),
        ("-$5", "number", "-5"),
        ("3 4", "number", "3 4"),  # two numbers
        ("10²", "number", "10²"),
        ("१२", "number", "12"),
        ("B. yellow", "choice", "B"),
        ("Unknown", "bool", "Unknown"),
    ],
)
def test_canonical_answers(given: str, answer_type: str, expected: str) -> None:
    assert canonical_answer(given, answer_type, ("red", "yellow")) == expected


@pytest.mark.parametrize(
    ("answer", "options", "expected"),
    [
        ("72", (), "number"),
        ("$1,000", (), "number"),
        ("yes", (), "bool"),
        ("B", ("1", "2"), "choice"),
        ("B", (), "text"),
        ("C", ("1", "2"), "text"),
        ("two", ("one", "two"), "choice_text"),
        ("select a from b", (), "sql"),
        ("a wolf", (), "text"),
        ("50 %", (), "number"),
        (r"$\frac{3}{4}$", (), "number"),
        ("6e8", (), "number"),
        ("7２", (), "number"),  # full-width
        ('{"name": "f", "arguments": {}}', (), "json"),
        ("[1, 2]", (), "json"),
        ("{1, 2}", (), "text"),
        ("[1, 2", (), "text"),
        ("Select the red one", (), "text"),
        ("Select the red one from the box.", (), "text"),
        ("With great power comes great responsibility", (), "text"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", (), "sql"),
        ("INSERT INTO t VALUES (1)", (), "code"),
        ("def f(x):\n    return x", (), "code"),
        ("x = 5", (), "text"),
        ("hope ( agent = Liam )", (), "text"),
    ],
)
def test_inferred_types(answer: str, options: tuple[str, ...], expected: str) -> None:
    assert infer_answer_type(answer, options) == expected


@pytest.mark.parametrize(
    ("rationale", "expected"),
    [
        ("x = 60 * 540 = 32400\nCorrect answer - A", "x = 60 * 540 = 32400"),
        ("so x = 250 m. Answer D", "so x = 250 m."),
        ("It is 5.\nHence, the answer is (C).", "It is 5."),
        ("It is 5.\nThe correct option is E", "It is 5."),
        ("Therefore Vitamin A", "Therefore Vitamin A"),
        ("The plan is plan B", "The plan is plan B"),
    ],
)
def test_closing_letter_is_removed(rationale: str, expected: str) -> None:
    assert strip_letter(rationale) == expected


@pytest.mark.parametrize(
    ("equation", "expected"),
    [("48/2=24", "/"), ("80/100*10=8", "*/"), ("-5+3=-2", "+"), ("71+-3=68", "+"), ("12=12", "id"), ("7//2=3", "/")],
)
def test_operations_of_an_annotation(equation: str, expected: str) -> None:
    assert operations(equation) == expected


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the banks of ../shared/data")
def test_published_gsm8k_equals_the_independently_normalised_file() -> None:
    """`train.jsonl.gz` was normalised from `train.original.jsonl.gz` by other code; all 7,473 rows must agree."""
    with (
        gzip.open(SHARED / "gsm8k/train.original.jsonl.gz", "rt") as ours,
        gzip.open(SHARED / "gsm8k/train.jsonl.gz", "rt") as theirs,
    ):
        pairs = [(to_record(json.loads(a)), to_record(json.loads(b))) for a, b in zip(ours, theirs, strict=True)]
    for name in ("question", "rationale", "answer_type"):  # spaces inside a question are the author's
        assert [getattr(a, name).split() for a, _ in pairs] == [getattr(b, name).split() for _, b in pairs]
    assert [canonical_answer(a.answer, "number") for a, _ in pairs] == [b.answer for _, b in pairs]
    for name in ("equations", "op_sequence"):
        assert [a.metadata.get(name, []) for a, _ in pairs] == [b.metadata.get(name, []) for _, b in pairs]


def test_a_written_record_has_the_fields_by_which_it_is_known() -> None:
    assert Record("", "q", "", "").to_dict().keys() == WRITTEN
