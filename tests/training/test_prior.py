from __future__ import annotations

import numpy as np
import pytest

from skillshot.common.errors import InputError
from skillshot.common.params import default_params
from skillshot.common.record import Record
from skillshot.features.prior import prior_named
from skillshot.training.blend import SAFE
from skillshot.training.learned import PRIOR, learn
from skillshot.training.lessons import Lessons
from skillshot.training.prior import WIDTH, learn_prior

NOUNS = ("apples", "books", "coins", "stamps", "shells", "cards", "pens", "cakes")
OTHERS = ("horses", "lamps", "stones", "tickets", "bricks", "plates", "seeds", "boats")


def _bank(nouns: tuple[str, ...], plus: str, share: str) -> tuple[list[str], list[str]]:
    """Two kinds of questions about the same nouns, whose rationales are written in the bank's own words."""
    questions, rationales = [], []
    for i in range(60):
        noun, a, b = nouns[i % len(nouns)], 3 + i, 2 + i % 5
        if i % 2:
            questions.append(f"There are {a} {noun} and {b} more {noun}. How many {noun} are there in total?")
            rationales.append(f"{plus} {a} + {b} = {a + b}")
        else:
            questions.append(f"There are {a} {noun} for {b} people. How many {noun} does each get?")
            rationales.append(f"{share} {a} / {b} = {a / b}")
    return questions, rationales


@pytest.fixture(scope="module")
def banks() -> dict[str, tuple[list[str], list[str]]]:
    return {
        "one": _bank(NOUNS, "we add both numbers", "we divide by the people"),
        "two": _bank(OTHERS, "the sum of the two is", "an equal part for everyone is"),
    }


def test_it_carries_over_to_a_bank_of_other_words(banks: dict[str, tuple[list[str], list[str]]]) -> None:
    view = learn_prior(banks, 0)
    assert view.width == WIDTH
    rows = view.transform(
        [
            "There are 9 kites and 4 more kites. How many kites are there in total?",
            "There are 70 roses and 6 more roses. How many roses are there in total?",
            "There are 9 kites for 4 people. How many kites does each get?",
        ]
    )
    rows -= rows.mean(0)
    cosine = rows @ rows.T / np.outer(*[np.linalg.norm(rows, axis=1)] * 2)
    assert cosine[0, 1] > 0.5 > 0 > cosine[0, 2]


def test_words_of_one_bank_are_read_as_their_shape(banks: dict[str, tuple[list[str], list[str]]]) -> None:
    view = learn_prior(banks, 0)
    assert "total" in view.vocabulary and "apples" not in view.vocabulary
    assert (view.transform(["How many apples are there?"]) == view.transform(["How many kites are there?"])).all()


def test_one_bank_is_too_few(banks: dict[str, tuple[list[str], list[str]]]) -> None:
    with pytest.raises(InputError, match=r"1 banks; give at least 2: a prior is what they share"):
        learn_prior({"one": banks["one"]}, 0)


def test_half_of_the_structure_is_the_priors(banks: dict[str, tuple[list[str], list[str]]]) -> None:
    questions = banks["one"][0]
    prior = prior_named("packaged")
    learned = learn(questions, questions, None, 128, 0, prior=prior)
    assert learned.rationale_view.prior is prior and learned.steps == prior.width
    assert learned.diagnostics["prior_share"] == PRIOR and learned.diagnostics["step_share"] == 0
    own = np.square(learned.target[:, : -learned.steps]).sum(1)
    assert np.allclose(own, 1 - PRIOR, atol=1e-5)
    shares = learned.judge(0, latent=False).modes["lite"].shares
    assert shares.structure == pytest.approx(1 - SAFE)


def test_only_a_bank_that_shows_no_reasoning_reads_it() -> None:
    def bank(rationale: str) -> list[Record]:
        return [
            Record.from_dict({"id": str(i), "question": f"How many are {i}?", "answer": str(i), "rationale": rationale})
            for i in range(12)
        ]

    assert Lessons.of(bank(""), "packaged", 20_000, 0).prior is prior_named("packaged")
    assert Lessons.of(bank(""), "none", 20_000, 0).prior is None
    assert Lessons.of(bank("add both"), "nowhere", 20_000, 0).prior is None  # not even looked for
    with pytest.raises(InputError, match="nowhere"):
        Lessons.of(bank(""), "nowhere", 20_000, 0)


def test_packaged_is_the_default() -> None:
    assert default_params([]).train.prior == "packaged"
