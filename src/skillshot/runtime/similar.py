"""What plain question similarity would have chosen: the counterfactual of an explanation."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.errors import BundleError
from skillshot.common.record import normalise_question
from skillshot.runtime.opening import OpenBundle
from skillshot.runtime.search import Found, allowed_rows, excluded_ids
from skillshot.runtime.store import question_key
from skillshot.runtime.types import Filters

SENTENCE, WORDING = "cosine of sentence embeddings", "the score's parts sentence and words"
_CHUNK = 65_536  # rows that are multiplied at once


class Similar(NamedTuple):
    """measure: how it was measured, None where it cannot be. values: similarity of each bank row.

    ranks: of the chosen rows, from 1. taken: the rows that similarity would have chosen, best first.
    """

    measure: str | None
    values: Floats
    ranks: Sequence[int]
    taken: Sequence[int]


def by_similarity(
    bundle: OpenBundle, asked: str, text: str, found: Sequence[Found], k: int, filters: Filters
) -> Similar:
    """Rank the bank by similarity of questions alone, among the rows that the filters leave.

    Args:
        asked, text: the question alone, and with context and options.
        found: what was chosen.

    Raises:
        BundleError: the stored embeddings are damaged.
    """
    measure, values = _values(bundle, text, found[0].query)
    if measure is None:
        return Similar(None, values, [], [])
    allowed = bundle.store.keys != np.uint64(question_key(asked))
    where = allowed_rows(bundle.store, filters.get("where"))
    allowed = allowed if where is None else allowed & where
    order = np.flatnonzero(allowed)
    order = order[np.argsort(-values[order], kind="stable")]
    excluded = excluded_ids(bundle.store, filters.get("exclude", ()))
    ranks, taken = _walk(bundle, _left(bundle, order.tolist(), excluded), {one.row for one in found}, k)
    return Similar(measure, values, [ranks[one.row] for one in found], taken)


def _walk(
    bundle: OpenBundle, order: Iterator[int], chosen: Collection[int], k: int
) -> tuple[Mapping[int, int], list[int]]:
    """Ranks of the chosen rows, and the k first rows without duplicates, as in a selection."""
    ranks: dict[int, int] = {}
    taken: dict[tuple[Any, ...], int] = {}
    for rank, row in enumerate(order, 1):
        if row in chosen:
            ranks[row] = rank
        if len(taken) < k:
            taken.setdefault((int(bundle.store.keys[row]), normalise_question(bundle.store[row].context)), row)
        elif len(ranks) == len(chosen):
            break
    return ranks, list(taken.values())


def _left(bundle: OpenBundle, order: Sequence[int], excluded: Collection[str]) -> Iterator[int]:
    return (row for row in order if not excluded or bundle.store[row].id not in excluded)


def _values(bundle: OpenBundle, text: str, query: Floats) -> tuple[str | None, Floats]:
    embedding = bundle.policy.embed([text])
    rows = bundle.questions
    if embedding is not None and rows is not None and rows.shape[1] == embedding.shape[1]:
        values = _products(rows, embedding[0])
        if not np.isfinite(values).all():
            raise BundleError(
                f"{bundle.manifest['bank']}/question.npy: holds NaN or infinite values; copy the bundle again"
            )
        return SENTENCE, values
    wording = np.zeros_like(query)
    for block in bundle.scoring.blocks[2:]:
        wording[block] = query[block]
    return (WORDING if wording.any() else None), _products(bundle.vectors, wording)


def _products(rows: Floats, vector: Floats) -> Floats:
    parts = [
        rows[at : at + _CHUNK].astype(np.float32, copy=False) @ vector.astype(np.float32)
        for at in range(0, len(rows), _CHUNK)
    ]
    return np.concatenate(parts)
