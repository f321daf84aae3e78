"""Exact set match of two SQL queries, in the sense of Spider's evaluation (Yu et al. 2018, arXiv 1809.08887).

Clauses are compared as sets: selected columns, tables, conditions, groups; order and limit as they stand. Literal
values, DISTINCT, aliases, case and join order do not count, as there. An unqualified column belongs to the first
table of its FROM that has it, by the schema in the record's context. Both texts are only tokenised: what cannot be
read as a SELECT is wrong, unless it is the same text.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|`[^`]*`|\d+(?:\.\d+)?|[A-Za-z_][\w]*|<>|!=|<=|>=|[-+*/%=<>(),.;]|\S""")
_CLAUSES = ("select", "from", "where", "group", "having", "order", "limit")
_SETS = ("union", "intersect", "except")
_WORDS = frozenset(
    re.findall(
        r"\w+",
        "select distinct from join inner left right outer cross on as where group by having order limit and or not in "
        "like between is null exists asc desc union intersect except all count sum avg min max case when then else end",
    )
)
_VALUE = "value"
Tokens = list[str]


def same_sql(first: str, second: str, schema: str = "") -> bool:
    """Whether two queries match as sets of components. `schema`: lines "table (column, column)"."""
    plain, other = (" ".join(query.lower().rstrip("; ").split()) for query in (first, second))
    if plain == other:
        return bool(plain)
    tables = _schema(schema)
    a, b = (_query(_tokens(text), tables) for text in (first, second))
    return a is not None and a == b


def _schema(text: str) -> dict[str, frozenset[str]]:
    found = re.findall(r"^\s*(\w+)\s*\(([^)]*)\)", text.lower(), re.MULTILINE)
    return {table: frozenset(column.strip().split(" ")[0] for column in body.split(",")) for table, body in found}


def _tokens(text: str) -> Tokens:
    tokens = []
    for token in _TOKEN.findall(text.strip().rstrip(";")):
        literal = token[0] in "'\"" or token[0].isdigit()
        tokens.append(_VALUE if literal else "!=" if token == "<>" else token.strip("`").lower())
    return [token for token in tokens if token not in ("distinct", "asc")]


def _split(tokens: Tokens, marks: tuple[str, ...]) -> list[tuple[str, Tokens]]:
    """Parts between the marks outside of brackets, each with the mark before it."""
    parts: list[tuple[str, Tokens]] = [("", [])]
    depth = 0
    between = False
    for token in tokens:
        depth += (token == "(") - (token == ")")
        between = between or token == "between"
        if depth == 0 and token in marks and not (token == "and" and between):
            parts.append((token, []))
        else:
            parts[-1][1].append(token)
        between = between and token != "and"
    return parts


def _query(tokens: Tokens, schema: dict[str, frozenset[str]]) -> Any:
    while tokens and tokens[0] == "(" and _closes(tokens) == len(tokens) - 1:
        tokens = tokens[1:-1]
    members = _split([token for token in tokens if token != "all"], _SETS)
    if len(members) > 1:
        queries = [(mark, _query(part, schema)) for mark, part in members]
        return None if any(query is None for _, query in queries) else tuple(queries)
    parts = _split(tokens, _CLAUSES)
    if parts[0][1] or len(parts) < 3 or parts[1][0] != "select" or len({mark for mark, _ in parts}) != len(parts):
        return None
    clauses = dict(parts[1:])
    if "from" not in clauses:
        return None
    sources, aliases = _sources(clauses["from"], schema)

    def plain(part: Tokens) -> tuple[Any, ...]:
        return _resolve(part, sources, aliases, schema)

    def bag(part: Tokens, *marks: str) -> Any:
        return frozenset(Counter(plain(piece) for _, piece in _split(part, marks) if piece).items())

    def conditions(part: Tokens) -> Any:
        joined = Counter(mark for mark, _ in _split(part, ("and", "or")) if mark == "or")
        return bag(part, "and", "or"), joined["or"]

    return (
        bag(clauses["select"], ","),
        frozenset(sources),
        conditions(clauses.get("where", [])),
        bag([t for t in clauses.get("group", []) if t != "by"], ","),
        conditions(clauses.get("having", [])),
        plain([t for t in clauses.get("order", []) if t != "by"]),
        "limit" in clauses,
    )


def _sources(tokens: Tokens, schema: dict[str, frozenset[str]]) -> tuple[list[Any], dict[str, str]]:
    """Tables (or inner queries) in the order of FROM, and alias -> table. Join conditions follow from the tables."""
    sources: list[Any] = []
    aliases: dict[str, str] = {}
    for _, part in _split(tokens, ("join", ",")):
        piece = [token for token in part if token not in ("inner", "left", "right", "outer", "cross")]
        if not piece:
            continue
        if piece[0] == "(":
            sources.append(_query(piece[: _closes(piece) + 1], schema))
            continue
        sources.append(piece[0])
        rest = [token for token in (piece[1 : piece.index("on")] if "on" in piece else piece[1:]) if token != "as"]
        if rest:
            aliases[rest[0]] = piece[0]
    return sources, aliases


def _resolve(
    tokens: Tokens, sources: list[Any], aliases: dict[str, str], schema: dict[str, frozenset[str]]
) -> tuple[Any, ...]:
    """Columns with their table's name, inner queries as queries."""
    out: list[Any] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token == "(" and tokens[i + 1 : i + 2] == ["select"]:
            end = i + _closes(tokens[i:])
            out.append(_query(tokens[i : end + 1], schema))
            i = end + 1
        elif tokens[i + 1 : i + 2] == ["."] and i + 2 < len(tokens):
            out.append(f"{aliases.get(token, token)}.{tokens[i + 2]}")
            i += 3
        else:
            if token.isidentifier() and token not in _WORDS and token != _VALUE:
                owner = next(
                    (s for s in sources if token in schema.get(s, ())), sources[0] if len(sources) == 1 else ""
                )
                token = f"{owner}.{token}" if owner else token
            out.append(token)
            i += 1
    return tuple(out)


def _closes(tokens: Tokens) -> int:
    depth = 0
    for i, token in enumerate(tokens):
        depth += (token == "(") - (token == ")")
        if depth == 0:
            return i
    return len(tokens) - 1
