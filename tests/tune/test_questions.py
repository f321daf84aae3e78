"""Rows of a bank as questions: which rows, what they may be shown, and a prediction that did not see them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers import tiny_bundle
from skillshot.common.errors import BundleError
from skillshot.common.record import Record
from skillshot.runtime.store import question_key
from skillshot.selectors.choose import choose_rows
from skillshot.selectors.pool import Pool
from skillshot.tune.questions import BankQuestions, _owners, _same, bank_questions


def test_a_question_is_never_shown_itself_or_its_duplicate(questions: BankQuestions) -> None:
    keys = [question_key(record.question) for record in questions.records]
    for i in range(40):
        own = int(questions.rows[i])
        for weights in (questions.weights, np.array([0.0, 1.0, 0.0])):
            chosen = questions.choose(i, weights, 4)
            assert len(set(chosen)) == 4 and keys[own] not in {keys[row] for row in chosen}


def test_a_text_and_a_group_are_asked_once() -> None:
    records = [
        Record("a", "How many?", "1", "1"),
        Record("b", "HOW many?", "1", "1"),
        Record("c", "One", "1", "1", group="g"),
        Record("d", "Two", "1", "1", group="g"),
        Record("e", "One", "1", "1"),
    ]
    owners = _owners(records)
    assert owners.tolist() == [0, 0, 2, 2, 4]
    assert _same(records, np.array([2]), owners).tolist() == [[False, False, True, True, True]]


def test_predictions_are_those_of_a_model_that_did_not_see_the_row(questions: BankQuestions, bundle: Path) -> None:
    pool = Pool(bundle)
    asked = [questions.records[row] for row in questions.rows[:60]]
    block = pool.scoring("full").blocks[0]
    seen = pool.query_vectors("skillshot", asked)[:, block] / (2 * pool.scoring("full").shares[0])
    own = questions.target[questions.rows[:60]]
    fitted = np.einsum("ij,ij->i", seen, own).mean()
    honest = np.mean([questions.found.structure[i, row] for i, row in enumerate(questions.rows[:60])])
    assert 0.2 < honest < fitted


def test_choices_fit_better_than_by_wording_and_no_better_than_those_of_a_model_that_saw_the_row(
    questions: BankQuestions, bundle: Path
) -> None:
    asked = [questions.records[row] for row in questions.rows[:40]]
    sets = {
        "served": choose_rows(Pool(bundle), asked, "skillshot", 4),
        "ours": [questions.choose(i, questions.weights, 4) for i in range(40)],
        "sentence": [questions.choose(i, np.array([0.0, 1.0, 0.0]), 4) for i in range(40)],
    }
    truth = questions.found.truth
    quality = {name: np.mean([truth[i, list(rows)].mean() for i, rows in enumerate(of)]) for name, of in sets.items()}
    assert quality["sentence"] + 0.1 < quality["ours"] < quality["served"] + 0.02


def test_shares_sum_to_one_and_divide_the_skill_as_before(questions: BankQuestions) -> None:
    before, after = questions.scoring.shares, questions.shares(np.array([0.5, 0.3, 0.2]))
    assert sum(after) == pytest.approx(1, abs=1e-5)
    assert after[1] / after[0] == pytest.approx(before[1] / before[0], rel=1e-3)


def test_a_bundle_without_the_penalties_of_its_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no metric 'ridge'.*fit again"):
        bank_questions(tiny_bundle.make(tmp_path / "tiny"), 0)
