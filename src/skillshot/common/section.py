"""Base of the sections of `params.yaml`: a pydantic model whose errors name key, value and what is allowed."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from skillshot.common.errors import ParamsError

LINES = 3  # of a message: more errors are counted, not listed
EXPECTED = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "tuple_type": "a list",
    "too_short": "a list that is not empty",
    "dict_type": "keys with values",
    "model_type": "a section with keys",
}
EXPONENT = re.compile(r"[-+]?\d+e[-+]?\d+", re.IGNORECASE)  # 1e-3: a number to Python, text to YAML 1.1


@dataclass(frozen=True)
class NamesFiles:
    """Marks the type of a field whose value names files: their content is an input too."""


Text = Annotated[str, Field(min_length=1)]
PathText = Annotated[str, Field(min_length=1), NamesFiles()]  # a file or folder, or a name on the Hugging Face Hub
Whole = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=10**9)]
Share = Annotated[float, Field(ge=0, le=1)]
Part = Annotated[float, Field(ge=0, lt=1)]  # of something that must not be empty
Amount = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """Frozen settings: no conversion of types (but 1 for 1.0), no unknown key, no NaN.

    A field with `repr=False` may hold a secret: no message repeats its value.
    """

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, json_schema_serialization_defaults_required=True
    )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON or YAML: tuples as lists, sections as dictionaries."""
        return self.model_dump(mode="json")

    @classmethod
    def file_keys(cls, prefix: str = "") -> Iterator[str]:
        """Dotted keys of the fields, here and in sections, whose type is marked by `NamesFiles`."""
        for name, field in cls.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
                yield from field.annotation.file_keys(f"{prefix}{name}.")
            elif _marked(field.annotation, field.metadata):
                yield f"{prefix}{name}"

    def changed(self, **changes: Any) -> Self:
        """A validated copy. A section is given whole, or as a mapping of the keys to change.

        Raises:
            ParamsError: an unknown key, or a value that is not allowed.
        """
        return self.updated(changes, "params")

    def updated(self, tree: Mapping[str, Any], place: str) -> Self:
        """Like `changed`; `place` says in messages where the changes come from.

        Raises:
            ParamsError: an unknown key, or a value that is not allowed.
        """
        values: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        for key, value in tree.items():
            old = values.get(key)
            values[key] = {**dict(old), **value} if isinstance(old, Section) and isinstance(value, Mapping) else value
        return type(self).build(values, place)

    @classmethod
    def build(cls, tree: object, place: str, *, complete: bool = False) -> Self:
        """The section out of plain values. `place`: where they come from; `complete`: every key must be there.

        Raises:
            ParamsError: one line for each error, at most three.
        """
        name = cls.__name__.removesuffix("Params").lower()
        prefix = f"{name}." if name else ""
        lines = []
        if complete and isinstance(tree, Mapping):
            lines = [
                f"{place}: {key}: missing; add it (default {_shown(value)})"
                for key, value in _missing(cls(), tree, prefix)
            ]
        try:
            built = cls.model_validate(tree)
        except ValidationError as error:
            problems = [dict(problem) for problem in error.errors(include_url=False)]
            lines += [
                f"{place}: {_line(cls, p, prefix)}" for p in problems if p["type"] != "too_short" or not p["input"]
            ]
        if not lines:
            return built
        if len(lines) > LINES:
            lines[LINES - 1 :] = [f"{place}: {len(lines) - LINES + 1} more errors"]
        # without the cause, which would show the values of secrets
        raise ParamsError("\n".join(lines)) from None


def _missing(defaults: Section, tree: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, object]]:
    """Keys that the tree lacks, with their defaults."""
    for name in type(defaults).model_fields:
        default = getattr(defaults, name)
        if name not in tree:
            yield prefix + name, default
        elif isinstance(default, Section) and isinstance(tree[name], Mapping):
            yield from _missing(default, tree[name], f"{prefix}{name}.")


def _line(kind: type[Section], problem: dict[str, Any], prefix: str) -> str:
    """One error of pydantic as `key: expected ..., got ...`."""
    place = [part for part in problem["loc"] if part != "[key]"]
    key, value, context = prefix + ".".join(map(str, place)), problem["input"], problem.get("ctx", {})
    start = f"{key}: " if key else ""
    if problem["type"] == "extra_forbidden":
        return f"{start}unknown key; {_known(kind, place, prefix)}"
    field = _field(kind, place)
    if problem["type"] == "value_error":
        return f"{start}{context['error']}"
    hint = ""
    if problem["type"] == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        expected = context["expected"].replace("'", "")
        close = difflib.get_close_matches(str(value).lower(), choices, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
    elif problem["type"] in EXPECTED:
        bounds = {name: str(bound).removesuffix(".0") for name, bound in context.items()}
        expected = EXPECTED[problem["type"]].format(**bounds)
    else:
        expected = problem["msg"]
    if field is not None and type(None) in get_args(field.annotation):
        expected += " or null"
    if problem["type"] in ("int_type", "float_type") and isinstance(value, str) and EXPONENT.fullmatch(value):
        hint = "; YAML reads 1e-3 as text: write 0.001 or 1.0e-3"
    secret = _secret(field) if field else issubclass(kind, Section)
    return f"{start}expected {expected}{'' if secret else f', got {_shown(value)}'}{hint}"


def _known(kind: type[Section], place: list[str | int], prefix: str) -> str:
    """What an unknown key may have been meant to be."""
    *path, name = map(str, place)
    for section in path:
        kind = kind.model_fields[section].annotation  # type: ignore[assignment]
    close = difflib.get_close_matches(name, kind.model_fields, n=1)
    nested: list[tuple[str, Any]] = [(key, field.annotation) for key, field in kind.model_fields.items()]
    close = close or [f"{key}.{name}" for key, inner in nested if _is_section(inner) and name in inner.model_fields]
    if close:
        return f"did you mean {' or '.join(prefix + '.'.join([*path, key]) for key in close)}?"
    return f"known: {', '.join(kind.model_fields)}"


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _field(kind: type[Section], place: list[str | int]) -> FieldInfo | None:
    """The innermost field on the way to a place."""
    field = None
    for name in place:
        field = kind.model_fields[str(name)]
        if not _is_section(field.annotation):
            break
        kind = field.annotation  # type: ignore[assignment]
    return field


def _secret(field: FieldInfo) -> bool:
    """Whether a value may hold a secret: the field's own, or that of a section with such a field."""
    inner: Any = field.annotation
    return not field.repr or (_is_section(inner) and any(_secret(part) for part in inner.model_fields.values()))


def _shown(value: object) -> str:
    """A value as it stands in YAML, on one line, cut where it is long."""
    plain = value.to_dict() if isinstance(value, Section) else value
    try:
        text = json.dumps(plain, ensure_ascii=False, default=str, skipkeys=True)
    except (TypeError, ValueError):
        text = repr(plain)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _marked(annotation: Any, metadata: Iterable[Any] = ()) -> bool:
    """Whether `NamesFiles` is anywhere in a field's type, such as `PathText | None`."""
    extra = getattr(annotation, "__metadata__", ())
    return any(isinstance(mark, NamesFiles) for mark in (*metadata, *extra)) or any(
        _marked(part) for part in get_args(annotation)
    )
