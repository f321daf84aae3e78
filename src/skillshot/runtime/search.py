"""From questions to rows of the bank: search, filters, hedging, confidence."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.errors import InputError
from skillshot.common.record import Record, normalise_question
from skillshot.common.text import shown
from skillshot.runtime.bank import Bank
from skillshot.runtime.hedge import CANDIDATES, hedge
from skillshot.runtime.index import ExactIndex
from skillshot.runtime.opening import OpenBundle
from skillshot.runtime.store import question_key
from skillshot.runtime.types import Question, parse


class Found(NamedTuple):
    """A chosen row of the bank.

    query: the row (z,) of the question that it was chosen for. vector: its own (z,), float32.
    state: of the bank; see `Candidates`.
    """

    row: int
    record: Record
    score: float
    confidence: float
    query: Floats
    vector: Floats
    state: str


def find(
    bundle: OpenBundle,
    questions: Sequence[Question],
    k: int,
    exclude: Collection[str] = (),
    where: Mapping[str, Any] | None = None,
    min_score: float | None = None,
    min_confidence: float | None = None,
) -> list[list[Found]]:
    """The k best demonstrations of each question, best first, in one pass of the encoder.

    Raises:
        InputError: an argument is refused; see `Selector.select`.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise InputError(f"k={shown(k)}: expected a whole number of at least 1")
    if isinstance(questions, str | bytes | Mapping) or not isinstance(questions, Iterable):
        raise InputError(f"questions={shown(questions)}: expected a list of questions; for one, use select")
    low, sure = _low(min_score), _sure(min_confidence)
    asked = [parse(question) for question in questions]
    if not asked:
        return []
    excluded, asked_for = excluded_ids(bundle.bank, exclude), conditions(where)
    vectors = bundle.policy([text for _, text in asked])
    return [
        _choose(bundle, vector, question, k, excluded, asked_for, low, sure)
        for vector, (question, _) in zip(vectors, asked, strict=True)
    ]


def recall(bundle: OpenBundle, questions: Sequence[Question], k: int) -> float:
    """Share of the exact k highest scores that the bundle's index finds too (recall@k)."""
    bank = bundle.folder_bank
    exact, shares = ExactIndex(bank.vectors), []
    for vector in bundle.policy([parse(question)[1] for question in questions]):
        _, scores = exact.search(vector, k)
        _, found = bank.index.search(vector, k)
        shares.append(np.mean(found >= scores.min() - 1e-5) if len(scores) else 1.0)
    return float(np.mean(shares))


def _low(min_score: Any) -> float:
    """The lowest score that is wanted, a number from -2 to 2."""
    if min_score is None:
        return -2.0
    if isinstance(min_score, bool) or not isinstance(min_score, int | float | np.integer | np.floating):
        raise InputError(f"min_score={shown(min_score)}: expected a cosine, from -1 to 1")
    if min_score != min_score:
        raise InputError("min_score=nan: expected a cosine, from -1 to 1")
    return float(max(-2.0, min(2.0, min_score)))  # beyond the range of a cosine all bounds are one


def _sure(min_confidence: Any) -> float:
    """The lowest confidence that is wanted, a probability."""
    if min_confidence is None:
        return 0.0
    number = isinstance(min_confidence, int | float | np.integer | np.floating)
    if isinstance(min_confidence, bool) or not number or not 0 <= min_confidence <= 1:
        raise InputError(f"min_confidence={shown(min_confidence)}: expected a probability, from 0 to 1")
    return float(min_confidence)


def excluded_ids(bank: Bank, exclude: Any) -> frozenset[str]:
    """Ids that must not be chosen."""
    if isinstance(exclude, str):
        exclude = [exclude]
    if isinstance(exclude, bytes | Mapping) or not isinstance(exclude, Iterable):
        raise InputError(f"exclude={shown(exclude)}: expected a list of ids")
    names = list(exclude)
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"exclude: {shown(name)}: expected the id of a demonstration, which is a text")
    for name in bank.missing(names) if names else ():
        raise InputError(f"exclude: no demonstration has the id {shown(name)}")
    return frozenset(names)


def conditions(where: Any) -> dict[str, Any]:
    """The fields of `where` with the values that a row must have.

    Raises:
        InputError: it is no mapping of names to values of JSON.
    """
    if where is not None and not isinstance(where, Mapping):
        raise InputError(f"where={shown(where)}: expected a mapping of fields to values, e.g. {{'grade': 8}}")
    return dict(_condition(field, value) for field, value in (where or {}).items())


def _condition(field: Any, value: Any) -> tuple[str, Any]:
    if not isinstance(field, str):
        raise InputError(f"where: {shown(field)}: expected the name of a field, which is a text")
    if isinstance(value, np.generic):
        value = value.item()
    try:
        json.dumps(value, sort_keys=True, allow_nan=False)
    except (RecursionError, TypeError, ValueError):
        raise InputError(f"where: {shown(field)}: {shown(value)}: expected a value as in the bank's JSON") from None
    return field, value


def _choose(
    bundle: OpenBundle, vector: Floats, question: str, k: int, excluded: frozenset[str], where: Mapping[str, Any],
    low: float, sure: float,
) -> list[Found]:  # fmt: skip
    """A set of k rows without the question itself, excluded ids, duplicates and scores below `low`; best first."""
    key, scoring = np.uint64(question_key(question)), bundle.scoring
    width = max(CANDIDATES, k) + 1 + len(excluded)
    while True:
        found = bundle.bank.nearest(vector, width, where)
        fit = (found.keys != key) & (found.scores >= low)
        all_seen = len(found.rows) < width or found.scores[-1] < low
        if excluded:  # before the set is chosen, which would be hedged by what nobody sees
            fit &= np.array([found.record(place).id not in excluded for place in range(len(fit))], bool)
        places = np.flatnonzero(fit)
        chosen: dict[tuple[int, str], tuple[int, Record]] = {}  # by question and context, however written
        near = found.vectors(places[:CANDIDATES])
        for one in hedge(found.scores[places], near, scoring.weights, scoring.doubt, k):
            place = int(places[one])
            record = found.record(place)
            chosen.setdefault((int(found.keys[place]), normalise_question(record.context)), (place, record))
            if len(chosen) == k:
                break
        if len(chosen) == k or all_seen:
            best = sorted(chosen.values(), key=lambda one: one[0])
            taken = found.vectors(np.array([place for place, _ in best], np.intp))
            confidence = scoring.confidence(vector, taken, near).tolist()
            complete = [
                Found(int(found.rows[place]), record, float(found.scores[place]), value, vector, row, found.state)
                for (place, record), value, row in zip(best, confidence, taken, strict=True)
            ]
            return [one for one in complete if one.confidence >= sure]
        width *= 4
