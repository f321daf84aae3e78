"""SQL and code are known from prose by their grammar; JSON and programs compared."""

# ruff: noqa: E501

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.common.procedures import json_value, looks_like_code, looks_like_sql, parsed, same_code, same_json

SQL = [
    "select a from b", "SELECT * FROM t", "SELECT name FROM singer", "SELECT name , age FROM singer ORDER BY age",
    "WITH a AS (SELECT 1) SELECT * FROM a", "select distinct name from singer where x in (1)", "SELECT 1",
    "SELECT count(*) FROM head WHERE age > 56", "SELECT T1.a FROM x AS T1 JOIN y ON T1.a = y.a", "select max(age) from p",
    "INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t WHERE a=1", "CREATE TABLE t (a int)",
    "(SELECT a FROM b) UNION (SELECT c FROM d)", "SELECT (SELECT max(a) FROM b) FROM c", "SELECT DISTINCT city FROM airports",
    "Select Name From Singer Where Age > 20", "SELECT\n  a\nFROM\n  b;",
]  # fmt: skip
PROSE = [
    "Select the red one", "With great power comes great responsibility", "Select the red one from the box",
    "Select B", "",
    "Select the ball from the box.", "select the ball from the box", "Select all from the list.", "Select one from each.",
    "With a hammer (or as a last resort)", "Select the red one, then (if possible) take two from the box.",
    "With him as (",
    "Update the plan", "Delete from memory", "Create a table of contents", "Insert the key into the lock",
    "Selecting from",
    "Select two items from aisle 3", "Select a card from the deck, then shuffle", "Drop the ball",
    "Select the ball from the box (if possible)", "Select the ball from the box, e.g. the red", "With the exception of (a)",
]  # fmt: skip
CODE = [
    "def f(x):\n    return x", "x = [1,2]\nprint(sum(x))", "for i in range(3):\n    print(i)", "df.groupby('a').sum()",
    "sorted(xs, key=lambda x: -x).pop()", "const a = 1;\nconsole.log(a);", "[x.lower() for x in xs]", "```python\nprint(1)\n```",
    "int main() {\n return 0;\n}", "import os\nos.listdir('.')",
]  # fmt: skip
NO_CODE = [
    "x = 5", "f(x) = x^2 + 1", "a wolf", "hope ( agent = Liam , ccomp = burn ( theme = box ) )",
    "(A) yes; (B) no", "x=30-11",
    "First, wash it. Then: dry it.", "The ratio is 3:4 (about .75)", "return to sender",
    "if it rains: stay in", "a -> b",
    "P(A) = 0.5; P(B) = 0.2", "x = 3\ny = 4", "exists x. P(x) && Q(x)", "A: yes\nB: no", "let x = 5", "12:30", "",
]  # fmt: skip


@pytest.mark.parametrize(("texts", "look", "answer"), [
    (SQL, looks_like_sql, True), (PROSE, looks_like_sql, False), (CODE, looks_like_code, True),
    (NO_CODE, looks_like_code, False),
])  # fmt: skip
def test_kinds_of_texts(texts: list[str], look: object, answer: bool) -> None:
    assert [text for text in texts if look(text) is not answer] == []  # type: ignore[operator]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"b":[1.0,2],"a":1}', True),
        ('{"a": 1}', "{'a': 1}", True),  # Python's spelling
        ('{"a": 1}', '```json\n{"a": 1}\n```', True),
        ('{"arguments": "{\\"x\\": 1}"}', '{"arguments": {"x": 1.0}}', True),  # a tool call
        ("[1, 2]", "[2, 1]", False),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": 1}', '{"a": "1"}', False),
        ('{"a": null}', '{"a": 0}', False),
        ('{"a": 1}', '{"a": 1, "b": 2}', False),
        ('{"a": 1', '{"a": 1', True),  # neither is JSON: words and marks
        ("", "", False),
        ("[NaN]", "[NaN]", True),
        ("[" * 5000, "[" * 5000 + "]", False),
        ('{"a": 1e999999999}', '{"a": 1}', False),
    ],
)
def test_json_is_compared_by_value(first: str, second: str, same: bool) -> None:
    assert same_json(first, second) is same


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("x = f( 1 )  # note", "x = f(1)", True),
        ("def f(x):\n  return (x)", "def f(x):\n\n    return x", True),
        ("```python\nx = 1\n```", "x = 1", True),
        ("x = 1", "y = 1", False),
        ("x = a + b", "x = b + a", False),
        ("let x = f( 1 );", "let x = f(1) ;", True),  # not Python: words and marks
        ("let x = 1;", "let x = 2;", False),
        ("", "", False),
        ("(" * 500, "(" * 500, True),
        ("x = 1\0", "x = 1\0", True),
    ],
)
def test_code_is_compared_by_its_tree_or_its_words(first: str, second: str, same: bool) -> None:
    assert same_code(first, second) is same


@pytest.mark.parametrize(
    "text", ["(" * 300, "-" * 9000 + "1", "1" + "+1" * 9000, "a" + ".a" * 9000, "\0", "x = '\\d'", "[" * 89]
)
def test_nothing_that_is_parsed_is_a_traceback(text: str) -> None:
    parsed(text)
    same_code(text, text + " ")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES.filter(lambda value: isinstance(value, dict | list)))
def test_a_value_equals_itself_however_it_is_written(value: object) -> None:
    compact, indented = json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False)
    assert json_value(compact) is not None and same_json(compact, indented)


@given(st.text(), st.text())
def test_no_pair_is_a_traceback(first: str, second: str) -> None:
    same_json(first, second)
    same_code(first, second)
    looks_like_sql(first)
    looks_like_code(first)
