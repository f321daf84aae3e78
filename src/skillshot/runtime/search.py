"""From questions to rows of the bank: search, filters, near ties."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from skillshot.common.arrays import Floats, Mask
from skillshot.common.errors import InputError
from skillshot.common.record import Record
from skillshot.runtime.diversify import CANDIDATES, diversify
from skillshot.runtime.index import ExactIndex
from skillshot.runtime.opening import OpenBundle
from skillshot.runtime.store import BankStore, question_key
from skillshot.runtime.types import Question, parse

Found = tuple[int, Record, float]  # row, its record, its score


def find(
    bundle: OpenBundle,
    questions: Sequence[Question],
    k: int,
    exclude: Collection[str] = (),
    where: Mapping[str, Any] | None = None,
    min_score: float | None = None,
) -> list[list[Found]]:
    """The k best demonstrations of each question, best first, in one pass of the encoder.

    Raises:
        InputError: an argument is refused; see `Selector.select`.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise InputError(f"k={k!r}: expected a whole number of at least 1")
    low = -np.inf if min_score is None else min_score
    if isinstance(low, bool) or not isinstance(low, int | float | np.number) or np.isnan(low):
        raise InputError(f"min_score={min_score!r}: expected a cosine, from -1 to 1")
    asked = [parse(question) for question in questions]
    if not asked:
        return []
    excluded, allowed = _excluded(bundle.store, exclude), _allowed(bundle.store, where)
    vectors = bundle.policy([text for _, text in asked])
    return [
        _choose(bundle, vector, question, k, excluded, allowed, float(low))
        for vector, (question, _) in zip(vectors, asked, strict=True)
    ]


def recall(bundle: OpenBundle, questions: Sequence[Question], k: int) -> float:
    """Share of the exact k highest scores that the bundle's index finds too (recall@k)."""
    exact, shares = ExactIndex(bundle.vectors), []
    for vector in bundle.policy([parse(question)[1] for question in questions]):
        _, scores = exact.search(vector, k)
        _, found = bundle.index.search(vector, k)
        shares.append(np.mean(found >= scores.min() - 1e-5) if len(scores) else 1.0)
    return float(np.mean(shares))


def _excluded(store: BankStore, exclude: Collection[str]) -> frozenset[str]:
    names = frozenset([exclude] if isinstance(exclude, str) else exclude)
    for name in names:
        if not store.has(name):
            raise InputError(f"exclude: no demonstration has the id {name!r}")
    return names


def _allowed(store: BankStore, where: Mapping[str, Any] | None) -> Mask | None:
    masks = [store.fields.mask(field, value) for field, value in (where or {}).items()]
    return functools.reduce(np.logical_and, masks) if masks else None


def _choose(
    bundle: OpenBundle, vector: Floats, question: str, k: int, excluded: frozenset[str], allowed: Mask | None,
    low: float,
) -> list[Found]:  # fmt: skip
    """The k best rows without the question itself, excluded ids, duplicates and scores below `low`; best first."""
    key, near_tie = np.uint64(question_key(question)), float(bundle.manifest["select"]["near_tie"])
    width = max(CANDIDATES, k + 1 + len(excluded))
    while True:
        rows, scores = bundle.index.search(vector, width, allowed)
        fit = (bundle.store.keys[rows] != key) & (scores >= low)
        all_seen = len(rows) < width or scores[-1] < low
        rows, scores = rows[fit], scores[fit]
        chosen: dict[tuple[str, str], Found] = {}
        for place in diversify(scores, bundle.vectors, rows, near_tie):
            record = bundle.store[int(rows[place])]
            if record.id not in excluded:
                found = int(rows[place]), record, float(scores[place])
                chosen.setdefault((record.question, record.context), found)
            if len(chosen) == k:
                break
        if len(chosen) == k or all_seen:
            return sorted(chosen.values(), key=lambda found: (-found[2], found[0]))
        width *= 4
