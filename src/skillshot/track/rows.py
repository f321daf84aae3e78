"""Rows of the gate's table: one verdict each."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

TRUST, RECOMPUTED = "on trust", "recomputed"
WARNING, SKIPPED = "warning", "skipped"
PASSES = frozenset({"same", "improved", "tolerated", "new", "accepted", "edited", WARNING, SKIPPED})


@dataclass(frozen=True)
class GateRow:
    """One verdict. allowed: how much worse the metric may become. detail: the reason, as text.

    source: whether the current side was recomputed by this command, or is taken on trust from a committed file.
    """

    name: str
    status: str
    baseline: float | str | None = None
    current: float | str | None = None
    allowed: float | None = None
    detail: str = ""
    source: str = TRUST

    @property
    def passed(self) -> bool:
        """Whether this row passes the gate."""
        return self.status in PASSES

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary; a number that is not finite becomes text."""
        row = asdict(self) | {"passed": self.passed}
        return {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
