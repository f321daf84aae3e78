"""Banks that teach little or nothing: every fit ends with finite rows of length 1 and a score that can be read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from skillshot.common.arrays import Floats
from skillshot.common.io import read_jsonl
from skillshot.common.params import TrainParams
from skillshot.common.record import Record
from skillshot.model.fitted import Fitted, run
from skillshot.runtime.manifest import _VERDICT
from skillshot.runtime.scoring import Scoring, check_score
from skillshot.training.axes import unit
from skillshot.training.fit import fit

QUICK = TrainParams().changed(epochs=2, latent_dim=4, structure_dim=8, hidden=8, device="cpu", min_gap=-1.0)
WIDTH = 16
TEMPLATE = Path(__file__).resolve().parents[3] / "shared/cases/banks/one_template.jsonl"
STEPS = ("{a} + {b} = 9, so add", "{a} - {b} = 9, so take away", "{a} * {b} = 9, so multiply")
ASKED = ["How many figs has Ann now?", "", "zzz", "3개의 사과", "word " * 300, "\ud800"]


def sums(count: int) -> list[Record]:
    made = []
    for i in range(count):
        a, b, thing = 2 + 7 * i % 23, 3 + 5 * i % 17, ("figs", "pens", "kites", "books")[i % 4]
        question = f"{('Ann', 'Bo', 'Cy')[i // 2 % 3]} has {a} {thing} and {b} more. How many? Case {i}"
        made.append(Record(str(i), question, STEPS[i % 3].format(a=a, b=b), str(a + b), answer_type="number"))
    return made


def changed(count: int, **fields: str) -> list[Record]:
    return [Record(r.id, **({"question": r.question, "rationale": r.rationale, "answer": r.answer} | fields))
            for r in sums(count)]  # fmt: skip


def doubled(count: int, share: float) -> list[Record]:
    """A bank of which a share are duplicates of other rows."""
    records = sums(count)
    copies = int(share * count)
    again = [Record(f"copy-{r.id}", r.question.upper(), r.rationale, r.answer) for r in records[:copies]]
    return [*records[: count - copies], *again]


def words(count: int) -> list[Record]:
    return [Record(str(i), f"w{i}", f"r{i}", str(i)) for i in range(count)]


def template() -> list[Record]:
    if not TEMPLATE.exists():
        pytest.skip("../shared/cases is not next to this checkout")
    rows = list(read_jsonl(TEMPLATE))
    return [Record(str(i), row["question"], row["rationale"], row["answer"]) for i, row in enumerate(rows)]


BANKS = {
    "1 row": lambda: sums(1),
    "2 rows": lambda: sums(2),
    "3 rows": lambda: sums(3),
    "5 rows": lambda: sums(5),
    "9 rows": lambda: sums(9),
    "12 rows": lambda: sums(12),
    "41 rows": lambda: sums(41),
    "all rationales equal": lambda: changed(50, rationale="Add the two counts. 3 + 4 = 7"),
    "all questions equal": lambda: changed(50, question="How many figs has Ann?"),
    "all rows equal": lambda: changed(50, question="How many figs?", rationale="3 + 4 = 7", answer="7"),
    "5 equal rows": lambda: changed(5, question="How many figs?", rationale="3 + 4 = 7", answer="7"),
    "no rationale": lambda: changed(50, rationale=""),
    "no rationale, one answer": lambda: changed(50, rationale="", answer="yes"),
    "30 % duplicates": lambda: doubled(60, 0.3),
    "duplicates alone": lambda: doubled(60, 0.5),
    "one word": lambda: words(50),
    "one word, 3 rows": lambda: words(3),
    "one letter": lambda: changed(20, question="a", rationale="b", answer="c"),
    "signs": lambda: changed(20, question="?!", rationale="...", answer="-"),
    "one template": template,
}  # fmt: skip


def random_unit(count: int, seed: int = 0) -> Floats:
    return unit(np.random.default_rng(seed).standard_normal((count, WIDTH)))


def check(fitted: Fitted, count: int) -> None:
    """What every fit promises."""
    rows = fitted.vectors["skillshot"]
    widths = fitted.score["widths"]
    assert rows.shape == (count, sum(widths) + 1) and np.isfinite(rows).all()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    check_score(json.loads(json.dumps(fitted.score, allow_nan=False)), "score")
    _VERDICT(json.loads(json.dumps(fitted.verdict, allow_nan=False)), "verdict")
    assert all(np.isfinite(value) for value in fitted.diagnostics.values()), fitted.diagnostics
    lexical = fitted.question_view.transform(ASKED)
    assert lexical.shape[1] == Scoring.of(fitted.score, "full").lexical
    for mode, inputs in (("full", [random_unit(len(ASKED), 1), lexical]), ("lite", [lexical])):
        asked = run(fitted.policies["skillshot" if mode == "full" else "lite"], *inputs)
        scores = asked @ rows.T
        assert np.isfinite(scores).all() and np.abs(scores).max() <= 1 + 1e-4
        scoring = Scoring.of(fitted.score, mode)
        for vector in asked:
            sure = scoring.confidence(vector, rows, rows)
            assert (sure >= 0).all() and (sure <= 1).all()


@pytest.mark.parametrize("name", BANKS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_degenerate_bank_is_fitted(name: str) -> None:
    bank = BANKS[name]()
    check(fit(bank, random_unit(len(bank)), None, QUICK, 0), len(bank))


@pytest.mark.parametrize("name", ["1 row", "12 rows", "all rationales equal", "30 % duplicates"])
def test_equal_embeddings_are_fitted(name: str) -> None:
    bank = BANKS[name]()
    check(fit(bank, np.tile(random_unit(1), (len(bank), 1)), None, QUICK, 0), len(bank))


@pytest.mark.parametrize("name", ["1 row", "5 rows", "41 rows", "all rationales equal", "one word"])
def test_baselines_of_a_degenerate_bank(name: str) -> None:
    bank = BANKS[name]()
    fitted = fit(bank, random_unit(len(bank)), random_unit(len(bank), 2), QUICK, 0)
    check(fitted, len(bank))
    assert set(fitted.vectors) == ({"skillshot"} if len(bank) < 40 else {"skillshot", "lars", "ridge"})


def test_where_nothing_can_be_learned_the_sentence_embedding_decides() -> None:
    for name in ("1 row", "5 rows", "all rationales equal"):
        bank = BANKS[name]()
        fitted = fit(bank, random_unit(len(bank)), None, QUICK, 0)
        assert fitted.score["full"]["shares"] == [0, 0, 1, 0], name


@pytest.mark.parametrize("count", [5, 12, 41])
def test_a_small_bank_is_ranked_as_its_embeddings_are(count: int) -> None:
    bank, embeddings = changed(count, rationale="3 + 4 = 7"), random_unit(count)
    fitted = fit(bank, embeddings, None, QUICK, 0)
    texts = [record.text for record in bank]
    rows = run(fitted.policies["skillshot"], embeddings, fitted.question_view.transform(texts))
    scores, cosines = rows @ fitted.vectors["skillshot"].T, embeddings @ embeddings.T
    assert (np.argsort(-scores, 1)[:, :3] == np.argsort(-cosines, 1)[:, :3]).mean() > 0.99


@pytest.mark.parametrize("lonely", [0, 6])
def test_one_right_example_among_wrong_ones(lonely: int) -> None:
    bank = [Record(r.id, r.question, r.rationale, r.answer, metadata={"correct": i == lonely})
            for i, r in enumerate(sums(7))]  # fmt: skip
    check(fit(bank, random_unit(7), None, QUICK, 0), 7)
