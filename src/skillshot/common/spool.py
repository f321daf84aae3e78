"""The records of a large bank in a file instead of in memory: 2 KB of memory a record become 8 bytes."""

from __future__ import annotations

import copy
import json
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

from skillshot.common.record import Record


class Spool(Sequence[Record]):
    """Records in a file; one is read when it is asked for. A slice shares the file. Safe for threads.

    Args:
        path: of the file, which is written.
    """

    def __init__(self, path: Path, records: Iterable[Record]) -> None:
        self._starts = array("q", [0])
        with open(path, "wb") as handle:
            for record in records:
                line = json.dumps(record.to_dict(), ensure_ascii=False).encode("utf-8", "surrogatepass")
                self._starts.append(self._starts[-1] + handle.write(line))
        self._rows = range(len(self._starts) - 1)
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed with the last view

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, row: int) -> Record: ...
    @overload
    def __getitem__(self, row: slice) -> Spool: ...
    def __getitem__(self, row: int | slice) -> Record | Spool:
        if isinstance(row, slice):
            part = copy.copy(self)
            part._rows = self._rows[row]
            return part
        return self._at(self._rows[row])

    def __iter__(self) -> Iterator[Record]:
        return map(self._at, self._rows)

    def _at(self, row: int) -> Record:
        start, end = self._starts[row : row + 2]
        # not mapped: pages of a map count as memory of the process
        line = os.pread(self._file.fileno(), end - start, start)
        return Record.from_dict(json.loads(line.decode("utf-8", "surrogatepass")))
