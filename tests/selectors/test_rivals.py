"""Every rival by its name: the adapters choose what the packages choose, the paid ones say what they paid."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.llm_fakes import FakeEngine
from helpers.story import Story
from skillshot.cli.main import main
from skillshot.common.errors import InputError
from skillshot.common.params import EvaluateParams
from skillshot.common.record import write_records
from skillshot.evaluation.results import Prices
from skillshot.evaluation.run import evaluate
from skillshot.evaluation.slices import skill_clusters
from skillshot.llm.cache import AnswerCache as Answers
from skillshot.runtime.prompt import render
from skillshot.selectors import sets, skill_knn
from skillshot.selectors.choose import Choice, choose, choose_all, choose_rows
from skillshot.selectors.cost import Cost
from skillshot.selectors.pool import Pool
from skillshot.selectors.registry import SELECTORS, SelectorSpec, find

PARAMS = EvaluateParams(bootstrap=50, max_tokens=40)


@pytest.fixture(scope="module")
def pool(bundle: Path) -> Pool:
    return Pool(bundle, 3)


def test_draws_of_random_differ_and_stay_the_same(pool: Pool, story: Story) -> None:
    queries = story[1][:6]
    first, second, third = (
        [list(r) for r in choose_rows(pool, queries, n, 4)] for n in ("random", "random-2", "random-3")
    )
    assert first != second != third != first
    assert second == [list(r) for r in choose_rows(pool, queries[::-1], "random-2", 4)][::-1]
    assert pool.seed == 3, "the draw is given back"
    for name in ("random-1", "random-N", "random-0"):
        with pytest.raises(InputError, match="choose from zero-shot, random, bm25"):
            choose_rows(pool, queries, name, 4)


@pytest.mark.parametrize("name", ["mmr", "dpp", "skillshot_mmr"])
def test_diverse_selectors_are_those_of_the_module_without_the_query_itself(
    pool: Pool, story: Story, name: str
) -> None:
    queries = [story[0][7], *story[1][:5]]  # the first is in the bank
    base, pick = ("skillshot", sets.mmr) if name == "skillshot_mmr" else ("question", getattr(sets, name))
    how = {"balance": 0.8} if name == "skillshot_mmr" else {}
    allowed, scores = pool.allowed(queries), pool.scores(base, queries)
    expected = [list(pick(scores[i], pool.vectors(base), 4, allowed=allowed[i], **how)) for i in range(6)]
    chosen = choose_rows(pool, queries, name, 4)
    assert [list(rows) for rows in chosen] == expected
    assert 7 not in chosen[0]
    assert any(set(rows) != set(best) for rows, best in zip(chosen, choose_rows(pool, queries, base, 4), strict=True))


def test_langchain_by_similarity_is_question_cosine(pool: Pool, story: Story) -> None:
    pytest.importorskip("langchain_core")
    queries = [story[0][7], *story[1][:9]]
    theirs = choose_rows(pool, queries, "langchain_similarity", 4)
    ours = choose_rows(pool, queries, "question", 4)
    assert [sorted(rows) for rows in theirs] == [sorted(rows) for rows in ours]
    assert 7 not in theirs[0] and all(len(rows) == 4 for rows in theirs)


def test_langchain_mmr_is_their_own(pool: Pool, story: Story) -> None:
    pytest.importorskip("langchain_core")
    queries = story[1][:9]
    # the bundle holds what LangChain asks for, the embeddings of the bank's questions
    kept = pool._texts.setdefault("fp32", {})
    kept.update(zip([record.text for record in pool.records], pool.vectors("question"), strict=True))
    theirs = choose_rows(pool, queries, "langchain_mmr", 4)
    nearest = choose_rows(pool, queries, "question", 4)
    assert [rows[0] for rows in theirs] == [rows[0] for rows in nearest], "the most relevant comes first"
    assert [set(rows) for rows in theirs] != [set(rows) for rows in nearest]
    within = set(choose_rows(pool, queries[:1], "question", 20)[0])
    assert set(theirs[0]) <= within, "LangChain fetches 20 candidates"


def test_dspy_knn_on_the_same_bank(pool: Pool, story: Story) -> None:
    pytest.importorskip("dspy", reason="DSPy is not in the lock: pip install dspy")
    queries = [story[0][7], *story[1][:5]]
    rows = choose_rows(pool, queries, "dspy_knn", 4)
    asked = pool.embed([f"question: {query.text}" for query in queries])
    bank = pool.embed([f"question: {record.text}" for record in pool.records])
    scores = np.where(pool.allowed(queries), asked @ bank.T, -np.inf)
    assert [sorted(chosen) for chosen in rows] == [sorted(np.argsort(-row)[:4]) for row in scores]


ADAPTERS = [spec for spec in SELECTORS if spec.package]


@pytest.mark.parametrize("spec", ADAPTERS, ids=lambda spec: spec.name)
def test_a_missing_package_is_named(
    pool: Pool, story: Story, spec: SelectorSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, spec.package.replace("-", "_"), None)
    with pytest.raises(
        InputError, match=rf"{spec.name}: needs the package {spec.package} .*\npip install {spec.package}, or"
    ):
        choose_rows(pool, story[1][:1], spec.name, 4)


def test_other_selectors_import_no_package_of_the_adapters(bundle: Path, story: Story) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for spec in ADAPTERS:
            patch.setitem(sys.modules, spec.package.replace("-", "_"), None)
        chosen = choose(bundle, story[1][:2], ["question", "mmr", "zero-shot"])
    assert [len(rows) for rows in chosen["mmr"]] == [4, 4] and chosen["zero-shot"] == [[], []]


def test_the_registry_names_each_selector_once_and_what_it_compares() -> None:
    names = [spec.name for spec in SELECTORS]
    assert len(set(names)) == len(names)
    vectors = {"question", "ridge", "lars", "skillshot", "rationale", ""}
    for spec in SELECTORS:
        assert spec.vectors in vectors and not (spec.needs_llm and spec.default)
        assert (spec.pick is None) == (not spec.scores)
    assert [spec.name for spec in SELECTORS if spec.needs_rationale] == ["oracle", "oracle_features"]
    with pytest.raises(InputError, match="choose from zero-shot"):
        find("skill_knn", llm=False)


def test_skill_knn_and_retrieval_r_are_paid_and_say_so(bundle: Path, story: Story, tmp_path: Path) -> None:
    queries, engine = story[1][:5], FakeEngine()
    params = EvaluateParams(bootstrap=50, max_tokens=40, skill_knn_bank=30)
    names = ("random", "question", "skill_knn", "retrieval_r")
    made = choose_all(bundle, queries, names, 3, 1, engine, params)
    assert (made["skill_knn"].bank.calls, made["skill_knn"].queries.calls) == (30, 5)
    assert (made["retrieval_r"].bank.calls, made["retrieval_r"].queries.calls) == (0, 5)
    size = len(story[0])
    assert made["skill_knn"].note == f"chose among 30 of the bank's {size} examples (evaluate.skill_knn_bank)"
    assert made["question"] == Choice(made["question"].demonstrations) and len(engine.calls) == 40
    choices = {name: chosen.demonstrations for name, chosen in made.items()}
    result = evaluate(
        engine, Answers(tmp_path / "r"), queries, choices, params, 1, selection=made, prices=Prices(2.0, 10.0)
    )
    rows = result.summary["selectors"]
    assert (rows["skill_knn"]["bank_calls"], rows["skill_knn"]["selection_calls"]) == (30, 5)
    assert rows["retrieval_r"]["selection_calls"] == 5 and rows["question"]["selection_calls"] == 0
    assert rows["skill_knn"]["bank_prompt_tokens"] == made["skill_knn"].bank.prompt_tokens > 0
    paid = rows["retrieval_r"]
    read = paid["prompt_tokens"] + paid["selection_prompt_tokens"]
    written = paid["completion_tokens"] + paid["selection_completion_tokens"]
    assert paid["money"] == pytest.approx((2 * read + 10 * written) / 1e6, abs=1e-6) and paid["bank_money"] == 0
    assert result.summary["notes"] == {"skill_knn": made["skill_knn"].note}
    assert set(result.timing["selection"]) == set(names)
    unpriced = evaluate(engine, Answers(tmp_path / "r"), queries, choices, params, 1)
    assert "money" not in unpriced.summary["selectors"]["question"] and "notes" not in unpriced.summary


def test_skill_knn_stays_within_its_cap(bundle: Path, story: Story) -> None:
    params = EvaluateParams(skill_knn_bank=6)
    chosen = choose_all(bundle, story[1][:9], ["skill_knn"], 3, 1, FakeEngine(), params)["skill_knn"]
    assert len({record.id for rows in chosen.demonstrations for record in rows}) <= 6
    whole = choose_all(bundle, story[1][:1], ["skill_knn"], 3, 1, FakeEngine(), EvaluateParams())["skill_knn"]
    assert (whole.bank.calls, whole.note) == (len(story[0]), "")


def test_retrieval_r_looks_for_the_rationale_that_was_written(bundle: Path, story: Story) -> None:
    bank, queries = story[0], story[1][:3]
    pool = Pool(bundle)
    wanted = [bank[11], bank[23], bank[35]]

    class Dictated(FakeEngine):
        def complete(self, prompts, decoding):  # type: ignore[no-untyped-def]
            shown = choose_rows(pool, queries, "question", 2)
            for i, result in super().complete(prompts, decoding):
                query, rows = queries[i], shown[i]
                assert prompts[i] == render([pool.records[row] for row in rows], query.question, query.context)
                yield i, type(result)(f" {wanted[i].rationale}\nThe answer is 3.", 7, 5, "stop", 0.5)

    chosen = choose_all(bundle, queries, ["retrieval_r"], 2, 0, Dictated(), PARAMS)["retrieval_r"]
    oracle = choose_rows(pool, [dataclasses.replace(wanted[i], question=f"new {i}") for i in range(3)], "oracle", 2)
    assert chosen.demonstrations == [[pool.records[row] for row in rows] for rows in oracle]
    assert [rows[0].rationale for rows in chosen.demonstrations] == [record.rationale for record in wanted]
    assert chosen.queries == Cost(3, 21, 15, 1.5)


def test_skill_clusters_hold_like_skills(bundle: Path, story: Story) -> None:
    bank = story[0][::3]
    of = skill_clusters(Pool(bundle), bank, 0, 8)
    assert set(of) == {record.id for record in bank} and 3 <= len(set(of.values())) <= 8
    pairs = [(a, b) for a in bank for b in bank if a.id < b.id]
    similar = [of[a.id] == of[b.id] for a, b in pairs if a.metadata["skill"] == b.metadata["skill"]]
    others = [of[a.id] == of[b.id] for a, b in pairs if a.metadata["skill"] != b.metadata["skill"]]
    assert sum(similar) / len(similar) > 2 * sum(others) / len(others)


def test_score_takes_other_selectors(
    bundle: Path, story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_records(tmp_path / "q.jsonl", story[1][:8])
    asked = ["score", str(bundle), str(tmp_path / "q.jsonl"), "--label", "skill", "--json", "--selectors"]
    assert main([*asked, "question,mmr,random-2"]) == 0
    assert set(json.loads(capsys.readouterr().out)["selectors"]) == {"question", "mmr", "random-2"}
    assert main([*asked, "skill_knn"]) == 2
    assert "choose from zero-shot" in capsys.readouterr().err


def test_an_unknown_selector_is_refused_before_anything_is_paid(bundle: Path, story: Story) -> None:
    engine = FakeEngine()
    with pytest.raises(InputError, match=r"selector 'knn': choose from zero-shot, .*skill_knn, retrieval_r"):
        choose_all(bundle, story[1][:2], ["skill_knn", "knn"], 2, 0, engine, PARAMS)
    assert not engine.calls and skill_knn.DECODING.max_tokens == 32
