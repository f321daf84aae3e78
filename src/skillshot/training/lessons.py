"""What a bank gives a fit of either kind: the rows to learn from, and the facts of the bundle afterwards.

Another bank may teach along with it (`skillshot adapt`): its rows come first, are learned from, and are no
demonstrations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skillshot.common.arrays import Doubles, Floats, Rows
from skillshot.common.errors import InputError
from skillshot.common.record import Record
from skillshot.common.structure import structure_of
from skillshot.features.lexical import LexicalView
from skillshot.features.prior import Prior, prior_named
from skillshot.features.rationale import RationaleView
from skillshot.model.arrays import Widths
from skillshot.training.crossfit import Crossfit
from skillshot.training.prior import prior_of
from skillshot.training.suspects import Suspect, contradictions, suspects
from skillshot.training.suspicion import BET
from skillshot.training.verdict import judge


@dataclass(frozen=True)
class Lessons:
    """The texts of n records, and which rows are learned from.

    source: where the structure of the demonstrations comes from. rows (m,): neither marked as incorrect nor
    contradicting themselves. known: the rows that contradict themselves. prior: what to expect of a question, where the
    demonstrations show no reasoning. teachers: how many records, the first, are another bank's.
    """

    bank: Sequence[Record]
    questions: list[str]
    rationales: list[str]
    source: str
    rows: Rows
    known: dict[int, Suspect]
    prior: Prior | None
    teachers: int = 0

    @classmethod
    def of(cls, bank: Sequence[Record], prior: str, seed: int = 0, teachers: int = 0) -> Lessons:
        """Of a bank; what is left out stays in it, but nothing is learned from it.

        Args:
            prior: none, packaged or a folder; read only where neither rationales nor answers show the reasoning.
                What the teachers' rationales let one expect of a question is a prior too, side by side with it.
            seed: of what is learned from the teachers' rationales.

        Raises:
            InputError: every row is marked as incorrect, or there is no such prior.
        """
        correct = np.array([record.correct for record in bank])
        if not correct.any():
            raise InputError("every example is marked as incorrect (correct: false); nothing can be learned from them")
        structure, known = structure_of(bank[teachers:]), contradictions(bank)
        questions, taught = [record.text for record in bank], structure_of(bank[:teachers]).texts
        doubtful = np.zeros(len(bank), bool)
        doubtful[[i for i, suspect in known.items() if suspect.score >= BET]] = True
        rows = np.flatnonzero(correct & ~doubtful)
        rows = rows if len(rows) else np.flatnonzero(correct)
        taken = prior_named(prior) if structure.source == "question" else None
        if structure.source == "question" and teachers:
            learned = prior_of(questions[:teachers], taught, seed)
            taken, taught = learned if taken is None else taken.joined(learned), questions[:teachers]
        texts = [*taught, *structure.texts]
        return cls(bank, questions, texts, structure.source, rows, known, taken, teachers)

    @property
    def texts(self) -> tuple[list[str], list[str]]:
        """Questions and rationales that are learned from."""
        return [self.questions[i] for i in self.rows], [self.rationales[i] for i in self.rows]

    def wrong(self, learned: Doubles) -> Doubles:
        """Probability (n,) that each row is wrong, from that of the rows that were learned from (m,)."""
        wrong = np.zeros(len(self.bank))
        wrong[list(self.known)] = [suspect.score for suspect in self.known.values()]
        wrong[self.rows] = learned
        return wrong

    @property
    def first(self) -> int:
        """How many of the rows that are learned from are the teachers'."""
        return int((self.rows < self.teachers).sum())

    def doubted(self, wrong: Doubles) -> Doubles:
        """What each demonstration's score loses: all of it where the row is marked as incorrect, else `wrong` (n,)."""
        return np.where([record.correct for record in self.bank], wrong, 1.0)[self.teachers :]

    def lexical(
        self, views: tuple[LexicalView, RationaleView], rows: tuple[Floats, Floats], learned: Doubles
    ) -> tuple[Floats, Floats]:
        """Features of the demonstrations by both views; `rows`: of those learned from, by `learned` as in `wrong`."""
        kept = self.rows[learned < BET]
        left = np.setdiff1d(np.arange(len(self.bank)), kept)
        questions, rationales = ([texts[i] for i in left] for texts in (self.questions, self.rationales))
        new = views[0].transform(questions), views[1].transform(rationales)
        order = np.argsort(np.append(kept, left))[self.teachers :]
        return np.vstack([rows[0], new[0]])[order], np.vstack([rows[1], new[1]])[order]

    def facts(self, found: Crossfit, widths: Widths, wrong: Doubles, seed: int) -> dict[str, Any]:
        """Score and verdict as the manifest holds them, and the demonstrations held for wrong, worst first."""
        own = {i - self.teachers: suspect for i, suspect in self.known.items() if i >= self.teachers}
        verdict = judge(
            found.main.quality, found.question, found.bm25,
            source=self.source, mode=found.mode, trust=found.trust, seed=seed,
            prior=("four fifths" if self.teachers else "half") if self.prior and found.trust > 0 else None,
        )  # fmt: skip
        return {
            "score": {
                "widths": [widths.structure, widths.latent, widths.sentence, widths.words],
                **{mode: judged.to_dict() for mode, judged in found.modes.items()},
            },
            "verdict": verdict.to_dict(),
            "suspicious": [
                suspect.to_dict() for suspect in suspects(self.bank[self.teachers :], own, wrong[self.teachers :])
            ],
        }
