"""The skill view of a rationale: its skeleton, and where a bank's steps can be predicted, their kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.features.lexical import LexicalView
from skillshot.features.steps import FILES, StepView


@dataclass(frozen=True)
class RationaleView:
    """Text -> [skeleton (t), unary counts of its steps (u)]."""

    skeleton: LexicalView
    steps: StepView | None = None

    @property
    def width(self) -> int:
        """Number of features, t + u."""
        return self.skeleton.width + (self.steps.width if self.steps else 0)

    def transform(self, texts: Sequence[str]) -> Floats:
        """Features of texts, float32 (n, t + u)."""
        rows = self.skeleton.transform(texts)
        return np.hstack([rows, self.steps.transform(texts)]) if self.steps else rows

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the files of both views into one folder."""
        self.skeleton.save(folder)
        if self.steps:
            self.steps.save(folder)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> RationaleView:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is damaged, or the parts do not fit together.
        """
        steps = StepView.load(folder) if any((Path(folder) / name).exists() for name in FILES) else None
        return cls(LexicalView.load(folder), steps)
