"""What plain question similarity would have chosen: the counterfactual of an explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.record import Record, normalise_question
from skillshot.runtime.bank import SimilarityQuery
from skillshot.runtime.hedge import CANDIDATES
from skillshot.runtime.opening import OpenBundle
from skillshot.runtime.search import Found, conditions, excluded_ids
from skillshot.runtime.store import question_key
from skillshot.runtime.types import Filters

SENTENCE, WORDING = "cosine of sentence embeddings", "the score's parts sentence and words"


class Other(NamedTuple):
    """A row that similarity would have chosen. rank: from 1. vector: (z,)."""

    row: int
    record: Record
    similarity: float
    rank: int
    vector: Floats


class Similar(NamedTuple):
    """measure: how it was measured, None where it cannot be.

    values, ranks: similarity and rank, from 1, by row, of the chosen rows among others.
    taken: what similarity would have chosen, best first.
    """

    measure: str | None
    values: Mapping[int, float]
    ranks: Mapping[int, int]
    taken: Sequence[Other]


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
    measure, wording = _wording(bundle, asked, text, found[0].query)
    if measure is None:
        return Similar(None, {}, {}, [])
    excluded = excluded_ids(bundle.bank, filters.get("exclude", ()))
    where, rows = conditions(filters.get("where")), np.array([one.row for one in found])
    first = k + CANDIDATES
    while True:
        ranks, near = bundle.bank.similar(wording, first, rows, excluded, where)
        taken: dict[tuple[int, str], int] = {}  # without duplicates, as in a selection
        for place in range(min(first, int((ranks <= first).sum()))):
            taken.setdefault((int(near.keys[place]), normalise_question(near.record(place).context)), place)
            if len(taken) == k:
                break
        if len(taken) == k or len(ranks) < first:
            break
        first *= 4
    places = list(taken.values())
    vectors = near.vectors(np.array(places, np.intp))
    return Similar(
        measure,
        dict(zip(near.rows.tolist(), near.scores.tolist(), strict=True)),
        dict(zip(near.rows.tolist(), ranks.tolist(), strict=True)),
        [
            Other(int(near.rows[place]), near.record(place), float(near.scores[place]), int(ranks[place]), vector)
            for place, vector in zip(places, vectors, strict=True)
        ],
    )


def _wording(bundle: OpenBundle, asked: str, text: str, query: Floats) -> tuple[str | None, SimilarityQuery]:
    key, embedding = np.uint64(question_key(asked)), bundle.policy.embed([text])
    if embedding is not None and bundle.bank.sentences == embedding.shape[1]:
        return SENTENCE, SimilarityQuery(embedding[0], True, key)
    wording = np.zeros_like(query)
    for block in bundle.scoring.blocks[2:]:
        wording[block] = query[block]
    return (WORDING if wording.any() else None), SimilarityQuery(wording, False, key)
