"""Why a demonstration was chosen: words of the question by occlusion."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from skillshot.common.arrays import Floats
from skillshot.runtime.policy import Policy
from skillshot.runtime.types import Demonstration

SEGMENTS = 12  # at most so many pieces of the question are occluded, one policy pass each


@dataclass(frozen=True)
class Reason:
    """One demonstration with the pieces of the question that its score rests on.

    segments: (piece, drop of the score when the piece is left out), largest drop first.
    """

    demonstration: Demonstration
    segments: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Explanation:
    """Reasons for all demonstrations of a question, best first."""

    question: str
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"Question: {self.question}"]
        for place, reason in enumerate(self.reasons, 1):
            shown = ", ".join(f"{piece.strip()!r} {drop:+.3f}" for piece, drop in reason.segments[:3])
            lines.append(
                f"{place}. {reason.demonstration.id}  score {reason.demonstration.score:.3f}  rests on {shown}"
            )
        return "\n".join(lines)


def segments(text: str, limit: int = SEGMENTS) -> list[str]:
    """Cut a text at spaces into at most `limit` pieces that concatenate to it again."""
    words = re.findall(r"\s*\S+\s*$|\s*\S+", text) or [text]
    size = -(-len(words) // limit)
    return ["".join(words[start : start + size]) for start in range(0, len(words), size)]


def explain(
    policy: Policy, vectors: Floats, rows: Mapping[str, int], text: str, chosen: Sequence[Demonstration]
) -> Explanation:
    """Occlusion: score of the whole question minus the score without each piece (Zeiler & Fergus, 2014)."""
    pieces = segments(text)
    without = ["".join(pieces[:i] + pieces[i + 1 :]) for i in range(len(pieces))]
    z = policy([text, *without])
    reasons = []
    for demonstration in chosen:
        scores = z @ vectors[rows[demonstration.id]]
        drops = zip(pieces, (float(scores[0] - score) for score in scores[1:]), strict=True)
        reasons.append(Reason(demonstration, tuple(sorted(drops, key=lambda pair: -pair[1]))))
    return Explanation(text, tuple(reasons))
