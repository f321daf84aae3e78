"""What a bank gives a fit of either kind: the rows to learn from, and the facts of the bundle afterwards.

Another bank may teach along with it (`skillshot adapt`): its rows come first, are learned from, and are no
demonstrations.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from skillshot.common.arrays import Doubles, Floats, Mask, Rows
from skillshot.common.errors import InputError
from skillshot.common.parts import mapped
from skillshot.common.record import Record
from skillshot.common.structure import structure_of
from skillshot.features.lexical import LexicalView
from skillshot.features.prior import Prior, prior_named
from skillshot.features.rationale import RationaleView
from skillshot.model.arrays import Widths
from skillshot.training.crossfit import Crossfit
from skillshot.training.prior import prior_of
from skillshot.training.suspects import Suspect, contradictions, demote, suspects
from skillshot.training.suspicion import BET, wrong_rows
from skillshot.training.verdict import judge

logger = logging.getLogger("skillshot")

PART = 20_000  # rows that are encoded at once
# sentence embeddings (none in a fit without an encoder) and features by both views of some rows: their rows in the
# bank, and the structure that is predicted for them
Encode: TypeAlias = Callable[[Floats | None, Floats, Floats], tuple[Floats, Floats]]


class Part(NamedTuple):
    """Some rows of a bank, n, as a process needs them to encode and judge them.

    known (n,): rows whose features by both views were computed already. texts: questions and rationales of the others.
    judged (n,): rows that are judged. embedded: sentence embeddings (n, d), where there is an encoder.
    """

    known: Mask
    features: tuple[Floats, Floats]
    texts: tuple[list[str], list[str]]
    judged: Mask
    embedded: Floats | None


@dataclass(frozen=True)
class Lessons:
    """The texts of n records, and which rows are learned from.

    source: where the structure of the demonstrations comes from. rows (m,): neither marked as incorrect nor
    contradicting themselves; a random sample of them (`sampled`) where there are more than are learned from.
    known: the rows that contradict themselves. prior: what to expect of a question, where the demonstrations show no
    reasoning. teachers: how many records, the first, are another bank's.
    """

    bank: Sequence[Record]
    questions: list[str]
    rationales: list[str]
    source: str
    rows: Rows
    sampled: bool
    known: dict[int, Suspect]
    prior: Prior | None
    teachers: int = 0

    @classmethod
    def of(cls, bank: Sequence[Record], prior: str, most: int, seed: int, teachers: int = 0) -> Lessons:
        """Of a bank; what is left out stays in it, but nothing is learned from it.

        Args:
            most: rows that are learned from, demonstrations first.
            prior: none, packaged or a folder; read only where neither rationales nor answers show the reasoning.
                What the teachers' rationales let one expect of a question is a prior too, side by side with it.
            seed: of the sample of a larger bank, and of what is learned from the teachers' rationales.

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
        sampled = len(rows) > most
        if sampled:
            logger.info("train: learning from %s of %s rows", f"{most:,}", f"{len(rows):,}")
            own = _drawn(rows[rows >= teachers], most, seed)
            rows = np.append(_drawn(rows[rows < teachers], most - len(own), seed), own)
        taken = prior_named(prior) if structure.source == "question" else None
        if structure.source == "question" and teachers:
            learned = prior_of(questions[:teachers], taught, seed)
            taken, taught = learned if taken is None else taken.joined(learned), questions[:teachers]
        texts = [*taught, *structure.texts]
        return cls(bank, questions, texts, structure.source, rows, sampled, known, taken, teachers)

    @property
    def texts(self) -> tuple[list[str], list[str]]:
        """Questions and rationales that are learned from."""
        return [self.questions[i] for i in self.rows], [self.rationales[i] for i in self.rows]

    @property
    def diagnostics(self) -> dict[str, float]:
        """How many rows were learned from, where not all were."""
        return {"learned_rows": float(len(self.rows))} if self.sampled else {}

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

    def encode(
        self,
        views: tuple[LexicalView, RationaleView],
        rows: tuple[Floats, Floats],
        learned: Doubles,
        encode: Encode,
        seed: int,
        embedded: Floats | None = None,
    ) -> tuple[Floats, Doubles]:
        """Rows of the demonstrations, and the probability (n,) that each record is wrong; they score as much less.

        Demonstrations that nothing was learned from are judged part by part, as those that were. The parts of a large
        bank share the cores.

        Args:
            rows: features by both views of the rows that were learned from and not held for wrong.
            learned: as in `wrong`; all 0 where the bank cannot say.
            embedded: sentence embeddings of the questions (n, d).
        """
        kept, wrong = self.rows[learned < BET], self.wrong(learned)
        own = np.arange(self.teachers, len(self.bank))
        marked = np.array([not record.correct for record in self.bank])
        left = np.setdiff1d(own, self.rows)
        judged = np.setdiff1d(left, [*self.known, *np.flatnonzero(marked)]) if learned.any() else left[:0]
        parts = [own[start : start + PART] for start in range(0, len(own), PART)]
        made = (self._part(at, kept, rows, judged, embedded) for at in parts)
        function = partial(_encoded, views=views, encode=encode, seed=seed)
        vectors: Floats | None = None
        for at, (encoded, found) in zip(parts, mapped(function, made, "encode the bank", len(parts)), strict=True):
            if vectors is None:
                vectors = np.empty((len(own), encoded.shape[1]), np.float32)
            vectors[at - self.teachers] = encoded
            wrong[np.intersect1d(at, judged)] = found
        assert vectors is not None
        demote(vectors, np.where(marked, 1.0, wrong)[self.teachers :])
        return vectors, wrong

    def _part(self, at: Rows, kept: Rows, rows: tuple[Floats, Floats], judged: Rows, embedded: Floats | None) -> Part:
        known = np.isin(at, kept)
        held, new = np.searchsorted(kept, at[known]), at[~known].tolist()
        return Part(
            known,
            (rows[0][held], rows[1][held]),
            ([self.questions[i] for i in new], [self.rationales[i] for i in new]),
            np.isin(at, judged),
            None if embedded is None else embedded[at],
        )

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


def _encoded(part: Part, views: tuple[LexicalView, RationaleView], encode: Encode, seed: int) -> tuple[Floats, Doubles]:
    """Rows of the bank (n, z), and the probability that each of the judged rows is wrong."""
    sides: tuple[LexicalView | RationaleView, ...] = views
    both = []
    for view, texts, features in zip(sides, part.texts, part.features, strict=True):
        rows = np.empty((len(part.known), features.shape[1]), np.float32)
        rows[part.known], rows[~part.known] = features, view.transform(texts)
        both.append(rows)
    encoded, predicted = encode(part.embedded, *both)
    if not part.judged.any():
        return encoded, np.zeros(0)
    # what is judged was not learned from, so its texts are here
    places, width = np.flatnonzero(part.judged[~part.known]).tolist(), predicted.shape[1]
    questions, rationales = ([texts[i] for i in places] for texts in part.texts)
    target = 2 * encoded[part.judged, :width]
    return encoded, wrong_rows(questions, rationales, predicted[part.judged], target, seed)


def _drawn(rows: Rows, most: int, seed: int) -> Rows:
    """At most so many of the rows, drawn at random, in order."""
    return rows if len(rows) <= most else np.sort(np.random.default_rng(seed).permutation(rows)[:most])
