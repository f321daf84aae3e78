"""SQL queries compared clause by clause."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.evaluation.sql import is_query, same_sql

SCHEMA = "singer (Singer_ID, Name, Age)\nconcert (concert_ID, Name, Year)"
SAME = [
    ("SELECT a FROM t WHERE (x = 1 AND y = 2) OR z = 3", "SELECT a FROM t WHERE z = 3 OR y = 2 AND x = 1"),
    ("SELECT a FROM t WHERE x > 1", "SELECT a FROM t WHERE 1 < x"),
    ("SELECT a FROM t WHERE x <> y", "SELECT a FROM t WHERE y != x"),
    ("SELECT a FROM t WHERE x = -2 AND y = TRUE", "SELECT a FROM t WHERE x = 7 AND y = FALSE"),
    ("SELECT count(*) AS n FROM t GROUP BY a ORDER BY n", "SELECT count(*) FROM t GROUP BY a ORDER BY count(*)"),
    ("SELECT a, b FROM t ORDER BY 2", "SELECT b, a FROM t ORDER BY b"),
    ("WITH q AS (SELECT a FROM t) SELECT q.a FROM q", "SELECT s.a FROM (SELECT a FROM t) AS s"),
    ("SELECT a FROM t UNION SELECT b FROM u", "SELECT b FROM u UNION ALL SELECT a FROM t"),
    ("SELECT a FROM t JOIN u ON t.i = u.i", "SELECT a FROM u LEFT JOIN t USING (i)"),
    ("SELECT T1.* FROM singer AS T1", "(SELECT * FROM singer);"),
    ("SELECT age FROM singer JOIN concert ON 1 = 1", "SELECT singer.age FROM concert JOIN singer ON 1 = 1"),
    ('SELECT "Name" FROM singer WHERE name = "Joe"', "SELECT name FROM singer WHERE name = 'Ann'"),
    ("SELECT name FROM singer WHERE EXISTS (SELECT 1 FROM concert WHERE year > age)",
     "SELECT name FROM singer AS s WHERE EXISTS (SELECT 2 FROM concert AS c WHERE c.year > s.age)"),
    ("INSERT INTO t VALUES (1)", "insert into t values(1);"),
]  # fmt: skip
DIFFERENT = [
    ("SELECT a FROM t WHERE x = 1 AND y = 2 OR z = 3", "SELECT a FROM t WHERE x = 1 OR y = 2 AND z = 3"),
    ("SELECT a FROM t WHERE x = 1 AND (y = 2 OR z = 3)", "SELECT a FROM t WHERE x = 1 AND y = 2 OR z = 3"),
    ("SELECT a FROM t WHERE x > 1", "SELECT a FROM t WHERE 1 > x"),
    ("SELECT a FROM t WHERE x = NULL", "SELECT a FROM t WHERE x = 1"),
    ("SELECT a FROM t WHERE NOT (x = 1 AND y = 2)", "SELECT a FROM t WHERE NOT (x = 1 OR y = 2)"),
    ("SELECT a FROM t AS p JOIN t AS q ON p.i = q.j", "SELECT a FROM t"),
    ("SELECT a FROM t EXCEPT SELECT a FROM u", "SELECT a FROM u EXCEPT SELECT a FROM t"),
    ("SELECT a, b FROM t ORDER BY 1", "SELECT a, b FROM t ORDER BY 2"),
    ("SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 1 OFFSET 2"),
    ("SELECT a - b FROM t", "SELECT b - a FROM t"),
    ('SELECT "Name" FROM singer', 'SELECT "Age" FROM singer'),
    ("SELECT a FROM t", "SELECT a FROM t; SELECT a FROM t"),
    ("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"),
    ("SELECT a FROM", "SELECT b FROM"),
    ("x = 1 AND y = 2 OR z = 3", "x = 1 OR y = 2 AND z = 3"),
    ("", " ; "),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), SAME)
def test_queries_that_match(first: str, second: str) -> None:
    assert same_sql(first, second, SCHEMA) and same_sql(second, first, SCHEMA)


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_queries_that_differ(first: str, second: str) -> None:
    assert not same_sql(first, second, SCHEMA) and not same_sql(second, first, SCHEMA)


@pytest.mark.parametrize(
    ("text", "known"), [("select 1", True), ("(WITH q", True), ("selected", False), ("update t", False), ("", False)]
)
def test_what_starts_as_a_query(text: str, known: bool) -> None:
    assert is_query(text) is known


@pytest.mark.parametrize(
    "text",
    [
        "select " + "(" * 5000,
        "(" * 50_000 + "select",
        "select a from t where " + "not " * 3000,
        "select '" + "x" * 5000,
    ],
)
def test_hostile_text_is_compared_not_crashed_on(text: str) -> None:
    assert same_sql(text, text) and not same_sql(text, "select a from t")


ATOMS = [f"{name} {operator} 1" for name in "abc" for operator in ("=", ">", "<=")]


class Node:
    """A condition of atoms under AND and OR, of which the text can be written in several ways."""

    def __init__(self, mark: str, parts: list[str | Node]) -> None:
        self.mark, self.parts = mark, parts

    def write(self, flip: bool, extra: bool) -> str:
        """`flip`: operands in reverse order; `extra`: brackets that change nothing."""
        texts = []
        for part in self.parts[::-1] if flip else self.parts:
            if isinstance(part, str):
                texts.append(f"({part})" if extra else part)
            else:
                needed = self.mark == "AND" and part.mark == "OR"
                text = part.write(flip, extra)
                texts.append(f"({text})" if needed or extra else text)
        return f" {self.mark} ".join(texts)


def _node(children: st.SearchStrategy[str | Node]) -> st.SearchStrategy[Node]:
    return st.builds(Node, st.sampled_from(["AND", "OR"]), st.lists(children, min_size=2, max_size=3))


CONDITIONS = _node(st.recursive(st.sampled_from(ATOMS), _node, max_leaves=6))


@settings(max_examples=60, deadline=None)
@given(CONDITIONS)
def test_order_of_operands_and_extra_brackets_do_not_count(condition: Node) -> None:
    query = f"SELECT a FROM t WHERE {condition.write(False, False)}"
    for flip, extra in ((True, False), (False, True), (True, True)):
        assert same_sql(query, f"SELECT a FROM t WHERE {condition.write(flip, extra)}")


@settings(max_examples=60, deadline=None)
@given(st.permutations(ATOMS), st.booleans())
def test_precedence_counts(atoms: list[str], brackets: bool) -> None:
    x, y, z = atoms[:3]
    bound = f"({x} AND {y}) OR {z}" if brackets else f"{x} AND {y} OR {z}"
    query = f"SELECT a FROM t WHERE {bound}"
    for other in (f"{x} OR {y} AND {z}", f"{x} AND ({y} OR {z})", f"{x} AND {y} AND {z}", f"{x} OR {y} OR {z}"):
        assert not same_sql(query, f"SELECT a FROM t WHERE {other}")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_matches_itself_unless_it_is_empty(text: str) -> None:
    assert same_sql(f"SELECT {text}", f"SELECT {text}")
    assert not same_sql("", "")
