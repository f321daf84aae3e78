"""Our field names and the user's own, both ways."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from skillshot.common.errors import InputError
from skillshot.runtime.types import Demonstration, Question

OURS = ("id", "question", "rationale", "answer", "context", "options", "score", "metadata")
ASKED = ("question", "context", "options")


class FieldNames:
    """Renames fields; what the map does not hold keeps its name.

    Args:
        names: our field -> the user's, e.g. {"question": "input", "rationale": "reasoning"}.

    Raises:
        InputError: a field that a demonstration does not have, or one name for two fields.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        unknown = [field for field in names if field not in OURS]
        if unknown:
            raise InputError(f"fields: {unknown[0]!r}: a demonstration has {', '.join(OURS)}")
        theirs = [names.get(field, field) for field in OURS]
        if len(set(theirs)) < len(theirs):
            twice = next(name for name in theirs if theirs.count(name) > 1)
            raise InputError(f"fields: {twice!r} would be two fields; give each its own name")
        self.names = dict(names)

    def of(self, field: str) -> str:
        """The user's name of a field of ours."""
        return self.names.get(field, field)

    def row(self, demonstration: Demonstration) -> dict[str, Any]:
        """A demonstration under the user's names, its metadata also next to the other fields."""
        row = {self.of(field): value for field, value in demonstration.to_dict().items()}
        return {**demonstration.metadata, **row}

    def back(self, example: Mapping[str, Any]) -> dict[str, Any]:
        """A user's example under our names."""
        ours = {theirs: field for field, theirs in self.names.items()}
        return {ours.get(name, name): value for name, value in example.items()}

    def question(self, given: Mapping[str, Any], key: str | None, setting: str) -> tuple[str, Question]:
        """Which of the given variables holds the question, and the question with its context and options.

        Args:
            key: the variable that the user names; None: the only one, or the one called like the question.
            setting: the argument to name in the error.

        Raises:
            InputError: no variable fits.
        """
        found = key or (next(iter(given)) if len(given) == 1 else self.of("question"))
        if found not in given:
            names = ", ".join(given) or "none"
            raise InputError(f"no variable {found!r} among the inputs ({names}); name the question's: {setting}='...'")
        rest = {field: given[self.of(field)] for field in ASKED[1:] if given.get(self.of(field))}
        rest = {field: value for field, value in rest.items() if self.of(field) != found}
        return found, {"question": given[found], **rest} if rest else given[found]


def without(row: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A row without some of its fields."""
    return {name: value for name, value in row.items() if name not in names}
