"""Files of an annotation: the new bank, the rows that could not be read, the page to review the rationales."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skillshot.annotate.run import Annotated, Annotation, kind
from skillshot.bank.intake import Quarantined
from skillshot.common.errors import InputError
from skillshot.common.io import atomic_write, write_jsonl
from skillshot.common.sinks import terminal
from skillshot.common.templates import render

SUFFIXES = (".jsonl", ".ndjson")
SHOWN = 500  # rows on the page with a rationale, and as many without one
CHARS = 2000  # of a text on the page


def review_of(out: Path) -> Path:
    """The page that belongs to a new bank."""
    return out.with_name(out.name + ".review.html")


def quarantine_of(out: Path) -> Path:
    """The file of the rows that could not be read."""
    return out.with_name(out.name + ".quarantine.jsonl")


def check_out(out: Path, inputs: Sequence[Path]) -> None:
    """Refuse what would be in the way at the end, before anything is paid for.

    Args:
        inputs: files and folders that must stay as they are.

    Raises:
        InputError: `out` is no name of a JSON lines file, cannot be written, or is one of the inputs or inside one.
    """
    if not out.name.lower().endswith(SUFFIXES):
        raise InputError(f"--out {out}: the new bank is JSON lines; end its name with {SUFFIXES[0]}")
    if out.is_dir():
        raise InputError(f"--out {out}: a folder; give the name of a file")
    for path in (out, review_of(out), quarantine_of(out)):
        for given in inputs:
            one, other = os.path.realpath(path), os.path.realpath(given)
            same = one == other or (path.exists() and given.exists() and path.samefile(given))
            if same or (given.is_dir() and Path(other) in Path(one).parents):
                raise InputError(f"--out {out}: would write over {given}, which is read; give another name")
    folder = out.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"--out {out}: {folder} cannot be written; give another place")


def write_annotation(
    annotation: Annotation, out: Path, model: str, llm: str, quarantined: Sequence[Quarantined] = ()
) -> None:
    """Write the new bank and its page, each atomically.

    Args:
        model: the model's name in each row; llm: the same with its place, for the page.
    """
    write_jsonl(out, (row.to_dict(model) for row in annotation.rows))
    if quarantined:
        write_jsonl(quarantine_of(out), (row.to_dict() for row in quarantined))
    else:
        quarantine_of(out).unlink(missing_ok=True)  # of an earlier run
    with atomic_write(review_of(out)) as handle:
        handle.write(page(annotation, out.name, llm))


def page(annotation: Annotation, name: str, llm: str) -> str:
    """The HTML page: rows with a new rationale, then those that were asked for and have none."""
    report = annotation.to_dict()
    kept = [row for row in annotation.rows if row.rationale]
    missed = [row for row in annotation.rows if not row.rationale and row.rejected]
    return render(
        "skillshot.annotate",
        "review.html.j2",
        bank=terminal(name),
        llm=terminal(llm),
        report=report | {"stopped": terminal(report["stopped"] or "")},
        kept=[_shown(row) for row in kept[:SHOWN]],
        missed=[_shown(row) for row in missed[:SHOWN]],
        kept_count=len(kept),
        missed_count=len(missed),
    )


def _shown(row: Annotated) -> dict[str, Any]:
    record = row.record
    options = [f"({chr(65 + i)}) {option}" for i, option in enumerate(record.options)]
    return {
        "id": _cut(record.id, 80),
        "question": _cut("\n".join([part for part in (record.context, record.question, *options) if part])),
        "answer": _cut(record.answer),
        "rationale": _cut(row.rationale),
        "sample": row.sample,
        "answer_shown": bool(row.prompt and row.prompt.shown),
        "rejected": [(sample, kind(reason), _cut(reason), _cut(text)) for sample, reason, text in row.rejected],
    }


def _cut(text: str, size: int = CHARS) -> str:
    """A text as the page shows it: what would steer or reorder it is written as an escape."""
    return terminal(text if len(text) <= size else text[:size] + " ...")
