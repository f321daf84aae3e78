"""A bank or a query file into memory, checked row by row (no pandas, no Great Expectations)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike

from skillshot.bank.checks import CHECKS, QUERY_CHECKS
from skillshot.bank.intake import Intake, Quarantined, Tally, check_placed
from skillshot.bank.readers import read_raw
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record

LIMITS = ValidateParams()


@dataclass(frozen=True)
class Loaded:
    """Accepted records, in file order, and what was refused."""

    records: list[Record] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)


def load_bank(
    path: str | PathLike[str],
    *,
    require_rationale: bool = True,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    validate: ValidateParams = LIMITS,
) -> Loaded:
    """Read, normalise and check a bank file or folder.

    Args:
        require_rationale: whether a row without rationale (or answer) is quarantined.
        columns: our field -> the file's column, where no preset fits.
        limit: read no more than this many rows.
        validate: limits of the row checks.

    Raises:
        InputError: unreadable, empty, no usable row, conflicting ids, or more than `validate.max_quarantined` bad rows.
    """
    checks = CHECKS if require_rationale else QUERY_CHECKS
    loaded, tally = Loaded(), Tally()
    for item in Intake(columns).take(islice(read_raw(path), limit)):
        checked = check_placed(item, validate, checks)
        tally.add(checked)
        if isinstance(checked, Quarantined):
            loaded.quarantined.append(checked)
        else:
            loaded.records.append(checked.record)
    tally.refuse_if_bad(str(path), validate)
    return loaded


def load_queries(
    path: str | PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    validate: ValidateParams = LIMITS,
) -> Loaded:
    """Like `load_bank` for evaluation queries, whose rationale and answer may be missing."""
    return load_bank(path, require_rationale=False, columns=columns, limit=limit, validate=validate)
