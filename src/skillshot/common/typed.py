"""Plain values, as YAML gives them, to frozen and typed dataclasses, and back."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from skillshot.common.errors import ParamsError

T = TypeVar("T")


def as_tree(params: Any) -> dict[str, Any]:
    """A section (or all) as plain dictionaries and lists, ready for JSON or YAML."""
    return {
        key: list(value) if isinstance(value, tuple) else as_tree(value) if dataclasses.is_dataclass(value) else value
        for key, value in ((f.name, getattr(params, f.name)) for f in dataclasses.fields(params))
    }


def build(kind: type[T], tree: Any, place: str, complete: bool) -> T:
    """The section `kind` out of a tree of plain values.

    Args:
        place: where the tree comes from, for messages; complete: every key must be there.

    Raises:
        ParamsError: naming the key, its value and what was expected.
    """
    if not isinstance(tree, Mapping):
        raise ParamsError(f"{place}: expected a section with keys, got {tree!r}")
    hints = typing.get_type_hints(kind)
    for key in tree:
        if key not in hints:
            close = difflib.get_close_matches(str(key), hints, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; known: {', '.join(hints)}"
            raise ParamsError(f"{place}: unknown key {key}{hint}")
    missing = [key for key in hints if key not in tree]
    if complete and missing:
        raise ParamsError(f"{place}: missing key {missing[0]}; add it (see params.py for its default)")
    values = {key: _value(hints[key], value, f"{place}: {key}", complete) for key, value in tree.items()}
    return kind(**values)


def _value(hint: Any, value: Any, place: str, complete: bool) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, place, complete)
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        origin = typing.get_origin(option)
        if option is type(None) and value is None:
            return None
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if option is int and isinstance(value, int) and not isinstance(value, bool):
            return value
        if option in (str, bool) and isinstance(value, option):
            return value
        if origin is tuple and isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
            return tuple(value)
        if origin is dict and isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
            return dict(value)
    wanted = " or ".join(getattr(o, "__name__", str(o)) if o is not type(None) else "null" for o in options)
    raise ParamsError(f"{place}: expected {wanted}, got {value!r}")
