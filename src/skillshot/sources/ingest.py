"""Ingest a source into `bank.jsonl`, `queries.jsonl` and `quarantine.jsonl`, row by row in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from skillshot.bank.columns import suggest
from skillshot.bank.dedup import Grouper
from skillshot.bank.intake import GOLD, Intake, Placed, Quarantined, Tally
from skillshot.bank.rows import Raw
from skillshot.bank.split import group_stats, hold_out, spanning
from skillshot.bank.unexplained import Unexplained
from skillshot.common.errors import ColumnsError, SkillshotError
from skillshot.common.io import replaced_folder
from skillshot.common.params import Params
from skillshot.common.progress import tracked
from skillshot.common.record import ORIGIN
from skillshot.sources import open_source


def ingest(params: Params, out: Path) -> dict[str, Any]:
    """Read, normalise and split the source that `params.ingest` names, and replace the folder `out` atomically.

    Returns:
        the stage's report: rows read, accepted and quarantined by reason, groups, bank and queries.

    Raises:
        InputError: the source is unreadable, has no usable rows, or gives one id to different rows.
    """
    settings = params.ingest
    source = open_source(settings, params.seed)
    grouper = Grouper(settings.near_duplicates)
    with replaced_folder(out) as work, open(work / "quarantine.jsonl", "w", encoding="utf-8", newline="\n") as refused:
        read = _Reader(params, work / "all.jsonl", refused, grouper)
        report: dict[str, Any] = {"source": settings.source, "read": read(source.name, source.bank, settings.limit)}
        if source.queries is None:
            held, groups = hold_out(grouper, settings.holdout, params.seed)
        else:
            bank_size = len(grouper)
            report["read_queries"] = read(f"queries of {source.name}", source.queries, None, queries=True)
            held = np.arange(len(grouper)) >= bank_size
            labels = grouper.labels()
            groups = {**group_stats(grouper, labels), "bank": bank_size, "queries": int(held.sum())}
            report["shared"] = _shared(grouper, labels, held)
        _separate(work / "all.jsonl", held, work)
        report["groups"] = groups
        if groups["bank"] + groups["queries"] != len(grouper):
            raise SkillshotError(f"ingest lost rows: {groups['bank']} + {groups['queries']} of {len(grouper)}")
    return report


def summary(report: dict[str, Any]) -> str:
    """The report as two or three lines for the terminal."""
    lines = []
    for part in ("read", "read_queries"):
        if counts := report.get(part):
            reasons = ", ".join(f"{reason}: {count}" for reason, count in counts["reasons"].items())
            quarantined = f"{counts['quarantined']} quarantined{f' ({reasons})' if reasons else ''}"
            lines.append(f"{part}: {counts['rows']} rows, {counts['accepted']} accepted, {quarantined}")
    groups = report["groups"]
    lines.append(
        f"bank {groups['bank']}, queries {groups['queries']}; {groups['groups']} near-duplicate groups, "
        f"the largest has {groups['largest_group']} rows"
    )
    return "\n".join(lines)


class _Reader:
    """Writes accepted rows and quarantine entries as they are read, and checks that no row is lost."""

    def __init__(self, params: Params, accepted: Path, refused: IO[str], grouper: Grouper) -> None:
        self.params, self.accepted, self.refused, self.grouper = params, accepted, refused, grouper

    def __call__(self, name: str, raws: Iterator[Raw], limit: int | None, *, queries: bool = False) -> dict[str, Any]:
        columns = self.params.ingest.columns
        intake, tally = Intake(columns, self.params.validate, () if queries else GOLD), Tally()
        rows, answered, unexplained = 0, 0, Unexplained()

        def counted() -> Iterator[Raw]:
            nonlocal rows
            for raw in islice(raws, limit):
                rows += 1
                yield raw

        with open(self.accepted, "a", encoding="utf-8", newline="\n") as out:
            for item in tracked(intake.take(counted()), f"ingest {Path(name).name}", "row"):
                tally.add(item)
                if isinstance(item, Quarantined):
                    self.refused.write(json.dumps(item.to_dict(), ensure_ascii=True) + "\n")
                else:
                    answered += bool(item.record.answer)
                    unexplained.add(item.record)
                    self.grouper.add(item.record.question, item.record.group)
                    out.write(_line(item))
        tally.refuse_if_bad(name, self.params.validate, intake)
        if not queries and not answered:
            names = intake.file_columns
            raise ColumnsError(
                f"{name}: no row has an answer; the file has the columns {', '.join(names)[:200]}",
                suggest("answer", names, columns, GOLD),
            )
        if not queries:
            unexplained.log(name, intake.file_columns, columns)
        if rows != tally.accepted + tally.refused:
            raise SkillshotError(f"ingest lost rows of {name}: {rows} in, {tally.accepted} + {tally.refused} out")
        return {
            "rows": rows,
            "accepted": tally.accepted,
            "quarantined": tally.refused,
            "reasons": dict(sorted(tally.reasons.items())),
            "recoded_lines": intake.recoded,
        }


def _line(item: Placed) -> str:
    row = {**item.record.to_dict(), ORIGIN: f"{item.file}:{item.line}"}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _separate(everything: Path, held: Any, folder: Path) -> None:
    with (
        open(everything, encoding="utf-8") as rows,
        open(folder / "bank.jsonl", "w", encoding="utf-8", newline="\n") as bank,
        open(folder / "queries.jsonl", "w", encoding="utf-8", newline="\n") as queries,
    ):
        for line, query in zip(rows, held, strict=True):
            (queries if query else bank).write(line)
    everything.unlink()


def _shared(grouper: Grouper, labels: Any, held: Any) -> dict[str, int]:
    """Overlap of given queries and a given bank: reported, not removed (selection leaves out identical questions)."""
    digests = grouper.digests()
    both = spanning(labels, held)
    return {
        "queries_identical_to_bank": int(np.isin(digests[held], digests[~held]).sum()),
        "queries_grouped_with_bank": int(np.isin(labels[held], both).sum()),
    }
