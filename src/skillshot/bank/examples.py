"""Examples from wherever a program has them: a file, mappings, a pandas DataFrame, a `datasets.Dataset`.

pandas and datasets are not imported: their objects are recognised by what they can do.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from skillshot.bank.columns import collision
from skillshot.bank.limits import why_refused
from skillshot.bank.readers import read_raw
from skillshot.bank.rows import Raw
from skillshot.common.errors import InputError
from skillshot.common.text import shown

if TYPE_CHECKING:
    from skillshot.bank.load import Loaded

Examples = str | PathLike[str] | Iterable[Any]  # of mappings, or of objects with `to_dict` such as Record

IN_MEMORY = "<examples>"  # the file's name of rows that come from no file

_ABSENT = frozenset({"NoneType", "NAType", "NaTType"})

logger = logging.getLogger("skillshot")


def raw_rows(examples: Examples) -> Iterator[Raw]:
    """Rows as they are, numbered from 1; one that is no mapping has the reason.

    Cells of a DataFrame that are missing (NaN, NaT, NA, None) are left out; numpy values become Python's.

    Raises:
        InputError: a file cannot be read, or `examples` holds no rows.
    """
    if isinstance(examples, str | PathLike):
        yield from read_raw(examples)
        return
    for line, row in enumerate(_rows(examples), 1):
        if not isinstance(row, Mapping):
            yield Raw(IN_MEMORY, line, shown(row, 200), f"a {type(row).__name__}, not a mapping of columns")
        elif reason := why_refused(row) or collision(row):
            yield Raw(IN_MEMORY, line, shown(row, 200), reason)
        else:
            yield Raw(IN_MEMORY, line, {str(key): _plain(value) for key, value in row.items()})


def name_of(examples: Examples) -> str:
    """What messages call the examples: the path, or "<examples>"."""
    return fspath(examples) if isinstance(examples, str | PathLike) else IN_MEMORY


def log_quarantined(loaded: Loaded) -> None:
    """Log how many rows were accepted; refused ones by reason, as a warning."""
    level = logging.WARNING if loaded.quarantined else logging.INFO
    logger.log(level, "bank: %d accepted, %d quarantined", len(loaded.records), len(loaded.quarantined))
    first = {row.kind: row for row in reversed(loaded.quarantined)}
    for reason, count in Counter(row.kind for row in loaded.quarantined).most_common():
        logger.warning("quarantined: %d %s, first %s", count, reason, first[reason].place)


def _rows(examples: Any) -> Iterator[Any]:
    if isinstance(examples, Mapping):  # one row, or a DatasetDict of splits
        names = ", ".join(map(str, examples))[:100]
        raise InputError(f"examples: one mapping with {names}; expected a list of mappings, or one split of a dataset")
    if hasattr(examples, "iterrows") and hasattr(examples, "to_dict"):  # pandas
        for row in examples.to_dict("records"):
            yield {key: value for key, value in row.items() if not _missing(value)}
    elif isinstance(examples, Iterable):
        for row in examples:
            yield row if isinstance(row, Mapping) or not hasattr(row, "to_dict") else row.to_dict()
    else:
        raise InputError(f"examples: {type(examples).__name__}: expected a path, mappings, a DataFrame or a Dataset")


def _missing(value: Any) -> bool:
    """None, NaN, and what pandas has for them."""
    return value != value if isinstance(value, float) else type(value).__name__ in _ABSENT


def _plain(value: Any) -> Any:
    """Python's own values for numpy's, also inside lists and mappings."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return _plain(value.tolist()) if hasattr(value, "tolist") and not isinstance(value, type) else value
