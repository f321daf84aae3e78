"""Why a demonstration was chosen: words of the question by occlusion."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from skillshot.common.arrays import Floats
from skillshot.runtime.policy import Policy
from skillshot.runtime.types import Demonstration

PIECES = 12  # at most so many pieces of the question are occluded, one policy pass each
REST = "(rest)"
SHOWN = 3  # pieces that the text names
MOST = 0.9  # share of a score from which the rest alone makes it


@dataclass(frozen=True)
class Contribution:
    """What a piece of the question adds to a score: the score's drop when the piece is left out (cosine)."""

    piece: str
    value: float


@dataclass(frozen=True)
class Reason:
    """One demonstration with the pieces of the question that its score rests on.

    contributions: the pieces, largest drop first, then "(rest)": what no single piece accounts for. Pieces that say the
        same cover for each other, so drops alone do not sum to the score; with the rest they do.
    """

    demonstration: Demonstration
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True)
class Explanation:
    """Reasons for all demonstrations of a question, best first."""

    question: str
    reasons: tuple[Reason, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, ready for JSON; the values of a reason's contributions sum to its score."""
        reasons = [
            {
                "demonstration": reason.demonstration.to_dict(),
                "contributions": [asdict(contribution) for contribution in reason.contributions],
            }
            for reason in self.reasons
        ]
        return {"question": self.question, "reasons": reasons}

    def __str__(self) -> str:
        lines = [f"Question: {self.question}"]
        for place, reason in enumerate(self.reasons, 1):
            pieces = [part for part in reason.contributions if part.piece != REST]
            rest = sum(part.value for part in reason.contributions if part.piece == REST)
            terms = [f"{REST} {rest:.3f}", *(f"{part.piece.strip()!r} {part.value:+.3f}" for part in pieces[:SHOWN])]
            total = ", ".join(terms + ["..."] * (len(pieces) > SHOWN))
            score = reason.demonstration.score
            spread = "; no single piece carries the score" if 0 < MOST * score < rest else ""
            lines.append(f"{place}. {reason.demonstration.id}  score {score:.3f} = {total}{spread}")
        return "\n".join(lines)


def cut(text: str, limit: int = PIECES) -> list[str]:
    """Cut a text at spaces into at most `limit` pieces that concatenate to it again."""
    words = re.findall(r"\s*+\S++(?:\s++\Z)?", text) if text.strip() else [text]
    size = -(-len(words) // limit)
    return ["".join(words[start : start + size]) for start in range(0, len(words), size)]


def explain(
    policy: Policy, vectors: Floats, rows: Mapping[str, int], text: str, chosen: Sequence[Demonstration]
) -> Explanation:
    """Occlusion: score of the whole question minus the score without each piece (Zeiler & Fergus, 2014).

    Args:
        vectors: unit rows (n, z) of the bank; rows: row of each chosen demonstration's id.
    """
    pieces = cut(text)
    without = ["".join(pieces[:i] + pieces[i + 1 :]) for i in range(len(pieces))]
    z = policy([text, *without])
    reasons = []
    for demonstration in chosen:
        scores = z @ vectors[rows[demonstration.id]]
        drops = [float(scores[0] - score) for score in scores[1:]]
        parts = sorted(map(Contribution, pieces, drops), key=lambda part: -part.value)
        rest = Contribution(REST, demonstration.score - sum(part.value for part in parts))
        reasons.append(Reason(demonstration, (*parts, rest)))
    return Explanation(text, tuple(reasons))
