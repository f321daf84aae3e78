"""A bank that is larger than what is learned from: a sample is learned from, and all rows are encoded and judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from skillshot.common.arrays import Floats
from skillshot.common.params import TrainParams
from skillshot.common.record import Record
from skillshot.model.arrays import FittedLite
from skillshot.model.fitted import Fitted
from skillshot.sources.storyskills.draw import generate
from skillshot.training import lessons
from skillshot.training.fit import fit
from skillshot.training.lessons import Lessons
from skillshot.training.lite import fit_lite

LEARNED = 300


@pytest.fixture(scope="module")
def bank() -> list[Record]:
    return generate(900, seed=3)


def test_a_sample_is_learned_from_the_same_each_time(bank: list[Record]) -> None:
    rows = Lessons.of(bank, "none", LEARNED, 0).rows
    assert len(rows) == len(set(rows.tolist())) == LEARNED and (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, Lessons.of(bank, "none", LEARNED, 0).rows)
    assert not np.array_equal(rows, Lessons.of(bank, "none", LEARNED, 1).rows)
    assert Lessons.of(bank, "none", len(bank), 0).rows.tolist() == list(range(len(bank)))


def test_a_row_that_was_not_learned_from_is_encoded_as_one_that_was(
    bank: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = Lessons.of(bank, "none", LEARNED, 0).rows
    at_once = fit_lite(bank, 64, 0, "none", rows=LEARNED)
    alone = fit_lite([bank[i] for i in sampled], 64, 0, "none")
    assert at_once.diagnostics == alone.diagnostics | {"learned_rows": LEARNED}
    np.testing.assert_allclose(at_once.vectors[sampled], alone.vectors, atol=1e-6)
    left = np.setdiff1d(np.arange(len(bank)), sampled)
    features = (
        alone.question_view.transform([bank[i].text for i in left]),
        alone.rationale_view.transform([bank[i].rationale for i in left]),
    )
    np.testing.assert_allclose(at_once.vectors[left], alone.posterior.rows(*features), atol=1e-6)
    monkeypatch.setattr(lessons, "PART", 128)
    monkeypatch.setattr(lessons, "mapped", lambda function, parts, *_: map(function, parts))
    np.testing.assert_allclose(fit_lite(bank, 64, 0, "none", rows=LEARNED).vectors, at_once.vectors, atol=1e-6)


def test_wrong_rows_are_found_among_those_that_were_not_learned_from(bank: list[Record]) -> None:
    sampled = set(Lessons.of(bank, "none", LEARNED, 0).rows.tolist())
    swapped = np.random.default_rng(5).permutation(len(bank))[:90]
    given = np.roll(swapped, 1)
    damaged = list(bank)
    for row, other in zip(swapped.tolist(), given.tolist(), strict=True):
        damaged[row] = replace(bank[row], rationale=bank[other].rationale, answer=bank[other].answer)
    fitted = fit_lite(damaged, 64, 0, "none", rows=LEARNED)
    found = {one["id"] for one in fitted.suspicious}
    unread = [damaged[row].id for row in swapped.tolist() if row not in sampled]
    assert len(unread) > 40 and len(found & set(unread)) > 0.8 * len(unread)
    assert len(found) < 1.2 * len(swapped)
    last = {record.id: row for row, record in enumerate(damaged)}
    lengths = np.linalg.norm(fitted.vectors[[last[one] for one in sorted(found)], :-1], axis=1)
    assert (lengths < 0.8 * np.median(np.linalg.norm(fitted.vectors[:, :-1], axis=1))).all()


@pytest.mark.slow
@pytest.mark.parametrize("lite", [True, False])
def test_workers_give_what_one_process_gives(bank: list[Record], monkeypatch: pytest.MonkeyPatch, lite: bool) -> None:
    def fitted() -> FittedLite | Fitted:
        if lite:
            return fit_lite(damaged, 64, 0, "none", rows=LEARNED)
        embedded = np.random.default_rng(0).standard_normal((len(bank), 16)).astype(np.float32)
        embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
        return fit(damaged, embedded, None, TrainParams(rows=LEARNED, epochs=1, min_gap=-1, prior="none"), 0)

    damaged = [replace(one, rationale=bank[i - 1].rationale) if i % 10 == 0 else one for i, one in enumerate(bank)]
    monkeypatch.setattr(lessons, "PART", 450)
    shared = fitted()
    with monkeypatch.context() as here:
        here.setattr(lessons, "mapped", lambda function, parts, *_: map(function, parts))
        alone = fitted()
    assert len(alone.suspicious) > 40 and shared.suspicious == alone.suspicious
    np.testing.assert_allclose(_rows(shared), _rows(alone), atol=1e-6)


def _rows(fitted: FittedLite | Fitted) -> Floats:
    return fitted.vectors if isinstance(fitted, FittedLite) else fitted.vectors["skillshot"]
