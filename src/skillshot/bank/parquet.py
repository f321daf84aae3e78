"""Rows of a parquet file, whose few bytes may stand for very many: each row is measured before it is made.

Texts stay dictionary-encoded as they are in the file until then, so that a long value that every row repeats is held
once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from skillshot.bank.limits import MAX_LINE, MIB, ROW_BYTES, check_ratio
from skillshot.bank.rows import Raw, check_columns
from skillshot.common.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 1024  # rows decoded at once
Sizes = npt.NDArray[np.int64]


def read_parquet(name: str, file: Path) -> Iterator[Raw]:
    """All rows of a file; one over `MAX_LINE` bytes has the reason.

    Raises:
        InputError: not a parquet file, too many columns, or far more bytes than the file has.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    line, held, size = 0, 0, file.stat().st_size
    try:
        with open(file, "rb") as handle:  # a handle, because pyarrow reads a path as an address
            texts, rows = _plan(pq.ParquetFile(handle).schema)
        with open(file, "rb") as handle, pq.ParquetFile(handle, read_dictionary=texts) as table:
            check_columns(str(file), table.schema_arrow.names)
            groups = range(table.num_row_groups)
            check_ratio(file, size, sum(table.metadata.row_group(i).total_byte_size for i in groups))
            # one group at a time, because each has its own dictionaries
            for batch in chain.from_iterable(table.iter_batches(rows, row_groups=[i]) for i in groups):
                sizes = sum(map(_bytes, batch.columns), np.full(batch.num_rows, ROW_BYTES))
                held += int(sizes.sum())
                check_ratio(file, size, held)
                for row in _rows(batch, sizes):
                    line += 1
                    yield Raw(name, line, row, f"row over {MAX_LINE // MIB} MiB" if row is None else "")
    except (pa.ArrowException, OSError) as error:
        why = " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())[:200]
        raise InputError(f"{file}: not a readable parquet file (after row {line}): {why}") from error


def _plan(schema: Any) -> tuple[list[str], int]:
    """Columns of texts, by their paths, and how many rows to decode at once: values of a fixed width are made whole."""
    columns = [schema.column(i) for i in range(len(schema))]
    texts = [c.path for c in columns if c.physical_type == "BYTE_ARRAY" and c.logical_type.type != "DECIMAL"]
    width = sum(c.length for c in columns if c.physical_type == "FIXED_LEN_BYTE_ARRAY")
    whole = any(c.logical_type.type in ("JSON", "BSON") for c in columns)  # pyarrow decodes these in any case
    return texts, max(1, min(16 if whole else BATCH, 4 * MAX_LINE // max(1, width)))


def _rows(batch: pa.RecordBatch, sizes: Sizes) -> Iterator[dict[str, Any] | None]:
    """The rows of a batch, None for one that is too long; many together where that takes little memory."""
    if sizes.sum() <= MAX_LINE:
        yield from batch.to_pylist()
        return
    for i, size in enumerate(sizes.tolist()):
        yield batch.slice(i, 1).to_pylist()[0] if size <= MAX_LINE else None


def _bytes(column: pa.Array) -> Sizes:
    """About how many bytes each value of a column has once it is made."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        sizes: Sizes = np.append(_bytes(column.dictionary), 0)
        places = pc.fill_null(column.indices.cast("int64"), len(sizes) - 1)
        sizes = np.take(sizes, places.to_numpy(zero_copy_only=False))
        return sizes
    if pa.types.is_struct(kind):
        return sum(map(_bytes, column.flatten()), np.full(len(column), 8))
    if pa.types.is_fixed_size_list(kind):
        inner, width = _bytes(column.values), kind.list_size
        sizes = inner[column.offset * width :][: len(column) * width].reshape(len(column), width).sum(1) + 8
        return sizes
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind):
        ends = column.offsets.to_numpy()
        inner = _bytes(column.keys) + _bytes(column.items) if pa.types.is_map(kind) else _bytes(column.values)
        sizes = np.diff(np.concatenate([[0], np.cumsum(inner)])[ends]) + 8
        return sizes
    if isinstance(column, pa.ExtensionArray):
        return _bytes(column.storage)
    if pa.types.is_fixed_size_binary(kind):
        return np.full(len(column), kind.byte_width)
    try:
        lengths = pc.fill_null(pc.binary_length(column), 0)
    except pa.ArrowNotImplementedError:  # a number, a date
        return np.full(len(column), 8)
    sizes = lengths.to_numpy(zero_copy_only=False).astype(np.int64)
    return sizes
