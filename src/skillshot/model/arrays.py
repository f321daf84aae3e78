"""Parts of the model as arrays, without torch: the blocks of a row, and what reads words alone.

A bundle without a text encoder is fitted from these alone (`skillshot fit --lite`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.features.lexical import LexicalView
from skillshot.features.rationale import RationaleView

SHARP = 1.0  # of the kernel: exp(-SHARP * squared distance) of unit embeddings


@dataclass(frozen=True)
class Widths:
    """Coordinates of each block of a row: structure t, latent z, sentence e, words w. One more fills it to length 1.

    steps: how many of the structure's are counts of steps; they are its last.
    """

    structure: int
    latent: int
    sentence: int
    words: int
    steps: int = 0

    @property
    def row(self) -> int:
        """Width of a row."""
        return self.structure + self.latent + self.sentence + self.words + 1


@dataclass(frozen=True)
class LatentNet:
    """The policy network of the CVAE: structure (n, t) to the mean of the latent (n, z).

    centre, scale (t,): of its input. layers: weight (in, out) and bias (out,) of each; all but the last end with a
    LeakyReLU of slope `leak`.
    """

    centre: Floats
    scale: Floats
    layers: Sequence[tuple[Floats, Floats]]
    leak: float


@dataclass(frozen=True)
class Lite:
    """Query by words alone, see `Skillshot.lite`.

    first: columns of the question view that lite does not read; words (w), structure (t), sentence (e) follow.
    words, structure, sentence: offsets of those columns. shares: of the four blocks of a row in the score.
    latent: None where there is none; its block is 0 then.
    """

    widths: Widths
    first: int
    words: Floats
    structure: Floats
    sentence: Floats
    shares: tuple[float, float, float, float]
    latent: LatentNet | None = None

    @property
    def columns(self) -> int:
        """Width of the question view."""
        return self.first + self.widths.words + self.widths.structure + self.widths.sentence


@dataclass(frozen=True)
class LiteBank:
    """Bank item by words alone: what `Skillshot.posterior` computes of structure and words.

    words (w): offset of the question view's columns, as in `Lite`. centre (t): of the rationale's structure.
    step_share: of the steps in the structure.
    """

    widths: Widths
    words: Floats
    centre: Floats
    step_share: float

    def rows(self, question: Floats, rationale: Floats) -> Floats:
        """Rows (n, row) from the features of questions (n, w or more) and rationales (n, t); the exported graph's."""
        t, u, w = self.widths.structure, self.widths.steps, self.widths.words
        centred = rationale - self.centre
        parts = ((slice(0, t - u), 1 - self.step_share), (slice(t - u, t), self.step_share)) if u else ((slice(t), 1),)
        blocks = [_unit(centred[:, columns]) * np.float32(share**0.5) for columns, share in parts]
        row = np.hstack([*blocks, _unit(question[:, :w] + self.words)]) * np.float32(0.5)
        # a block may be empty (no known word); the last coordinate takes what is missing to 1
        return np.hstack([row, np.sqrt(np.maximum(0, 1 - np.square(row).sum(1, keepdims=True)))])


@dataclass(frozen=True)
class FittedLite:
    """A selector of n demonstrations that reads words alone; see `Fitted` for score, verdict and suspicious.

    policy, posterior: query and bank side. vectors (n, row): of the bank.
    """

    question_view: LexicalView
    rationale_view: RationaleView
    policy: Lite
    posterior: LiteBank
    vectors: Floats
    diagnostics: dict[str, float]
    score: dict[str, Any]
    verdict: dict[str, Any]
    suspicious: list[dict[str, Any]]


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    return unit
