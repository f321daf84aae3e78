"""Demonstrations on disk: JSON lines with an offset table, so a large bank need not be in memory."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.bank.record import Record, normalise_question
from skillshot.io import atomic_write, sha256_text

BANK, OFFSETS, KEYS = "bank.jsonl", "bank_offsets.npy", "bank_keys.npy"


def question_key(question: str) -> int:
    """64-bit identity of a normalised question."""
    return int(sha256_text(normalise_question(question))[:16], 16)


def bank_digest(records: Iterable[Record]) -> str:
    """sha256 over ids and texts of a bank, in order."""
    return sha256_text("\n".join(f"{r.id}\t{r.text}\t{r.rationale}\t{r.answer}" for r in records))


def write_store(folder: str | os.PathLike[str], records: Iterable[Record]) -> int:
    """Write bank.jsonl, its line offsets and its question keys; returns how many."""
    folder = Path(folder)
    offsets, keys, position = [0], [], 0
    with atomic_write(folder / BANK, "wb") as handle:
        for record in records:
            line = (json.dumps(record.to_json(), ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
            handle.write(line)
            position += len(line)
            offsets.append(position)
            keys.append(question_key(record.question))
    for name, values, kind in ((OFFSETS, offsets, np.int64), (KEYS, keys, np.uint64)):
        with atomic_write(folder / name, "wb") as handle:
            np.save(handle, np.asarray(values, kind), allow_pickle=False)
    return len(keys)


class Store:
    """Read-only view of a bank on disk; thread-safe, memory-mapped."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        folder = Path(folder)
        self._offsets = np.load(folder / OFFSETS, mmap_mode="r", allow_pickle=False)
        self.keys = np.load(folder / KEYS, allow_pickle=False)
        with open(folder / BANK, "rb") as handle:
            empty = os.fstat(handle.fileno()).st_size == 0
            self._bytes = b"" if empty else mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> Record:
        line = self._bytes[int(self._offsets[row]) : int(self._offsets[row + 1])]
        return Record.from_json(json.loads(line.decode("utf-8", "surrogatepass")))

    def __iter__(self) -> Iterator[Record]:
        return (self[row] for row in range(len(self)))

    def column(self, field: str) -> list[Any]:
        """One field of every record, from its own fields or its metadata (None where absent)."""
        return [row.to_json().get(field) for row in self]
