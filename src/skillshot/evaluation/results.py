"""Result of an evaluation: one result per query and selector, and the summary over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Prices(NamedTuple):
    """Of a million tokens read and written."""

    input: float
    output: float


@dataclass(frozen=True)
class QueryResult:
    """One query with one selector's demonstrations. None: not measured (see the summary's reason)."""

    query: str
    selector: str
    answer_type: str
    correct: bool | None = None
    recomputed: bool | None = None  # whether it is right once its equations are; of numbers alone
    valid: bool | None = None
    nll: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    found: str = ""
    answer: str = ""
    demonstrations: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    seconds: float = field(default=0.0, compare=False)  # in the engine when the answer was not cached; not in the CSV


@dataclass(frozen=True)
class Evaluation:
    """All rows, the summary of the contract, and what differs from run to run (not in the summary)."""

    rows: tuple[QueryResult, ...]
    summary: dict[str, Any]
    timing: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The report: the summary, and timings under one key of their own."""
        return {**self.summary, "timing": self.timing}
