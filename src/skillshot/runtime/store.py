"""Demonstrations on disk: JSON lines with an offset table, so that a large bank need not be in memory."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from skillshot.common import packed, schema
from skillshot.common.errors import BundleError
from skillshot.common.io import atomic_write, hash64
from skillshot.common.record import Record, normalise_question
from skillshot.runtime.fields import Fields, FieldWriter

BANK, OFFSETS, KEYS, IDS = "bank.jsonl", "bank_offsets.npy", "bank_keys.npy", "bank_ids.npy"
_TEXT = schema.text()
_ROW = schema.fields(
    {"id": _TEXT, "question": _TEXT},
    dict.fromkeys(("rationale", "answer", "context", "unit", "answer_type", "group"), _TEXT)
    | {"options": schema.listed(_TEXT)},
)


def question_key(question: str) -> int:
    """64-bit hash of a normalised question."""
    return hash64(normalise_question(question))


def bank_digest(records: Iterable[Record]) -> str:
    """SHA-256 over ids and texts of a bank, in order."""
    digest = hashlib.sha256()
    for i, r in enumerate(records):
        line = f"{r.id}\t{r.text}\t{r.rationale}\t{r.answer}"
        digest.update(("\n" + line if i else line).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def write_store(folder: str | os.PathLike[str], records: Iterable[Record]) -> int:
    """Write bank.jsonl, its line offsets, question keys, sorted id hashes and fields; returns the number of records."""
    folder = Path(folder)
    position, fields = 0, FieldWriter()
    offsets, keys, ids = array("q", [0]), array("Q"), array("Q")
    with atomic_write(folder / BANK, "wb") as handle:
        for record in records:
            row = record.to_dict()
            line = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
            handle.write(line)
            position += len(line)
            offsets.append(position)
            keys.append(question_key(record.question))
            ids.append(hash64(record.id))
            fields.add(row)
    fields.write(folder)
    for name, values in ((OFFSETS, np.array(offsets)), (KEYS, np.array(keys)), (IDS, np.sort(ids))):
        with atomic_write(folder / name, "wb") as handle:
            np.save(handle, values, allow_pickle=False)
    return len(keys)


class BankStore:
    """Read-only view of a bank on disk; thread-safe, memory-mapped unless it is compressed.

    Args:
        check: False checks dtypes, shapes and sizes, but reads no array.

    Raises:
        BundleError: its files are damaged or inconsistent.
    """

    def __init__(self, folder: str | os.PathLike[str], check: bool = True) -> None:
        self._path = folder = Path(folder)
        self._offsets = schema.read_array(folder / OFFSETS, [np.int64], (None,))
        self.keys, self._ids = (schema.read_array(folder / name, [np.uint64], (None,)) for name in (KEYS, IDS))
        self._bytes = _bytes_of(folder / BANK)
        size = len(self._bytes)
        ends = [int(end) for end in (*self._offsets[:1], *self._offsets[-1:])]
        if not len(self._offsets) - 1 == len(self.keys) == len(self._ids) or ends != [0, size]:
            raise BundleError(
                f"{folder}: {len(self._offsets)} offsets from byte {ends[:1]} to {ends[1:]}, {len(self.keys)} keys, "
                f"{len(self._ids)} ids, but {BANK} has {size} bytes; copy the bundle again"
            )
        if check:
            schema.check_rising(self._offsets, folder / OFFSETS)
            schema.check_rising(self._ids, folder / IDS, strictly=False)
        self.fields = Fields(folder, len(self), check)

    def has(self, record_id: str) -> bool:
        """Whether a demonstration has this id."""
        code = np.uint64(hash64(record_id))
        at = int(self._ids.searchsorted(code))
        return at < len(self._ids) and bool(self._ids[at] == code)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> Record:
        line = self._bytes[int(self._offsets[row]) : int(self._offsets[row + 1])]
        try:
            fields = json.loads(line.decode("utf-8", "surrogatepass"))
            _ROW(fields, "")
            return Record.from_dict(fields)
        except (ValueError, RecursionError) as error:
            raise BundleError(
                f"{self._path / BANK}: row {row}: {schema.cause(error)}; copy the bundle again"
            ) from error

    def __iter__(self) -> Iterator[Record]:
        return (self[row] for row in range(len(self)))


def _bytes_of(path: Path) -> mmap.mmap | bytes:
    with schema.door(path):
        path = packed.stored(path)
        size = schema.regular(path)
        if path.suffix == packed.SUFFIX:
            return packed.unpacked(path)
        with open(path, "rb") as handle:
            return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
