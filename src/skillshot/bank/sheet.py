"""One row while it is understood: which of its columns became which field.

Own fields win: a field that the row has, or that the caller mapped, is never overwritten. A column that the caller
mapped to one field is not read into another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from skillshot.bank.columns import filled, plain_name

Row = dict[str, Any]
OWN = ("question", "rationale", "answer", "context", "options")  # understood in any case: `Question`


@lru_cache(maxsize=128)
def _plain_names(columns: tuple[str, ...]) -> dict[str, str]:
    """Plain name -> column; rows of one file have the same columns."""
    names = {plain_name(name): name for name in reversed(columns)}
    return names | {name: name for name in OWN if name in columns}


class Sheet:
    """A row, its columns by their plain names, and where each field comes from.

    Args:
        row: changed in place. claimed: column -> the field that the caller mapped it to.
        closed: fields that the caller mapped or dropped. repeated: columns of the file with few different values, by
            their plain names. answered: a row must have an answer.
    """

    def __init__(
        self,
        row: Row,
        claimed: Mapping[str, str] | None = None,
        closed: Collection[str] = (),
        repeated: Collection[str] = (),
        answered: bool = False,
    ) -> None:
        self.row, self.claimed, self.closed = row, claimed or {}, closed
        self.repeated, self.answered = repeated, answered
        self.sources: dict[str, str] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look at the row's columns anew; own fields in another case get their name."""
        self.names = dict(_plain_names(tuple(self.row)))
        for field in OWN:
            name = self.names.get(field, field)
            if name != field and field not in self.closed and name not in self.claimed:
                self.row[field] = self.row.pop(name)
                self.names[field], self.sources[field] = field, name

    def has(self, *names: str) -> bool:
        """Whether the row has all of these columns, by their plain names."""
        return all(name in self.names for name in names)

    def get(self, *names: str) -> Any:
        """The value of the first of these columns that holds something."""
        return next((v for name in names if filled(v := self.row.get(self.names.get(name, "")))), None)

    def own(self, field: str) -> bool:
        """Whether the row has the field, by its own name or by the caller's map."""
        return filled(self.row.get(field))

    def free(self, field: str) -> bool:
        """Whether a form may fill the field."""
        return field not in self.closed and not self.own(field)

    def put(self, field: str, value: Any, source: str) -> bool:
        """Fill a field that is free."""
        if not self.free(field) or not filled(value):
            return False
        self.row[field], self.sources[field] = value, source
        return True

    def take(self, field: str, *names: str) -> bool:
        """Move the first of these columns that holds something into a field that is free."""
        for name in names:
            column = self.names.get(name)
            if column is None or column in self.claimed or not filled(self.row.get(column)):
                continue
            if self.free(field):
                self.row[field], self.sources[field] = self.row.pop(column), column
                del self.names[name]
                return True
        return False

    def drop(self, *names: str) -> None:
        """Remove columns whose content a field holds now."""
        for name in names:
            column = self.names.pop(name, None)
            if column is not None and column not in self.claimed:
                self.row.pop(column, None)

    def type(self, kind: str) -> None:
        """Type of the answer that a form has, where the answer is the form's."""
        if "answer" not in self.closed and not filled(self.row.get("answer_type")):
            self.row["answer_type"] = kind
