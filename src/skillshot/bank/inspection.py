"""What a bank file is understood as, before anything is learned from it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from os import PathLike
from typing import Any

from skillshot.bank.checks import CHECKS
from skillshot.bank.columns import suggest
from skillshot.bank.examples import raw_rows
from skillshot.bank.intake import GOLD, Intake, Quarantined, Tally
from skillshot.bank.reached import judged
from skillshot.bank.readers import describe
from skillshot.common.errors import ColumnsError
from skillshot.common.params import IngestParams, ValidateParams
from skillshot.common.record import Record
from skillshot.common.structure import structure_of

EXAMPLES = 3
_FIELDS = ("question", "context", "options", "rationale", "answer")
_LETTERS = 2_000_000  # that are counted for the scripts
_HEAD = 20_000  # characters of a record that are counted


def inspect(
    path: str | PathLike[str], columns: Mapping[str, str] | None = None, validate: ValidateParams | None = None
) -> dict[str, Any]:
    """Form, columns, counts of rows, language, duplicates and source of structure of a bank; nothing is refused.

    Args:
        columns: field -> the file's column. validate: limits of the row checks.

    Returns:
        file: how the rows are held: "JSON lines", "csv, delimiter ';'". form: name of the published form of most rows,
        `own` for our field names, `guessed` where columns were guessed. columns: field -> where it comes from.
        rows = accepted + quarantined. reasons: reason -> count. first: reason -> its first row. language, duplicates,
        structure, examples, notes, and `columns_to_try`: a map where rows lack a field, else the map that confirms the
        reading (empty where there is nothing to confirm).

    Raises:
        InputError: the file cannot be read.
    """
    limits = validate or ValidateParams()
    given = dict(columns or {})
    try:
        intake, tally, records = _read(path, given, limits)
        notes = list(intake.notes)
    except ColumnsError as error:  # ids that repeat
        intake, tally, records = _read(path, given | {"id": ""}, limits)
        notes = [error.problem.splitlines()[0], *intake.notes]
    rows = tally.accepted + tally.refused
    if tally.accepted and tally.refused > limits.max_quarantined * rows:
        notes.append(f"fit refuses a bank of which more than {limits.max_quarantined:.0%} are bad rows")
    return {
        "file": describe(path),
        "form": _form(intake),
        "columns": {field: intake.sources[field] for field in sorted(intake.sources, key=_order)},
        "rows": rows,
        "accepted": tally.accepted,
        "quarantined": tally.refused,
        "reasons": dict(tally.reasons.most_common()),
        "first": {reason: f"{row.place}: {row.reason[:200]}" for reason, row in tally.first.items()},
        "language": scripts(records),
        "duplicates": duplicates(records),
        "structure": structure_of(records).source if records else None,
        "examples": [record.to_dict() for record in records[:EXAMPLES]],
        "notes": notes,
        "file_columns": list(intake.file_columns),
        "columns_to_try": _to_try(intake, tally),
    }


def _read(
    path: str | PathLike[str], columns: Mapping[str, str], limits: ValidateParams
) -> tuple[Intake, Tally, list[Record]]:
    intake, tally = Intake(columns, limits, GOLD), Tally()
    records: list[Record] = []
    for checked in judged(intake.take(raw_rows(path)), limits, CHECKS, str(path)):
        tally.add(checked)
        if not isinstance(checked, Quarantined):
            records.append(checked.record)
    return intake, tally, records


def _order(field: str) -> tuple[int, str]:
    return (_FIELDS.index(field) if field in _FIELDS else len(_FIELDS), field)


def scripts(records: Sequence[Record]) -> dict[str, float]:
    """Share of the letters of questions, rationales and answers in each script, most frequent first; 0.01 and more.

    A script is the first word of a letter's name in Unicode: "Latin", "Hangul", "CJK".
    """
    counts: Counter[str] = Counter()
    for record in records:
        text = "\n".join((record.text, record.rationale, record.answer))[:_HEAD]
        for letter, count in Counter(text).items():
            if letter.isalpha():
                counts[_script(letter)] += count
        if counts.total() > _LETTERS:
            break
    total = counts.total()
    return {name: round(count / total, 3) for name, count in counts.most_common() if count >= 0.01 * total}


def duplicates(records: Sequence[Record]) -> dict[str, int]:
    """How many questions occurred before: `exact` in the same normal form, `near` only with other names or numbers."""
    import numpy as np

    from skillshot.bank.dedup import Grouper

    if not records:
        return {"exact": 0, "near": 0}
    grouper = Grouper(IngestParams().near_duplicates)
    for record in records:
        grouper.add(record.text)
    different = len(np.unique(grouper.digests()))
    groups = int(grouper.labels().max()) + 1
    return {"exact": len(records) - different, "near": different - groups}


@lru_cache(maxsize=8192)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "other").split(" ")[0].split("-")[0]
    return name if name == "CJK" else name.capitalize()


def _form(intake: Intake) -> str:
    form = intake.forms.most_common(1)[0][0] if intake.forms else ""
    reading = intake.guess.reading
    return form or ("guessed" if reading.columns or reading.both else "own" if intake.forms else "")


def _to_try(intake: Intake, tally: Tally) -> dict[str, str]:
    if tally.accepted:
        reading = intake.guess.reading
        index = (
            {f"answer_from_{reading.base}": intake.sources.get("answer", "answer")} if reading.base is not None else {}
        )
        kept = {field: column for field, column in intake.columns.items() if field != "answer" or not index}
        return {**kept, **reading.columns, **index} if reading.columns or index else dict(intake.columns)
    if intake.guess.unsettled:
        return {**intake.columns, "answer_from_0": intake.guess.unsettled}
    lacks = {"no question": "question", "empty_answer": "answer"}
    missing = next((lacks[reason] for reason, _ in tally.reasons.most_common(1) if reason in lacks), "")
    return suggest(missing, intake.file_columns, intake.columns, intake.needs) if missing else dict(intake.columns)
