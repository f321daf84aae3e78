"""Held-out slices of the real data sets in ../shared/data, cut in a reproducible way.

Whole groups are on one side: near-duplicate questions (Jaccard of masked word 3-grams), and for Spider whole databases.
COGS and AQuA-RAT have a separate file of queries. A smaller sample of queries is contained in a larger one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skillshot.bank.load import load_bank
from skillshot.bank.split import split
from skillshot.common.errors import InputError
from skillshot.common.record import Record
from skillshot.sources.storyskills import generate

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SEED = 7


@dataclass(frozen=True)
class Spec:
    """How a data set is cut. near: Jaccard from which two questions form a group. slices: fields of the report."""

    bank_file: str  # below the folder of the sets; "storyskills": the embedded source, split as the pipeline does
    query_file: str | None = None  # None: queries are held out of the bank's file
    bank: int = 2000  # at most
    holdout: float = 0.2  # share of the file that is held out
    near: float = 0.9
    shots: int = 4
    answers: bool = False  # also let the LLM write answers, where a model of 135M parameters can be right
    max_tokens: int = 80
    label: str | None = None  # field for skill alignment next to the LLM figures
    slices: tuple[str, ...] = ()


SETS = {
    "cogs": Spec(
        "cogs/train.jsonl.gz", "cogs/dev.jsonl.gz", shots=6, answers=True, max_tokens=160, label="skill_label",
        slices=("steps",),
    ),
    "tabmwp": Spec("tabmwp/dev1k.jsonl.gz", holdout=0.31, near=0.6, slices=("answer_type", "grade")),
    "spider": Spec("spider/train.jsonl.gz", label="op_sequence", slices=("steps",)),
    "gsm8k": Spec("gsm8k/train.jsonl.gz", label="op_sequence", slices=("n_steps",)),
    "storyskills": Spec("storyskills", holdout=0.15, label="skill", slices=("steps", "language")),
    "aqua_rat": Spec("aqua_rat/train_flan.jsonl.gz", "aqua_rat/dev.jsonl.gz"),
    "strategyqa": Spec("strategyqa/train.jsonl.gz"),
}  # fmt: skip


def cut(name: str, data: Path = DATA, seed: int = SEED) -> tuple[list[Record], list[Record]]:
    """Bank and queries of a set. Queries stand in random order: the first n are the sample of n.

    Raises:
        InputError: no such set, or its files are not there.
    """
    if name not in SETS:
        raise InputError(f"set {name!r}: choose from {', '.join(SETS)}")
    spec = SETS[name]
    if spec.bank_file == "storyskills":
        bank = generate(2000, seed)
    elif (data / spec.bank_file).exists():
        bank = load_bank(data / spec.bank_file).records
    else:
        raise InputError(f"{data / spec.bank_file}: not there; give the folder of the sets by --data")
    if spec.query_file is None:
        bank, queries, _ = split(bank, spec.holdout, seed, spec.near)
    else:
        queries = [query for query in load_bank(data / spec.query_file).records if query.rationale]
    rng = random.Random(seed)
    return _drawn(bank, spec.bank, rng), rng.sample(queries, len(queries))


def _drawn(records: Sequence[Record], most: int, rng: random.Random) -> list[Record]:
    rows = sorted(rng.sample(range(len(records)), min(most, len(records))))
    return [records[row] for row in rows]
