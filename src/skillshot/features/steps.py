"""Steps of a rationale, and the kinds of steps that a bank has.

A step is a line of a rationale, a sentence of a line, or a clause of a query. Its kind is read from what is left
without the story: words that rarely come from the question, signs and operators. A rationale is then the multiset of
its steps' kinds.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common import schema
from skillshot.common.arrays import Doubles, Floats
from skillshot.common.errors import BundleError
from skillshot.common.io import atomic_write, write_json
from skillshot.features.tokens import BREAK, MOST, NUMBER, operators, tokenise

FILES = ("steps.json", "steps.npy")
LONGEST = 120  # characters of a name
_END = re.compile(r"(?<=[.!?;。！？])\s++|\n++")
_SELECT = re.compile(r"(?i)[\s(]*+select\s")
_CLAUSE = re.compile(
    r"(?i)(?<!\s)(?<!inner)(?<!left)(?<!outer)\s++(?=(?:from|(?:inner\s|left\s|outer\s){0,2}join|where|group\s+by"
    r"|order\s+by|having|limit|union|intersect|except|and|or)\b)"
)
_PLAIN = frozenset({NUMBER, BREAK, ",", ".", "_"})  # of almost every step
_ABOUT = schema.fields(
    {
        "words": schema.listed(schema.text(), 1_000_000),
        "grams": schema.listed(schema.text(), 1_000_000),
        "columns": schema.listed(schema.listed(schema.whole(0, 4096), 2), 4096),
    },
    {
        "names": schema.listed(schema.text(), 4096),
        "rates": schema.listed(schema.number(0, 1), 4096),
        "scale": schema.number(0, 1e6),
    },  # since explanations name the steps
)


def split(text: str) -> list[str]:
    """Steps of a rationale, in order; the clauses of each line that is a query; at least one."""
    found: list[str] = []
    for part in map(str.strip, _END.split(text)):
        if _SELECT.match(part):
            found += filter(None, map(str.strip, _CLAUSE.split(part)))
        elif part:
            found.append(part)
    return found or [text]


def grams(step: str, words: frozenset[str]) -> set[str]:
    """What a step's kind is read from: its procedural words, signs and operators, and their consecutive pairs.

    Args:
        words: the words that express a procedure; all others are skipped.
    """
    read = [token for token in tokenise(step)[1:-1] if token in words or not (token[0].isalpha() or token in _PLAIN)]
    read += [f"op {sign}" for signs in operators(step) for sign in signs]
    return {*read, *map(" ".join, itertools.pairwise(read))}


def masked(step: str, words: frozenset[str]) -> str:
    """A step with all words but these left out as "…", at most `LONGEST` characters."""
    kept = (token if token in words or not token[0].isalpha() else "…" for token in tokenise(step)[1:-1])
    text = " ".join(token for token, _ in itertools.groupby(kept))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


@dataclass(frozen=True)
class StepNames:
    """How the step columns of a structure are read: names of kinds, and the counts behind predictions and rows.

    columns: (kind, times) of each column. names: of each kind, its commonest step, `masked`.
    rates (u,): share of the bank's rows that had each column when it was fitted.
    scale: slope of (column - rate) on its cross-fitted prediction, one for all columns.
    """

    columns: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    rates: tuple[float, ...]
    scale: float

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> StepNames | None:
        """Read what `StepView.save` wrote; None where that was before kinds had names.

        Raises:
            BundleError: the file is damaged, or its parts do not fit together.
        """
        path = Path(folder) / FILES[0]
        about = schema.read_document(path, _ABOUT)
        if "names" not in about:
            return None
        with schema.door(path):
            columns, names = tuple((kind, times) for kind, times in about["columns"]), tuple(about["names"])
        rates = tuple(about.get("rates", ()))
        if len(rates) != len(columns) or not all(kind < len(names) for kind, _ in columns):
            raise BundleError(f"{path}: has not a name and a rate for each column of steps; fit the bank again")
        return cls(columns, names, rates, float(about.get("scale", 0)))

    def expected(self, predicted: Floats) -> Doubles:
        """Expected number of steps of each kind (kinds,) where the structure is predicted as (u,)."""
        return self.by_kind(np.clip(np.array(self.rates) + self.scale * predicted, 0, 1))

    def counts(self, rows: Floats) -> Doubles:
        """Steps of each kind (n, kinds) in rationales whose structures (n, u) are centred.

        A column is 0 or 1 and its mean is above 0, so it was 1 exactly where it is not negative.
        """
        return self.by_kind(rows >= 0)

    def by_kind(self, values: np.ndarray) -> Doubles:
        """Sums (..., kinds) of the columns (..., u) of each kind."""
        of = np.zeros((len(self.columns), len(self.names)))
        of[np.arange(len(self.columns)), [kind for kind, _ in self.columns]] = 1
        return np.asarray(values @ of, np.float64)


@dataclass(frozen=True)
class StepView:
    """Counts of the kinds of steps.

    words: words that express a procedure. grams: those that enough steps share. centres: float32 (g, kinds), what each
        gram adds to each kind; a step is of the kind with the highest sum.
    columns: (kind, times) of each column of `transform`: whether the rationale has that many such steps.
    names: for explanations; None in a view that was written before.
    """

    words: tuple[str, ...]
    grams: tuple[str, ...]
    centres: Floats
    columns: tuple[tuple[int, int], ...]
    names: StepNames | None = None

    @property
    def width(self) -> int:
        """Number of columns, u."""
        return len(self.columns)

    def kinds(self, text: str) -> list[int]:
        """Kind of each step of a rationale, in order; a step without a known gram has none."""
        found = (self.kind(grams(step, self._words)) for step in split(text))
        return [kind for kind in found if kind is not None]

    def kind(self, found: Collection[str]) -> int | None:
        """Kind of a step with these grams; None where none of them is known."""
        rows = [self._place[gram] for gram in sorted(found) if gram in self._place]
        return int(self.centres[rows].sum(0).argmax()) if rows else None

    def counts(self, texts: Sequence[str]) -> Floats:
        """Steps of each kind, at most `MOST`, (n, kinds)."""
        return self.counted([self.kinds(text) for text in texts])

    def counted(self, kinds: Sequence[Sequence[int]]) -> Floats:
        """The same from the kinds of the steps of n rationales."""
        out = np.zeros((len(kinds), self.centres.shape[1]), np.float32)
        for row, found in zip(out, kinds, strict=True):
            np.add.at(row, found, 1)
        return np.minimum(out, MOST)

    def transform(self, texts: Sequence[str]) -> Floats:
        """Unary counts (n, u) of 0 and 1: their dot product is the size of the intersection of two multisets."""
        return self.unary(self.counts(texts))

    def unary(self, counts: Floats) -> Floats:
        """`transform` from the counts (n, kinds)."""
        kinds, times = (np.array([column[part] for column in self.columns], np.intp) for part in (0, 1))
        return (counts[:, kinds] >= times).astype(np.float32)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `FILES`."""
        about: dict[str, Any] = {"words": self.words, "grams": self.grams, "columns": self.columns}
        if self.names is not None:
            about |= {"names": self.names.names, "rates": self.names.rates, "scale": self.names.scale}
        write_json(Path(folder) / FILES[0], about)
        with atomic_write(Path(folder) / FILES[1], "wb") as handle:
            np.save(handle, self.centres, allow_pickle=False)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> StepView:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is damaged, or the parts do not fit together.
        """
        folder = Path(folder)
        about = schema.read_document(folder / FILES[0], _ABOUT)
        columns = tuple((kind, times) for kind, times in about["columns"])
        centres = schema.read_array(folder / FILES[1], [np.float32], (len(about["grams"]), None))
        schema.check_finite(centres, folder / FILES[1])
        if not all(kind < centres.shape[1] and 1 <= times <= MOST for kind, times in columns):
            raise BundleError(f"{folder / FILES[0]}: names a kind of steps that {FILES[1]} lacks; fit the bank again")
        return cls(tuple(about["words"]), tuple(about["grams"]), centres, columns, StepNames.load(folder))

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(self.words)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {gram: row for row, gram in enumerate(self.grams)}
