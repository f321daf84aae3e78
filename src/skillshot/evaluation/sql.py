"""Exact set match of two SQL queries, in the sense of Spider's evaluation (Yu et al. 2018, arXiv 1809.08887).

sqlglot parses both queries; clauses are then compared as Spider does: selected columns, tables and groups as multisets,
`order by` as a sequence, `limit` and `offset` by presence. AND and OR keep their precedence, and their operands any
order. Literal values, DISTINCT, ALL, aliases, case, quotes, join order, join kind and join conditions do not count.
An unqualified column belongs to the first table of its FROM that has it, by the schema in the record's context.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import TokenType

from skillshot.common.answers import sql_words

Schema = Mapping[str, frozenset[str]]  # table -> its columns, lower case
VALUE = "value"  # stands for every literal
_DIALECT = SQLite()
_QUERY = re.compile(r"[\s(]*(?:select|with)\b", re.IGNORECASE)
_TABLE = re.compile(r"^[^\S\n]*+(\w++)\s*+\(([^)]*)\)", re.MULTILINE)
_NAMES = frozenset({TokenType.DOT, TokenType.ALIAS, TokenType.FROM, TokenType.JOIN})  # a name stands next to these
_MIRRORED: dict[type[exp.Expr], str] = {exp.GT: "LT", exp.GTE: "LTE"}  # a > b is b < a
_GROUPED = frozenset({"expressions"})
_CLAUSES = frozenset(
    ["expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct", "with_"]
)


def is_query(text: str) -> bool:
    """Whether a text starts as a query does."""
    return bool(_QUERY.match(text))


def same_sql(first: str, second: str, schema: str = "") -> bool:
    """Whether two queries match clause by clause.

    Texts that are not queries, or that sqlglot cannot parse, match only as the same sequence of lower-case words and
    marks. Two empty texts do not match.

    Args:
        schema: lines "table (column, column)".
    """
    words = sql_words(first)
    if words == sql_words(second):
        return bool(words)
    a, b = _read(first, schema), _read(second, schema)
    return a is not None and a == b


@lru_cache(maxsize=256)
def _schema(text: str) -> Schema:
    return {
        table: frozenset(column.split()[0] for column in body.split(",") if column.strip())
        for table, body in _TABLE.findall(text[: text.rfind(")") + 1].lower())  # every bracket closes: linear
    }


@lru_cache(maxsize=8192)  # every selector's answer is compared with the same gold query
def _read(text: str, schema: str) -> Hashable:
    """Comparable form of a query; None where it cannot be parsed."""
    if not is_query(text):
        return None
    columns = _schema(schema)
    try:
        tokens = _DIALECT.tokenize(text)
        # SQLite's rule: a text in double quotes that names no column is a value
        known = frozenset(columns).union(*columns.values())
        for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
            around = {side.token_type for side in (before, after) if side}
            if text[token.start] == '"' and token.text.lower() not in known and not around & _NAMES:
                token.token_type = TokenType.STRING
        statements = [tree for tree in _DIALECT.parser().parse(tokens, text) if tree]
        return _query(statements[0], _Scope(columns)) if len(statements) == 1 else None
    except (SqlglotError, RecursionError):
        return None


@dataclass(frozen=True)
class _Scope:
    """What names mean inside one SELECT."""

    schema: Schema
    sources: list[Hashable] = field(default_factory=list)  # of FROM, in order: table names, forms of inner queries
    aliases: dict[str, Hashable] = field(default_factory=dict)  # alias -> source
    queries: Mapping[str, Hashable] = field(default_factory=dict)  # WITH name -> form
    selected: dict[str, Hashable] = field(default_factory=dict)  # column alias -> form
    outer: _Scope | None = None

    def column(self, name: str, table: str) -> Hashable:
        chain = [self]
        while chain[-1].outer:
            chain.append(chain[-1].outer)
        if table:
            return next((scope.aliases[table] for scope in chain if table in scope.aliases), table), name
        if name in self.selected:
            return self.selected[name]
        for scope in chain:
            for source in scope.sources:
                if isinstance(source, str) and name in self.schema.get(source, ()):
                    return source, name
        return self.sources[0] if len(self.sources) == 1 else "", name

    def add(self, node: exp.Expr) -> None:
        """One part of FROM with what is joined to it."""
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            self.add(node.this)
        elif isinstance(node, exp.Table) and not isinstance(node.this, exp.Func):
            name = ".".join(part.name.lower() for part in node.parts)
            self._source(self.queries.get(name, name), node.alias)
            self.aliases.setdefault(name, self.sources[-1])
        else:
            self._source(_form(node.this if isinstance(node, exp.Table) else node, self), node.alias)
        for join in node.args.get("joins") or ():
            self.add(join.this)

    def _source(self, source: Hashable, alias: str) -> None:
        self.sources.append(source)
        if alias:
            self.aliases[alias.lower()] = source


def _query(node: exp.Expr, outer: _Scope) -> Hashable:
    if isinstance(node, exp.Subquery):
        inner = _query(node.this, outer)
        rest = _rest(node, outer, frozenset({"this", "alias"}))
        return (inner, rest) if rest else inner
    queries = dict(outer.queries)
    for part in node.args["with_"].expressions if node.args.get("with_") else ():
        queries[part.alias.lower()] = _query(part.this, _Scope(outer.schema, queries=queries))
    scope = _Scope(outer.schema, queries=queries, outer=outer)
    if isinstance(node, exp.SetOperation):
        pair = [_query(node.this, scope), _query(node.expression, scope)]
        members = tuple(pair) if isinstance(node, exp.Except) else _bag(pair)
        return type(node).__name__, members, _order(node, scope, []), *_bounds(node)
    if not isinstance(node, exp.Select):
        raise ParseError(f"{type(node).__name__} is not a query")
    for part in (node.args.get("from_"), *(node.args.get("joins") or ())):
        if part:
            scope.add(part.this)
    selected = [_form(part, scope) for part in node.expressions]
    scope.selected.update(
        {part.alias.lower(): form for part, form in zip(node.expressions, selected, strict=True) if part.alias}
    )
    group = node.args.get("group")
    return (
        _bag(selected),
        _bag(scope.sources),
        _condition(node, "where", scope),
        (_bag(_place(part, selected, scope) for part in group.expressions), _rest(group, scope, _GROUPED))
        if group
        else None,
        _condition(node, "having", scope),
        _order(node, scope, selected),
        *_bounds(node),
        _rest(node, scope, _CLAUSES),
    )


def _condition(node: exp.Expr, clause: str, scope: _Scope) -> Hashable:
    part = node.args.get(clause)
    return _form(part.this, scope) if part else None


def _order(node: exp.Expr, scope: _Scope, selected: list[Hashable]) -> Hashable:
    order = node.args.get("order")
    keys = order.expressions if order else ()
    return tuple((_place(key.this, selected, scope), bool(key.args.get("desc"))) for key in keys)


def _bounds(node: exp.Expr) -> tuple[bool, bool]:
    return bool(node.args.get("limit")), bool(node.args.get("offset"))


def _place(node: exp.Expr, selected: list[Hashable], scope: _Scope) -> Hashable:
    """A part of `order by` or `group by`, where a whole number names a selected column."""
    if isinstance(node, exp.Literal) and node.is_int and 1 <= int(node.name) <= len(selected):
        return selected[int(node.name) - 1]
    return _form(node, scope)


def _form(node: Any, scope: _Scope) -> Hashable:
    """Comparable form of an expression or of an argument of one."""
    if isinstance(node, list):
        return tuple(_form(item, scope) for item in node)
    if not isinstance(node, exp.Expr):
        return node.lower() if isinstance(node, str) else str(node)
    if isinstance(node, exp.Query):
        return _query(node, scope)
    if isinstance(node, exp.Paren | exp.Alias):
        return _form(node.this, scope)
    if isinstance(node, exp.Literal | exp.Boolean) or (isinstance(node, exp.Neg) and _form(node.this, scope) == VALUE):
        return VALUE
    if isinstance(node, exp.Column | exp.Star):
        return scope.column(node.name.lower() or "*", node.text("table").lower())
    if isinstance(node, exp.Distinct):
        return _form(node.expressions[0] if len(node.expressions) == 1 else node.expressions, scope)
    if isinstance(node, exp.And | exp.Or):
        return type(node).__name__, _bag(_form(part, scope) for part in _operands(node))
    if isinstance(node, exp.EQ | exp.NEQ):
        return type(node).__name__, _bag(_form(side, scope) for side in (node.this, node.expression))
    if mirrored := _MIRRORED.get(type(node)):
        return mirrored, (("expression", _form(node.this, scope)), ("this", _form(node.expression, scope)))
    return type(node).__name__, _rest(node, scope, frozenset())


def _operands(node: exp.Expr) -> Iterator[exp.Expr]:
    """Operands of a chain of ANDs or of ORs, through brackets that change nothing."""
    for part in node.flatten():
        if type(part) is type(node):
            yield from _operands(part)
        else:
            yield part


def _rest(node: exp.Expr, scope: _Scope, handled: frozenset[str]) -> tuple[tuple[str, Hashable], ...]:
    return tuple((key, _form(value, scope)) for key, value in sorted(node.args.items()) if key not in handled and value)


def _bag(forms: Iterable[Hashable]) -> Hashable:
    """A multiset."""
    return frozenset(Counter(forms).items())
