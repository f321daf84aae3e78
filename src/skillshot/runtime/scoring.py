"""What a manifest says of the score: widths of the blocks of a row, and a mode's shares, doubt and calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skillshot.common import schema
from skillshot.common.arrays import Doubles, Floats, Rows
from skillshot.common.evidence import evidence

BLOCKS = ("structure", "latent", "sentence", "words")
WITH_ENCODER = ("latent", "sentence")  # blocks that only a bundle with a text encoder has, or a slim copy of it
RARE = 0.02  # share of the bank's own questions whose nearest neighbour is further away: below it confidence fades
_CURVE = schema.fields(
    {
        "offset": schema.number(-1e6, 1e6),
        "slope": schema.number(0, 1e6),
        "near": schema.listed(schema.number(-2, 2), 256),
    }
)
_MODE = schema.fields(
    {
        "shares": schema.listed(schema.number(0, 1), len(BLOCKS)),
        "doubt": schema.number(1e-6, 10),
        "confidence": _CURVE,
    }
)
_KEYS = schema.fields(
    {"widths": schema.listed(schema.whole(0, 65_536), len(BLOCKS)), "lite": _MODE},
    # full is not in a bundle without a text encoder, rows is only in a slim one
    {"full": _MODE, "rows": schema.one_of("int8")},
)


def check_score(facts: Any, place: str) -> None:
    """What `score` of a manifest must be: a `schema.Check` that also compares its numbers with each other."""
    _KEYS(facts, place)
    for mode in sorted({"full", "lite"} & facts.keys()):
        Scoring.of(facts, mode)


@dataclass(frozen=True)
class Scoring:
    """How rows of a bank are scored in one mode.

    widths: coordinates of each block; a row has one more, which no query reads.
    shares: of each block in the score; they sum to 1.
    doubt: variance of what the model predicts, in units of the score.
    offset, slope: of the logistic curve from evidence to confidence; both 0 where the bank was too small for one.
    near: quantiles of the nearest question's similarity within the bank; empty where it was too small.
    encoder: whether the bundle has a text encoder. Of a bundle without one, blocks may have the width 0: latent and
        sentence after `fit --lite`, those without a share in a slim bundle.
    """

    widths: tuple[int, ...]
    shares: tuple[float, ...]
    doubt: float
    offset: float
    slope: float
    near: Doubles
    encoder: bool = True

    @classmethod
    def of(cls, facts: Mapping[str, Any], mode: str) -> Scoring:
        """Of the manifest's `score`.

        Raises:
            ValueError: its numbers do not fit together.
        """
        found, curve = facts[mode], facts[mode]["confidence"]
        near = np.array(curve["near"], np.float64)
        if not len(facts["widths"]) == len(found["shares"]) == len(BLOCKS):
            raise ValueError(f"score: {len(BLOCKS)} widths and shares are expected")
        encoder = "full" in facts
        empty = [block for block, width in zip(BLOCKS, facts["widths"], strict=True) if not width]
        if encoder and empty:
            raise ValueError(f"score.widths: {facts['widths']}: only a bundle without mode full may have a 0")
        if "rows" in facts and "structure" in empty:
            raise ValueError(f"score.widths: {facts['widths']}: a slim bundle has a structure")
        if not encoder and "rows" not in facts and empty != list(WITH_ENCODER):
            raise ValueError(f"score.full is missing, and score.widths {facts['widths']} are of a bundle that has it")
        if any(share for share, width in zip(found["shares"], facts["widths"], strict=True) if not width):
            raise ValueError(f"score.{mode}.shares: a block of width 0 has a share")
        if abs(sum(found["shares"]) - 1) > schema.UNIT:
            raise ValueError(f"score.{mode}.shares: sum to {sum(found['shares']):.3g}, not 1")
        if not (np.diff(near) >= 0).all():
            raise ValueError(f"score.{mode}.confidence.near: its quantiles do not rise")
        if curve["slope"] and not len(near):
            raise ValueError(f"score.{mode}.confidence.near: empty, but the slope is {curve['slope']:.3g}, not 0")
        shares = tuple(found["shares"])
        return cls(tuple(facts["widths"]), shares, found["doubt"], curve["offset"], curve["slope"], near, encoder)

    @property
    def row(self) -> int:
        """Width of a row."""
        return sum(self.widths) + 1

    @property
    def lexical(self) -> int:
        """Width of the question view: structure and words, then structure and sentence for `lite`."""
        structure, _, sentence, words = self.widths
        return self._first + words + structure + sentence

    def lexical_part(self, mode: str) -> slice:
        """The columns of the question view that a mode reads."""
        return slice(self._first, None) if mode == "lite" else slice(0, self._first + self.widths[3])

    @property
    def _first(self) -> int:
        """Columns of the question view that `lite` does not read: the structure that all features predict."""
        return self.widths[0] if self.encoder else 0

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Coordinates of each block in a row."""
        ends = np.cumsum(self.widths).tolist()
        return tuple(slice(end - width, end) for end, width in zip(ends, self.widths, strict=True))

    def linear(self, mode: str) -> list[tuple[slice, slice]]:
        """The columns that a mode reads and the block of a row that each is added to; see `Skillshot.policy`."""
        structure, _, sentence, words = self.widths
        of_structure, _, of_sentence, of_words = self.blocks
        if mode == "full":
            return [(slice(0, structure), of_structure), (slice(structure, structure + words), of_words)]
        ends = np.cumsum([words, structure, sentence]).tolist()
        starts = [0, *ends[:-1]]
        return list(zip(map(slice, starts, ends), (of_words, of_structure, of_sentence), strict=True))

    def parts(self, query: Floats, rows: Floats) -> Doubles:
        """What each block adds to the scores of rows (k, z), in the order of `BLOCKS`, (k, 4)."""
        # the last coordinate, which no query reads, is a block of its own; for an empty one `reduceat` gives another's
        sums = np.add.reduceat(np.multiply(rows, query, dtype=np.float64), self._starts, 1)[:, :-1]
        return np.where(np.array(self.widths) > 0, sums, 0)

    @cached_property
    def _starts(self) -> Rows:
        """First coordinate of each block, and the last coordinate."""
        return np.cumsum([0, *self.widths])

    @cached_property
    def weights(self) -> Floats:
        """Of each coordinate, so that (row * weights) @ other row is the shares' sum of the blocks' similarities."""
        return np.append(np.repeat(np.array(self.shares, np.float32) * 4, self.widths), np.float32(0))

    def confidence(self, query: Floats, rows: Floats, near: Floats) -> Doubles:
        """Probability that each row (k, z) is of the question's procedure, calibrated on the bank, (k,).

        It is logistic in the `evidence`, and fades for a question that is foreign to the bank.

        Args:
            near: (n, z) rows of the candidates, from which the k were chosen.
        """
        if not len(rows):
            return np.zeros(0)
        width = self.widths[0]
        similar = 4 * (rows[:, :width] @ near[:, :width].T)  # a block of a row has the length 1/2
        found = evidence(self._known(query, rows), self._known(query, near), similar, self.doubt)
        sure = (1 + np.tanh((self.offset + self.slope * found) / 2)) / 2  # the logistic function, without overflow
        return np.asarray(sure * min(1.0, self._place(self.nearest(query, near)) / RARE), np.float64)

    def _known(self, query: Floats, rows: Floats) -> Floats:
        """Scores of rows (k, z) in which the structure stands for the latent too, as in the calibration, (k,).

        The latent fits the bank's own rows better than new questions.
        """
        start, end = self.widths[0], self.widths[0] + self.widths[1]
        skill = 1 + self.shares[1] / self.shares[0] if self.shares[0] > 0 else 0.0
        return np.asarray(skill * (rows[:, :start] @ query[:start]) + rows[:, end:] @ query[end:], np.float32)

    def nearest(self, query: Floats, rows: Floats) -> float:
        """Highest similarity of the question to candidates (n, z), by the sentence, or else by the words."""
        place = BLOCKS.index("sentence" if self.widths[BLOCKS.index("sentence")] else "words")
        part, share = self.blocks[place], self.shares[place]
        if not len(rows) or share <= 0:
            return float("nan")
        return float((rows[:, part] @ query[part]).max()) / share

    def _place(self, nearest: float) -> float:
        """Share of the bank's own questions whose nearest neighbour is no nearer, in [0, 1]."""
        if nearest != nearest or not len(self.near):
            return 1.0
        return float(np.interp(nearest, *self._places))

    @cached_property
    def _places(self) -> tuple[Doubles, Doubles]:
        """Similarities, and the share of the bank's own questions that is at or below each."""
        far = self.near[0] - (np.median(self.near) - self.near[0]) / 2
        return np.append(far, self.near), np.append(0.0, np.linspace(0.01, 1, len(self.near)))
