"""A bank as the pages list it: searched, filtered by a label, grouped by duplicates; one object per state of a bank."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skillshot.common.extras import extras_named
from skillshot.common.io import sha256_text
from skillshot.common.record import Record
from skillshot.common.text import normalised
from skillshot.runtime.opening import OpenBundle

LABELS = 200  # values of a field that can still be chosen from a list
NEAREST = 8  # rows that a row's page shows
SKILL = "skill"  # in the name of a field that stands first


def key_of(record: Record) -> str:
    """Names a row by all that it holds: a row that was changed or removed is no longer found by its key."""
    return sha256_text(json.dumps(record.to_dict(), ensure_ascii=False, sort_keys=True))[:24]


@dataclass(frozen=True)
class Label:
    """A value of a field and the number of rows that have it; `name` is what a request calls it."""

    field: str
    value: str
    count: int

    @property
    def name(self) -> str:
        """`field=value`."""
        return f"{self.field}={self.value}"


class BankTable:
    """Rows of one open bundle; safe for threads. Texts are compared in NFC, without case."""

    def __init__(self, bundle: OpenBundle) -> None:
        self.bundle = bundle
        self._lock = threading.Lock()
        self.places: dict[str, int] = {}  # key -> row
        self.by_id: dict[str, int] = {}
        self.wrong: list[int] = []  # rows marked as incorrect
        self._keys: list[str] = []
        self._texts: list[str] = []
        values: dict[str, dict[str, list[int]]] = {}
        for row, record in enumerate(bundle.store):
            key = key_of(record)
            self._keys.append(key)
            self.places[key] = self.by_id[record.id] = row
            text = "\n".join((record.id, record.text, record.rationale, record.answer))
            self._texts.append(_folded(text))
            if not record.correct:
                self.wrong.append(row)
            for name, value in record.metadata.items():
                if isinstance(value, str | int) and name != "correct":
                    values.setdefault(name, {}).setdefault(str(value), []).append(row)
        self._labelled = {name: found for name, found in values.items() if _is_label(found)}
        self._named = {
            Label(name, value, len(rows)).name: rows
            for name, found in self._labelled.items()
            for value, rows in found.items()
        }

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, row: int) -> str:
        """Key of a row."""
        return self._keys[row]

    @cached_property
    def labels(self) -> Mapping[str, Sequence[Label]]:
        """By field, those of a skill first; values as a reader looks for them."""
        names = sorted(self._labelled, key=lambda name: (SKILL not in name, name))
        return {
            name: [Label(name, value, len(rows)) for value, rows in sorted(self._labelled[name].items())]
            for name in names
        }

    def find(self, search: str = "", label: str = "") -> Sequence[int]:
        """Rows that hold every word of `search` and have the label `field=value`, in the order of the bank."""
        rows: Sequence[int] = self._named.get(label, []) if label else range(len(self))
        words = _folded(search).split()
        return [row for row in rows if all(word in self._texts[row] for word in words)] if words else rows

    def nearest(self, row: int) -> Iterator[tuple[int, float]]:
        """The rows that need the most similar skill, with the cosine of the skill vectors (z)."""
        vector = self.bundle.vectors[row].astype(np.float32)
        near = self.bundle.bank.nearest(vector, NEAREST + 1, {})
        pairs = zip(near.rows.tolist(), near.scores.tolist(), strict=True)
        return ((other, score) for other, score in pairs if other != row)

    @property
    def duplicates(self) -> Sequence[Sequence[int]]:
        """Near-duplicate groups of at least two rows, largest first; found once.

        Raises:
            MissingPackageError: the packages of the extra `train` are not installed.
        """
        with self._lock:
            return self._duplicates

    @cached_property
    def _duplicates(self) -> Sequence[Sequence[int]]:
        with extras_named():
            from skillshot.bank.dedup import Grouper
            from skillshot.common.params import default_params

            grouper = Grouper(default_params().ingest.near_duplicates)
            for record in self.bundle.store:
                grouper.add(record.text)
            labels = grouper.labels()
        order = np.argsort(labels, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
        return sorted((group.tolist() for group in groups if len(group) > 1), key=lambda group: (-len(group), group))


def _folded(text: str) -> str:
    return normalised("NFC", text).casefold()


def _is_label(values: Mapping[str, Sequence[Any]]) -> bool:
    """Whether a field groups rows: several values, few enough for a list, more rows than values."""
    rows = sum(map(len, values.values()))
    return 2 <= len(values) <= LABELS and len(values) * 2 <= rows
