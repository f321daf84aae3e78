"""What a selection returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Demonstration:
    """A solved example chosen for a question; `score` is the cosine of skills, in [-1, 1]."""

    id: str
    question: str
    rationale: str
    answer: str
    score: float
    context: str = ""
    options: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary, ready for JSON."""
        row = dataclasses.asdict(self)
        row["options"] = list(self.options)
        return row
