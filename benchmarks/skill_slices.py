"""Slices of the real data sets for skill alignment: all choices were made on development, and none on final.

They are cut by digests of ids, so that they are the same on every machine. TabMWP: folds of near-duplicate questions.
Spider: whole databases. GSM8K: by question. COGS: half of the queries have a pair of word and role that is not in the
bank; the others have a skeleton that at most 30 examples of the bank share.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.bank.dedup import Grouper
from skillshot.bank.load import load_bank
from skillshot.common.record import Record, normalise_question

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FILES = {"tabmwp": "tabmwp/dev1k", "cogs": "cogs/train", "gsm8k": "gsm8k/train", "spider": "spider/train"}
PARTS = ("development", "final")
COGS_DRAWN = 9000  # records of COGS train that take part
RARE = 30
FOLDS = {"development": (0, 3), "final": (1, 2, 4)}  # of TabMWP
STATISTIC = re.compile(r"\b(mean|median|mode|range)\b")
ROLE = re.compile(r"([A-Za-z]+) \. (agent|theme|recipient|nmod \. \w+|ccomp|xcomp) ")
NAMED = re.compile(r"[A-Za-z]+ \. (agent|theme|recipient) \( x _ \d+ , ([A-Z]\w+) \)")

Floats = npt.NDArray[np.float32]
Label = Callable[[Record], Any]


@dataclass(frozen=True)
class Slice:
    """Bank and queries; truth (q, n): label agreement, float32; allowed (q, n): not the query itself."""

    name: str
    bank: list[Record]
    queries: list[Record]
    truth: Floats
    allowed: npt.NDArray[np.bool_]


def draw(text: str) -> float:
    """A number in [0, 1) that depends only on the text."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) / 16**12


def slices(name: str, part: str, size: int | None = None, data: Path = DATA) -> list[Slice]:
    """The slices of a data set: one, or for TabMWP one per fold. size: at most this many bank rows (None: all)."""
    records = load_bank(data / f"{FILES[name]}.jsonl.gz").records
    if name == "tabmwp":
        groups = _folds(records)
        cuts = [
            ([r for r, f in zip(records, groups, strict=True) if f != fold],
             [r for r, f in zip(records, groups, strict=True) if f == fold])
            for fold in FOLDS[part]
        ]  # fmt: skip
        return [_slice(f"{name} {i}", bank[:size], queries, opening) for i, (bank, queries) in enumerate(cuts)]
    if name == "cogs":
        return [_slice(name, *_cogs(records, part, size), lambda record: record.metadata["skill_label"])]
    bank, queries = _spider(records, part) if name == "spider" else _gsm8k(records, part)
    bank = sorted(bank, key=lambda record: draw(f"{part} bank {record.id}"))[:size]
    queries = sorted(queries, key=lambda record: draw(f"{part} query {record.id}"))[: 300 if name == "spider" else 400]
    return [_slice(name, bank, queries, lambda record: record.metadata["op_sequence"])]


def opening(record: Record) -> str:
    """TabMWP's label: first three words of the solution, numbers masked, and the statistic it names."""
    text = record.rationale.lower()
    first = " ".join(re.sub(r"\d+(?:[.,]\d+)*", "0", word) for word in text.split()[:3])
    named = [word for word in ("mean", "median", "mode", "range") if word in STATISTIC.findall(text)]
    return f"{first}|{named[0] if named else ''}"


def _folds(records: Sequence[Record]) -> list[int]:
    """Fold of each record: near-duplicate groups, the largest first, each into the smallest fold."""
    grouper = Grouper(0.6)
    for record in records:
        grouper.add(record.question)
    labels = grouper.labels().tolist()
    sizes, load, fold = Counter(labels), [0] * 5, {}
    for group in sorted(sizes, key=lambda group: (-sizes[group], draw(f"fold{group}"))):
        fold[group] = load.index(min(load))
        load[fold[group]] += sizes[group]
    return [fold[label] for label in labels]


def _gsm8k(records: Sequence[Record], part: str) -> tuple[list[Record], list[Record]]:
    at = {record.id: draw(f"gsm8k-slice-{record.id}") for record in records}
    low, high = (0.0, 0.07) if part == "development" else (0.07, 0.16)
    return [r for r in records if at[r.id] >= 0.16], [r for r in records if low <= at[r.id] < high]


def _spider(records: Sequence[Record], part: str) -> tuple[list[Record], list[Record]]:
    bases = sorted({record.metadata["db_id"] for record in records}, key=lambda base: draw(f"spiderdb{base}"))
    held = {"development": set(bases[:21]), "final": set(bases[21:49])}
    out = held["development"] | held["final"]
    queries = [record for record in records if record.metadata["db_id"] in held[part]]
    return [record for record in records if record.metadata["db_id"] not in out], queries


def _cogs(records: Sequence[Record], part: str, size: int | None) -> tuple[list[Record], list[Record]]:
    records = sorted(records, key=lambda record: draw(f"cogs{record.id}"))[:COGS_DRAWN]
    pairs = {record.id: _roles(record) for record in records}
    every = sorted({pair for found in pairs.values() for pair in found})
    held = {pair for pair in every if draw(f"cogs-{'dev' if part == 'development' else 'fin'}{pair}") < 0.05}
    records = sorted(records, key=lambda record: draw(f"{part} {record.id}"))
    new = [record for record in records if pairs[record.id] & held]
    rest = [record for record in records if not pairs[record.id] & held]
    at = len(rest) * 9 // 10 if size is None else size
    bank, left = rest[:at], rest[at:]
    known = Counter(record.metadata["skill_label"] for record in bank)
    rare = [record for record in left if 1 <= known[record.metadata["skill_label"]] <= RARE]
    return bank, new[:200] + rare[:200]


def _roles(record: Record) -> set[tuple[str, ...]]:
    form = record.metadata["logical_form"]
    return {(verb, role) for verb, role in ROLE.findall(form)} | {(name, role) for role, name in NAMED.findall(form)}


def _slice(name: str, bank: list[Record], queries: list[Record], label: Label) -> Slice:
    have, asked = [label(record) for record in bank], [label(record) for record in queries]
    truth = np.array([[agreement(a, b) for b in have] for a in asked], np.float32)
    keys = [np.array([normalise_question(record.question) for record in side]) for side in (queries, bank)]
    return Slice(name, bank, queries, truth, keys[0][:, None] != keys[1][None])


def agreement(one: Any, other: Any) -> float:
    """1 for equal labels; for lists the Jaccard index of the multisets."""
    if not isinstance(one, list):
        return float(one == other)
    shared = 0
    left = list(other)
    for item in one:
        if item in left:
            left.remove(item)
            shared += 1
    return shared / max(1, len(one) + len(other) - shared)
