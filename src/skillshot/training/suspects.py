"""The rows of a bank that are held for wrong, each with its reason, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from skillshot.common.arrays import Doubles, Floats
from skillshot.common.parts import mapped
from skillshot.common.recompute import recomputes
from skillshot.common.record import Record
from skillshot.common.stated import contradicts, stated_answer
from skillshot.common.text import shown
from skillshot.training.suspicion import BET, MOST

# probabilities where a row contradicts itself: what it states, or computes, is read by rules that have few false alarms
STATES, COMPUTES = 0.95, 0.7
_QUOTED = 60  # characters of a text in a reason
PART = 20_000  # rows that are read at once
UNFIT = "its rationale fits its question no better than that of a random row"


@dataclass(frozen=True)
class Suspect:
    """A row that is held for wrong: its id, the probability that it is (at least `BET`), and why."""

    id: str
    score: float
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """One line of `<out>.suspicious.jsonl`."""
        return asdict(self)


def contradictions(bank: Sequence[Record]) -> dict[int, Suspect]:
    """Rows whose rationale states another answer than theirs, or an equation that is wrong.

    None where they are more than a share `MOST` of the bank: then its answers are not what its rationales state.
    """
    parts = [slice(start, start + PART) for start in range(0, len(bank), PART)]
    done = mapped(_contradictions, (list(bank[part]) for part in parts), "look for contradictions", len(parts))
    found = {part.start + i: suspect for part, some in zip(parts, done, strict=True) for i, suspect in some.items()}
    return found if len(found) <= MOST * len(bank) else {}


def _contradictions(bank: Sequence[Record]) -> dict[int, Suspect]:
    return {i: suspect for i, record in enumerate(bank) if (suspect := _contradiction(record))}


def _contradiction(record: Record) -> Suspect | None:
    if contradicts(record):
        stated, answer = shown(stated_answer(record.rationale), _QUOTED), shown(record.answer, _QUOTED)
        return Suspect(record.id, STATES, f"its rationale states the answer {stated}, not {answer}")
    for equation, claimed, value in recomputes(record.rationale):
        return Suspect(record.id, COMPUTES, f"{shown(equation, _QUOTED)} is {value}, not {claimed[:_QUOTED]}")
    return None


def suspects(bank: Sequence[Record], known: dict[int, Suspect], wrong: Doubles) -> list[Suspect]:
    """The known ones and the rows whose probability `wrong` (n,) is at least `BET`; worst first, then in order."""
    found = dict(known)
    for i in np.flatnonzero(wrong >= BET).tolist():
        if i not in found:
            found[i] = Suspect(bank[i].id, round(float(wrong[i]), 4), UNFIT)
    return [found[i] for i in sorted(found, key=lambda i: (-found[i].score, i))]


def demote(rows: Floats, wrong: Doubles) -> None:
    """Let the bank rows (n, z) held for wrong score less, in place: scaled by what is left, and filled to length 1."""
    low = np.flatnonzero(wrong >= BET)
    blocks = rows[low, :-1] * (1 - wrong[low])[:, None].astype(np.float32)
    rows[low, :-1] = blocks
    rows[low, -1] = np.sqrt(np.maximum(0, 1 - np.square(blocks).sum(1)))
