"""Files of an evaluation: the report, the rows as CSV, the plots."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skillshot.common.io import atomic_write, write_json
from skillshot.common.record import Record
from skillshot.common.sinks import csv_cell
from skillshot.evaluation.plots import plot
from skillshot.evaluation.results import Evaluation

COLUMNS = (
    "query", "selector", "answer_type", "correct", "recomputed", "valid", "nll", "prompt_tokens", "completion_tokens",
    "calls", "answer", "found", "demonstrations",
)  # fmt: skip


def write(
    evaluation: Evaluation,
    folder: Path,
    plots: bool = True,
    extra: Mapping[str, Any] | None = None,
    timing: bool = True,
    texts: Mapping[str, Record] | None = None,
) -> None:
    """evaluate.json, evaluate_rows.csv and plots/evaluate.{png,html} in `folder`; only "timing" is not stable.

    Args:
        extra: more keys of the report; timing: keep the one key that differs from run to run;
        texts: queries and demonstrations by id (see `shown`): the page then shows them.
    """
    report = evaluation.to_dict() if timing else evaluation.summary
    write_json(folder / "evaluate.json", report | dict(extra or {}))
    write_rows(evaluation.rows, folder / "evaluate_rows.csv")
    if plots:
        plot(evaluation, folder / "plots", texts)


def shown(queries: Sequence[Record], choices: Mapping[str, Sequence[Sequence[Record]]]) -> dict[str, Record]:
    """Queries and all their demonstrations by id."""
    chosen = (record for rows in choices.values() for demonstrations in rows for record in demonstrations)
    return {record.id: record for record in (*chosen, *queries)}


def write_rows(rows: Sequence[object], path: Path, columns: Sequence[str] = COLUMNS) -> None:
    """One line per row; a text that a spreadsheet would run as a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(getattr(row, column)) for column in columns])
    with atomic_write(path) as handle:
        handle.write(text.getvalue())


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, tuple):
        value = " ".join(value)
    return "" if value is None else csv_cell(value)
