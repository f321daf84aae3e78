"""Halves of the data sets for docs/results/steps.md, and its measures; choices were made on development, none on final.

A half is cut by digests of what makes questions belong together: the database for Spider, the first 40 letters of the
question for TabMWP, the whole question otherwise. A draw has a bank and queries of other groups, whose label the bank
has. storyskills is generated anew for each draw and part.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from skill_slices import DATA, FILES, PARTS, draw, opening

from skillshot.bank.load import load_bank
from skillshot.bank.split import split
from skillshot.common.record import Record
from skillshot.evaluation.alignment import multiset_jaccard
from skillshot.sources.storyskills import generate

ROWS = {"gsm8k": 1500, "spider": 1500, "cogs": 1000, "tabmwp": 300, "storyskills": 300}  # of a bank
SHOTS = 4
DIGEST = 16**12  # of `draw`
GROUPS: dict[str, Callable[[Record], str]] = {
    "spider": lambda record: record.metadata["db_id"],
    "tabmwp": lambda record: record.question[:40],
}
LABELS: dict[str, Callable[[Record], Any]] = {
    "gsm8k": lambda record: tuple(record.metadata["op_sequence"]),
    "spider": lambda record: tuple(record.metadata["op_sequence"]),
    "cogs": lambda record: record.metadata["skill_label"],
    "tabmwp": opening,
    "storyskills": lambda record: record.metadata["skill"],
}


def half(name: str, part: str, seed: int, queries: int, data: Path = DATA) -> tuple[list[Record], list[Record]]:
    """Bank and at most so many queries of one draw."""
    if name == "storyskills":
        rows = generate(4000, 100 + seed + 50 * (part == "development"))
        bank, asked, _ = split(rows, 0.15, seed, 0.9)
        return bank[: ROWS[name]], asked[:queries]
    label, group = LABELS[name], GROUPS.get(name, lambda record: record.question)
    records = [r for r in load_bank(data / f"{FILES[name]}.jsonl.gz").records if r.rationale and label(r)]
    records = [r for r in records if int(draw(f"issue18{group(r)}") * DIGEST) % 2 == PARTS.index(part)]
    records.sort(key=lambda record: draw(f"s{seed}{record.id}"))
    groups = sorted({group(record) for record in records}, key=lambda text: draw(f"q{seed}{text}"))
    held = set(groups[: max(1, len(groups) // 4)])
    bank = [record for record in records if group(record) not in held][: ROWS[name]]
    known = {label(record) for record in bank}
    return bank, [record for record in records if group(record) in held and label(record) in known][:queries]


def blind(records: list[Record]) -> list[Record]:
    """The records without metadata, where the labels are."""
    return [dataclasses.replace(record, metadata={}) for record in records]


def union_f1(wanted: Sequence[str], lists: Sequence[Sequence[str]]) -> float:
    """F1 of the union of multisets against another."""
    union = Counter[str]()
    for items in lists:
        union |= Counter(items)
    return 2 * (union & Counter(wanted)).total() / max(1, union.total() + len(wanted))


def best(wanted: Any, lists: Sequence[Any]) -> list[int]:
    """Positions that a choice that knows the label would take: greedy on F1, or the equal ones first."""
    if not isinstance(wanted, tuple):
        return sorted(range(len(lists)), key=lambda i: lists[i] != wanted)[:SHOTS]
    chosen: list[int] = []
    while len(chosen) < min(SHOTS, len(lists)):
        free = [i for i in range(len(lists)) if i not in chosen]
        chosen.append(max(free, key=lambda i: union_f1(wanted, [lists[j] for j in [*chosen, i]])))
    return chosen


def measured(wanted: Any, given: Sequence[Any]) -> tuple[float, float]:
    """F1 of the union and mean Jaccard of lists; hit and any of other labels."""
    if isinstance(wanted, tuple):
        return union_f1(wanted, given), sum(multiset_jaccard(wanted, items) for items in given) / len(given)
    return sum(label == wanted for label in given) / len(given), float(wanted in given)
