"""Rows of a YAML file, each scalar as it is written: `yes`, `12:30` and `1_000` stay texts.

What aliases stand for is counted before anything is made of them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.bank.documents import contained, unwrapped
from skillshot.bank.limits import MAX_DEPTH, MAX_YAML, MIB, check_ratio, why_refused
from skillshot.bank.rows import FileForm, Raw, decoded, undecodable
from skillshot.common.errors import InputError
from skillshot.common.extras import extras_named

_NODE = 8  # bytes that a node counts for at least
_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_TRUTH = re.compile(r"(?:true|false|True|False|TRUE|FALSE)\Z")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{0,14}[1-9]\Z")  # its text is that of the number


def read_yaml(name: str, file: Path, handle: io.BufferedReader[Any], form: FileForm, part: str = "") -> Iterator[Raw]:
    """All rows of a YAML list, of an object with one list of objects, or of several documents.

    Args:
        part: dotted keys that lead to the rows.

    Raises:
        InputError: not YAML, too large, nested too deeply, or with aliases that stand for very much.
        MissingPackageError: pyyaml is not installed.
    """
    with extras_named():
        import yaml

    data = handle.read(MAX_YAML + 1)
    if len(data) > MAX_YAML:
        raise InputError(f"{file}: over {MAX_YAML // MIB} MiB of YAML\nwrite it as jsonl")
    text, recoded = decoded(data.removeprefix(b"\xef\xbb\xbf"))
    if isinstance(text, UnicodeDecodeError):
        raise InputError(f"{file}: {undecodable(text)}\nsave it as UTF-8")
    if not text.strip("\0 \t\r\n"):
        return
    loader = _loader()
    try:
        _measure(file, len(data), yaml.parse(text, Loader=loader))
        docs = [doc for doc in yaml.load_all(text, Loader=loader) if doc is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        why = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise InputError(
            f"{file}: {where}not YAML: {str(why)[:200]}\nfix it there, or write the rows as jsonl"
        ) from error
    except (ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"{file}: not YAML: {str(error)[:200]}\nwrite the rows as jsonl") from error
    found = contained(docs[0] if len(docs) == 1 else docs, str(file), part)
    form.add(f"YAML, {found.form.removeprefix('object, ')}" if found.form else "YAML, one row")
    for number, row in enumerate(found.rows, 1):
        if not isinstance(row, dict):
            yield Raw(name, number, row, "not a YAML mapping", recoded)
            continue
        reason = why_refused(row)
        yield Raw(name, number, unwrapped(row), reason if reason.startswith("nested") else "", recoded)


@dataclass
class _Open:
    """A list or an object whose end is not read yet."""

    anchor: str | None
    before: int  # bytes held before it
    keys: set[str] | None  # of an object
    at_key: bool = True


def _measure(file: Path, size: int, events: Iterator[Any]) -> None:
    """Refuse what is nested too deeply, contains itself, has a key twice, or stands for far more than the file has."""
    anchors: dict[str, int] = {}
    opened: list[_Open] = []
    held = 0

    def refuse(event: Any, why: str) -> InputError:
        return InputError(f"{file}: line {event.start_mark.line + 1}: {why}\nfix it there, or write the rows as jsonl")

    for event in events:
        kind, anchor = type(event).__name__, getattr(event, "anchor", None)
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            ended = opened.pop()
            if ended.anchor:
                anchors[ended.anchor] = held - ended.before
            continue
        if kind not in ("MappingStartEvent", "SequenceStartEvent", "AliasEvent", "ScalarEvent"):
            continue
        if opened and (keys := opened[-1].keys) is not None:
            if opened[-1].at_key and kind == "ScalarEvent" and event.value != "<<":
                if event.value in keys:
                    raise refuse(event, f"key {event.value[:40]!r} twice")
                keys.add(event.value)
            opened[-1].at_key = not opened[-1].at_key
        if kind == "AliasEvent":
            if anchor not in anchors:
                raise refuse(event, f"*{str(anchor)[:40]} contains itself, or is no anchor")
            held += anchors[anchor]
        elif kind == "ScalarEvent":
            held += _NODE + len(event.value)
            if anchor:
                anchors[anchor] = _NODE + len(event.value)
        else:
            opened.append(_Open(anchor, held, set() if kind == "MappingStartEvent" else None))
            held += _NODE
            if len(opened) > MAX_DEPTH + 4:
                raise refuse(event, f"nested too deeply: over {MAX_DEPTH} levels")
        check_ratio(file, size, held)


def _loader() -> Any:
    """A safe loader, in C where there is one, that keeps texts."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # as PyYAML has it

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
            mapping = super().construct_mapping(node, deep=deep)
            return {key if isinstance(key, str) else str(key): value for key, value in mapping.items()}

    for tag, pattern, first in (
        ("null", _NULL, ["~", "n", "N", ""]),
        ("bool", _TRUTH, list("tTfF")),
        ("int", _INTEGER, list("-0123456789")),
        ("float", _FLOAT, list("-0123456789")),
        ("merge", re.compile(r"<<\Z"), ["<"]),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", pattern, first)
    return Loader
