"""A bank or a query file into memory, checked row by row (no pandas, no Great Expectations)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike

from skillshot.bank.checks import CHECKS, QUERY_CHECKS
from skillshot.bank.columns import suggest
from skillshot.bank.examples import Examples, name_of, raw_rows
from skillshot.bank.intake import GOLD, Intake, Quarantined, Tally, shorten, warn_of_reordered
from skillshot.bank.kinds import holds_rows
from skillshot.bank.reached import judged
from skillshot.bank.readers import read_questions, read_raw
from skillshot.bank.unexplained import warn_of_unexplained
from skillshot.common.errors import ColumnsError, InputError
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record
from skillshot.common.text import shown

LIMITS = ValidateParams()


@dataclass(frozen=True)
class Loaded:
    """Accepted records in file order, refused rows, and the columns of the first rows."""

    records: list[Record] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    columns: dict[str, None] = field(default_factory=dict)


def load_bank(
    bank: Examples,
    *,
    require_answer: bool = True,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    validate: ValidateParams = LIMITS,
) -> Loaded:
    """Read, normalise and check a bank: a file, a folder, or examples in memory.

    A row needs no rationale. Where an answer is required, it is logged how many rows have none.

    Args:
        require_answer: whether a row without answer is quarantined.
        columns: field -> the file's column, where no published form fits.
        limit: read no more than this many rows.
        validate: limits of the row checks.

    Raises:
        InputError: unreadable, empty, no usable row, or more than `validate.max_quarantined` bad rows.
        ColumnsError: as InputError, where a column map would help; conflicting ids.
    """
    checks = CHECKS if require_answer else QUERY_CHECKS
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InputError(f"limit={shown(limit)}: expected a whole number of at least 1, or None for all rows")
    intake = Intake(columns, validate, GOLD if require_answer else ())
    loaded, tally = Loaded(columns=intake.file_columns), Tally()
    for checked in judged(intake.take(islice(raw_rows(bank), limit)), validate, checks, name_of(bank)):
        tally.add(checked)
        if isinstance(checked, Quarantined):
            loaded.quarantined.append(checked)
        else:
            loaded.records.append(checked.record)
    tally.refuse_if_bad(name_of(bank), validate, intake)
    warn_of_reordered(loaded.records, name_of(bank))
    if require_answer:
        warn_of_unexplained(loaded.records, name_of(bank), loaded.columns, intake.columns)
    return loaded


def load_queries(
    path: str | PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    validate: ValidateParams = LIMITS,
    gold: Sequence[str] = (),
) -> Loaded:
    """Like `load_bank` for evaluation queries, whose rationale and answer may be missing.

    Args:
        gold: fields of which at least one query must have one.

    Raises:
        InputError: as `load_bank`.
        ColumnsError: as `load_bank`, or no query has a field of `gold`.
    """
    loaded = load_bank(path, require_answer=False, columns=columns, limit=limit, validate=validate)
    if gold and not any(getattr(record, name) for record in loaded.records for name in gold):
        wanted, names = " or ".join(map(_article, gold)), ", ".join(loaded.columns)[:200]
        raise ColumnsError(
            f"{path}: no query has {wanted}\nthe file has the columns {names}",
            suggest(gold[0], loaded.columns, columns or {}, gold),
        )
    return loaded


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def load_questions(path: str | PathLike[str], *, columns: Mapping[str, str] | None = None) -> Loaded:
    """Questions to select demonstrations for, from any file that `load_bank` reads or from plain text.

    Any other text holds one question a line, or one JSON object. Rows are not checked, and a repeated question
    stays; a row without a question is refused.

    Raises:
        InputError: unreadable or empty.
        ColumnsError: no row has a question.
    """
    loaded, tally, intake = Loaded(), Tally(), Intake(columns, asked=True)
    for raw, found in intake.read(read_raw(path) if holds_rows(path) else read_questions(path)):
        if isinstance(found, str):
            loaded.quarantined.append(Quarantined(found, raw.file, raw.line, shorten(raw.row)))
            tally.add(loaded.quarantined[-1])
        else:
            loaded.records.append(found)
            tally.accepted += 1
    tally.refuse_if_bad(str(path), ValidateParams(max_quarantined=1.0), intake)
    return loaded
