"""Index of a bank's fields by distinct value, so that a `where` filter does not read a million records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common import schema
from skillshot.common.arrays import Mask
from skillshot.common.errors import BundleError, InputError
from skillshot.common.io import atomic_write, write_json

VALUES, CODES = "bank_fields.json", "bank_fields.npy"
MOST = 1000  # a field with more distinct values (a text) cannot be used as a filter
_KEPT = 64  # masks of recent filters


def _few(value: Any, place: str) -> None:
    if value is not None:
        schema.listed(lambda *_: None, MOST)(value, place)


_ABOUT = schema.fields({"values": schema.mapped(schema.text(), _few), "order": schema.listed(schema.text())})


class FieldWriter:
    """Collects the fields of records one by one; call `write` at the end."""

    def __init__(self) -> None:
        self._count = 0
        self._places: dict[str, dict[str, int] | None] = {}  # field -> value as JSON -> code; None: too many
        self._codes: dict[str, list[int]] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Add the flat JSON object of one record."""
        for field, value in row.items():
            places = self._places.setdefault(field, {})
            if places is None or value is None:
                continue
            code = places.setdefault(json.dumps(value, sort_keys=True), len(places) + 1)
            if code > MOST:
                self._places[field] = None
                self._codes.pop(field, None)
                continue
            codes = self._codes.setdefault(field, [])
            codes.extend([0] * (self._count - len(codes)))
            codes.append(code)
        self._count += 1

    def write(self, folder: Path) -> None:
        """Write `bank_fields.json` (field -> values, null: too many) and `bank_fields.npy` (fields, n) uint16."""
        names = sorted(self._codes)
        codes = np.zeros((len(names), self._count), np.uint16)
        for line, name in zip(codes, names, strict=True):
            line[: len(self._codes[name])] = self._codes[name]
        values = {f: None if p is None else [json.loads(text) for text in p] for f, p in self._places.items()}
        write_json(folder / VALUES, {"values": values, "order": names})
        with atomic_write(folder / CODES, "wb") as handle:
            np.save(handle, codes, allow_pickle=False)


class Fields:
    """The rows that have a value, from a memory-mapped table."""

    def __init__(self, folder: Path, rows: int, check: bool = True) -> None:
        about = schema.read_document(folder / VALUES, _ABOUT)
        self._values: dict[str, list[Any] | None] = about["values"]
        self._lines = {name: line for line, name in enumerate(about["order"])}
        self._codes = schema.read_array(folder / CODES, [np.uint16], (len(about["order"]), rows))
        for name, line in self._lines.items():
            values = self._values.get(name)
            if values is None or (check and rows and int(self._codes[line].max()) > len(values)):
                raise BundleError(f"{folder / CODES}: does not fit {VALUES} at {name[:80]!r}; copy the bundle again")
        self._masks: dict[tuple[str, str], Mask] = {}

    def mask(self, field: str, value: Any) -> Mask:
        """Rows whose `field` equals `value`, bool (n,).

        Raises:
            InputError: no record has the field, or it has too many distinct values to filter by.
        """
        key = field, json.dumps(value, sort_keys=True, default=repr)
        found = self._masks.get(key)
        if found is None:
            values = self._values.get(field, [])
            if values is None:
                raise InputError(f"where: {field!r} has more than {MOST} distinct values; filter by a label field")
            if field not in self._lines:
                raise InputError(f"where: no demonstration has a field {field!r}")
            codes = [code for code, known in enumerate(values, 1) if known == value]
            found = np.isin(self._codes[self._lines[field]], codes)
            if len(self._masks) >= _KEPT:
                self._masks = {}  # replaced and not cleared, because another thread may be reading it
            self._masks[key] = found
        return found
