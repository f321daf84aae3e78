"""Where numbers of reports, tables and rules enter a decision: JSON without ambiguous names, finite numbers only."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class NotFiniteError(LookupError):
    """A value that no decision may rest on: NaN, infinity, text, null, a bool."""


def finite(value: Any, place: str, *, text: bool = True) -> float:
    """The one check of a number before it is compared: NaN compares false with everything, and would pass.

    Args:
        value: a number, or the text of a table's cell.
        text: whether text counts as the number that it spells.

    Raises:
        NotFiniteError: it is no number, or not a finite one; names the place and the value.
    """
    try:
        refused = isinstance(value, bool) or (isinstance(value, str) and not text)
        number = math.nan if refused else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        shown = repr(value) if isinstance(value, str) else str(value)
        raise NotFiniteError(f"{place} is {shown[:80]}, not a finite number")
    return number


def read_report(text: str, stage: str) -> dict[str, Any]:
    """Values of a report by dotted name, `stage.key.key`; a list is one value.

    Raises:
        LookupError: not JSON, or two keys of the report answer to one name.
    """
    path = f"reports/{stage}.json"
    found: dict[str, Any] = {}
    for name, value in leaves(unambiguous(text, path), stage):
        if name in found:
            raise LookupError(f"{path}: two keys answer to the name {name}")
        found[name] = value
    return found


def unambiguous(text: str, path: str) -> Any:
    """JSON whose objects have distinct keys, none of which shadows another.

    Raises:
        LookupError: it is not; names the file.
    """
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise LookupError(f"{path}: not JSON ({error})") from error


def leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values of a nested mapping; lists are leaves."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{prefix}.{key}" if prefix else str(key))
    elif not isinstance(tree, list) or prefix:
        yield prefix, tree


def _object(pairs: Sequence[tuple[str, Any]], path: str) -> dict[str, Any]:
    """A JSON object whose keys are distinct, and whose dotted keys (`encoder.onnx`) hide no other key."""
    keys = [key for key, _ in pairs]
    for key in keys:
        parts = key.split(".")
        above = [".".join(parts[:i]) for i in range(1, len(parts))]
        hidden = next((name for name in above if name in keys), key if keys.count(key) > 1 else None)
        if hidden is not None:
            raise LookupError(f"{path}: key {key!r} shadows the key {hidden!r}")
    return dict(pairs)
