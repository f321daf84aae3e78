"""A bundle's bank as selection reads it; its rows are in the bundle's folder, or in a database."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from skillshot.common import schema
from skillshot.common.arrays import Floats, Keys, Mask, Rows
from skillshot.common.errors import BundleError
from skillshot.common.record import Record
from skillshot.runtime.index import Index
from skillshot.runtime.store import BankStore

_CHUNK = 65_536  # rows that are multiplied at once


class Candidates(Protocol):
    """Rows of a bank, best first.

    rows: (n,) numbers that name them within the bank. keys: (n,) of their questions (`question_key`).
    scores: (n,) products with the query.
    state: names what the bank held when it was read.
    """

    rows: Rows
    keys: Keys
    scores: Floats
    state: str

    def record(self, place: int) -> Record:
        """Of the candidate at a place."""
        ...

    def vectors(self, places: Rows) -> Floats:
        """Skill vectors of the candidates at places (m,), float32 (m, z)."""
        ...


class SimilarityQuery(NamedTuple):
    """A question that similarity alone is to serve.

    query: (z,) a row whose product with the skill vectors is the similarity; (d,) with the embeddings of questions
    where `sentence` is true. key: rows of this key, which are the question itself, are left out.
    """

    query: Floats
    sentence: bool
    key: np.uint64


class Bank(Protocol):
    """Rows to choose from; safe for threads.

    state: names what it holds; of a database, only the table.
    sentences: width d of the embeddings of the questions; None where the bank has none.
    """

    @property
    def state(self) -> str: ...
    @property
    def sentences(self) -> int | None: ...

    def __len__(self) -> int: ...

    def missing(self, ids: Collection[str]) -> list[str]:
        """Those of `ids` that no row has, in their order."""
        ...

    def nearest(self, vector: Floats, k: int, where: Mapping[str, Any]) -> Candidates:
        """The k rows of highest score that have all values of `where`; fewer where there are fewer.

        Raises:
            InputError: no row has a field of `where`, or it is no field to filter by.
        """
        ...

    def similar(
        self, question: SimilarityQuery, first: int, chosen: Rows, exclude: Collection[str], where: Mapping[str, Any]
    ) -> tuple[Rows, Candidates]:
        """The `first` rows by similarity to a question, and those of `chosen`; with their ranks (n,), from 1.

        Raises:
            InputError: as `nearest`.
        """
        ...


@dataclass(frozen=True)
class FolderBank:
    """The bank in a bundle's folder: one state of it, memory-mapped.

    name: of its folder. state: SHA-256 of its rows.
    vectors: skill vectors, unit rows (n, z). questions: sentence embeddings of the questions, unit rows (n, d); None
        without a transformer, or where the bundle does not hold them.
    """

    name: str
    state: str
    store: BankStore
    vectors: Floats
    index: Index
    questions: Floats | None = None

    def __len__(self) -> int:
        return len(self.store)

    @property
    def sentences(self) -> int | None:
        """Width of the embeddings of the questions."""
        return None if self.questions is None else self.questions.shape[1]

    def missing(self, ids: Collection[str]) -> list[str]:
        """Those of `ids` that no row has."""
        return [name for name in ids if not self.store.has(name)]

    def nearest(self, vector: Floats, k: int, where: Mapping[str, Any]) -> Candidates:
        """The k rows of highest score, whose scores are cosines also where the vectors were not checked at load.

        Raises:
            BundleError: a vector is not of length 1.
            InputError: as `Bank.nearest`.
        """
        rows, scores = self.index.search(vector, k, self.allowed(where))
        if not (np.abs(scores) <= 1 + schema.UNIT).all():  # false for NaN
            name = f"{self.name}/skillshot.npy"
            raise BundleError(f"{name}: gives {scores[:4].tolist()}, which are no cosines; fit the bank again")
        return FolderCandidates(self, rows, scores)

    def similar(
        self, question: SimilarityQuery, first: int, chosen: Rows, exclude: Collection[str], where: Mapping[str, Any]
    ) -> tuple[Rows, Candidates]:
        """The first rows by similarity, and those of `chosen`, with their ranks.

        Raises:
            BundleError: the stored embeddings are damaged.
            InputError: as `Bank.nearest`.
        """
        side = self.questions if question.sentence and self.questions is not None else self.vectors
        values = _products(side, question.query)
        if question.sentence and not np.isfinite(values).all():
            raise BundleError(f"{self.name}/question.npy: holds NaN or infinite values; copy the bundle again")
        mask, left = self.store.keys != question.key, self.allowed(where)
        order = np.flatnonzero(mask if left is None else mask & left)
        order = order[np.argsort(-values[order], kind="stable")]
        places = np.flatnonzero(np.isin(order, chosen))
        order = order[: max(first + len(exclude), int(places.max(initial=-1)) + 1)]
        if exclude:
            order = order[[self.store[int(row)].id not in exclude for row in order]]
        ranks = np.union1d(np.arange(min(first, len(order))), np.flatnonzero(np.isin(order, chosen)))
        return ranks + 1, FolderCandidates(self, order[ranks], values[order[ranks]])

    def allowed(self, where: Mapping[str, Any]) -> Mask | None:
        """Rows that have all values of `where`, bool (n,); None: all."""
        masks = [self.store.fields.mask(field, value) for field, value in where.items()]
        return functools.reduce(np.logical_and, masks) if masks else None


class FolderCandidates:
    """`Candidates` that are read from the folder when they are asked for."""

    def __init__(self, bank: FolderBank, rows: Rows, scores: Floats) -> None:
        self._bank, self.rows, self.scores, self.state = bank, rows, scores, bank.state
        self.keys: Keys = bank.store.keys[rows]

    def record(self, place: int) -> Record:
        """Of the candidate at a place."""
        return self._bank.store[int(self.rows[place])]

    def vectors(self, places: Rows) -> Floats:
        """Skill vectors of the candidates at places."""
        return self._bank.vectors[self.rows[places]].astype(np.float32, copy=False)


def _products(rows: Floats, vector: Floats) -> Floats:
    parts: Iterable[Floats] = (
        rows[at : at + _CHUNK].astype(np.float32, copy=False) @ vector.astype(np.float32)
        for at in range(0, len(rows), _CHUNK)
    )
    return np.concatenate(list(parts))
