"""The verdict of a fit: what it holds and how it reads in the terminal, the manifest and the reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

USE = "use it"
SIMILAR = "no better than similarity here"
FEW_ROWS = "too few rows to tell"
VERDICTS = (USE, SIMILAR, FEW_ROWS)
RIVALS = ("question", "bm25")
SHOWN = {"question": "question", "bm25": "BM25"}
MEASURED = {  # where structure came from -> whose similarity is measured
    "rationale": "structure of rationales",
    "answer": "structure of answers",
    "label": "class labels",
    "question": "structure of questions",
}


@dataclass(frozen=True)
class FitVerdict:
    """Whether the choice by skill is worth it on one bank; made by `skillshot.training.verdict.judge`.

    Attributes:
        verdict: one of `VERDICTS`.
        skillshot, question, bm25: mean similarity of structure (at most 1) over the rows; 0 where there are no rows.
            question: by sentence embeddings, in mode lite by weighted n-grams.
        pairs: "skillshot-question" and "skillshot-bm25" -> {"diff", "low", "high"}, a 95 % paired interval.
        rows: cross-fitted questions of the bank.
        source: where structure came from, one of `MEASURED`.
        mode: "full" or "lite".
        trust: share of the score that is learned skill; the rest is wording.
        advice: what would help.
    """

    verdict: str
    skillshot: float
    question: float
    bm25: float
    pairs: Mapping[str, Mapping[str, float]]
    rows: int
    source: str
    mode: str
    trust: float
    advice: str

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FitVerdict:
        """The verdict of `to_dict`; keys that a later version added are left out."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})

    def to_dict(self) -> dict[str, Any]:
        """Plain finite numbers and texts, for JSON."""
        return asdict(self)

    def metrics(self) -> dict[str, float]:
        """Flat numbers for MLflow and reports/train.json; none where nothing was measured."""
        if not self.rows:
            return {}
        pair = self.pairs["skillshot-question"]
        return {
            "verdict.skillshot": self.skillshot,
            "verdict.question": self.question,
            "verdict.bm25": self.bm25,
            "verdict.low": pair["low"],
            "verdict.high": pair["high"],
        }

    def lines(self) -> list[str]:
        """Five lines for the terminal."""
        rivals = ", ".join(f"{self.shown(rival)} {getattr(self, rival):.3f}" for rival in RIVALS)
        means = f"skillshot {self.skillshot:.3f}, {rivals}"
        pairs = "; ".join(f"skillshot - {self.shown(rival)} {interval_text(self.pair(rival))}" for rival in RIVALS)
        return [
            f"verdict: {self.verdict}",
            f"similarity of the demonstrations ({self.measured()}): {means}" if self.rows else "nothing was measured",
            f"{pairs} (95 %, paired)" if self.rows else "no intervals",
            self.basis(),
            f"what helps: {self.advice}",
        ]

    def pair(self, rival: str) -> Mapping[str, float]:
        """skillshot minus a rival: {"diff", "low", "high"}."""
        return self.pairs[f"skillshot-{rival}"]

    def shown(self, rival: str) -> str:
        """Name of a rival: in mode lite, question similarity is that of weighted n-grams."""
        return "question n-grams" if (rival, self.mode) == ("question", "lite") else SHOWN[rival]

    def measured(self) -> str:
        """Whose similarity the means are."""
        return MEASURED.get(self.source, self.source)

    def basis(self) -> str:
        """What the verdict rests on, in one line."""
        rows = f"{self.rows:,} cross-fitted {'row' if self.rows == 1 else 'rows'}, no labels of skill"
        if not self.trust:
            return f"{rows}; mode {self.mode}; the score is wording alone: the bank taught no skill"
        skill = min(99, max(1, round(100 * self.trust))) if self.trust < 1 else 100
        return f"{rows}; mode {self.mode}; learned skill is {skill} % of the score, wording {100 - skill} %"


def interval_text(pair: Mapping[str, float]) -> str:
    """A difference with its interval."""
    return f"{pair['diff']:+.3f} ({pair['low']:+.3f} to {pair['high']:+.3f})"
