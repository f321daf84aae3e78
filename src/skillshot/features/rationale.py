"""The skill view of a rationale: its skeleton, and a second part.

The second part is the kinds of its steps, where a bank's steps can be predicted. In a bank without rationales it is
what a prior of other banks expects of the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.features.lexical import LexicalView
from skillshot.features.prior import Prior
from skillshot.features.steps import FILES, StepView

PRIOR_VIEW = "prior_view"  # folder of the prior, next to the view's own


@dataclass(frozen=True)
class RationaleView:
    """Text -> [skeleton (t), second part (u)]: unary counts of its steps, or features of a prior.

    steps, prior: at most one of them.
    """

    skeleton: LexicalView
    steps: StepView | None = None
    prior: Prior | None = None

    @property
    def second(self) -> int:
        """Number of features of the second part, u."""
        part = self._second
        return part.width if part else 0

    @property
    def width(self) -> int:
        """Number of features, t + u."""
        return self.skeleton.width + self.second

    def transform(self, texts: Sequence[str]) -> Floats:
        """Features of texts, float32 (n, t + u)."""
        rows, part = self.skeleton.transform(texts), self._second
        return np.hstack([rows, part.transform(texts)]) if part else rows

    def save(self, folder: str | PathLike[str]) -> None:
        """Write skeleton and steps into one folder, and the prior into `PRIOR_VIEW` next to it."""
        self.skeleton.save(folder)
        if self.steps:
            self.steps.save(folder)
        if self.prior:
            self.prior.save(Path(folder).parent / PRIOR_VIEW)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> RationaleView:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is damaged, or the parts do not fit together.
        """
        steps = StepView.load(folder) if any((Path(folder) / name).exists() for name in FILES) else None
        place = Path(folder).parent / PRIOR_VIEW
        return cls(LexicalView.load(folder), steps, Prior.load(place) if place.exists() else None)

    @property
    def _second(self) -> StepView | Prior | None:
        return self.prior or self.steps
