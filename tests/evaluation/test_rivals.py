"""Skill-KNN with counted calls, slices, and changed demonstrations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from helpers.llm_fakes import FakeEngine, examples, some_choices
from skillshot.cli.main import main
from skillshot.common.arrays import Floats
from skillshot.common.io import sha256_text
from skillshot.common.params import EvaluateParams
from skillshot.common.record import Record
from skillshot.evaluation.run import evaluate
from skillshot.evaluation.slices import by_slice, slice_of, variants
from skillshot.llm.cache import AnswerCache as Answers
from skillshot.llm.cached_engine import CachedEngine
from skillshot.selectors import choose as rivals
from skillshot.selectors import skill_knn


def embed(texts: Sequence[str]) -> Floats:
    rows = [np.random.default_rng(int(sha256_text(text)[:8], 16)).normal(size=8) for text in texts]
    x = np.array(rows, np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_skill_knn_counts_one_call_for_each_example_and_query_once(tmp_path: Path) -> None:
    bank, queries = examples(30), [*examples(5, 100), examples(1)[0]]
    engine = FakeEngine()
    recorded = CachedEngine(engine, Answers(tmp_path / "r"))
    result = skill_knn.choose(recorded, bank, queries, embed, 3)
    assert (result.bank.calls, result.queries.calls) == (30, 6)
    assert len(engine.calls) == 35, "the query that is also in the bank is described once"
    assert [len(chosen) for chosen in result.choices] == [3] * 6
    assert "e0" not in [record.id for record in result.choices[-1]], "nobody demonstrates itself"
    assert result.bank.prompt_tokens == sum(len(skill_knn.prompt(record).split()) for record in bank)
    again = skill_knn.choose(CachedEngine(engine, Answers(tmp_path / "r"), offline=True), bank, queries, embed, 3)
    assert again == result and len(engine.calls) == 35


def test_the_nearest_description_is_chosen_first() -> None:
    bank, queries = examples(30), examples(1, 200)
    engine = FakeEngine()
    texts, _ = skill_knn.describe(engine, bank)
    asked, _ = skill_knn.describe(engine, queries)
    scores = embed(asked)[0] @ embed(texts).T
    first = skill_knn.choose(engine, bank, queries, embed, 1).choices[0][0]
    assert scores[bank.index(first)] == pytest.approx(scores.max())


def test_slices_are_means_of_their_rows(tmp_path: Path) -> None:
    queries = [
        Record(q.id, q.question, q.rationale, q.answer, answer_type="number", metadata={"steps": ["x"] * (1 + i % 2)})
        for i, q in enumerate(examples(9))
    ]
    result = evaluate(
        FakeEngine(), Answers(tmp_path / "r"), queries, some_choices(queries), EvaluateParams(bootstrap=20), 0
    )
    slices = by_slice(result.rows, queries, "steps")
    assert {name: part["queries"] for name, part in slices.items()} == {"1": 5, "2": 4}
    mine = [r.nll for r in result.rows if r.selector == "random" and int(r.query[1:]) % 2 == 0 and r.nll is not None]
    assert slices["1"]["selectors"]["random"]["nll"] == pytest.approx(sum(mine) / 5, abs=1e-5)
    assert (slice_of(queries[0], "answer_type"), slice_of(queries[0], "nothing")) == ("number", "")


def test_variants_change_number_and_order_and_nothing_else() -> None:
    queries = examples(4)
    choices = some_choices(queries)
    changed = variants(choices, shots=(1, 2), orders=2, seed=5)
    assert not any(name.startswith("zero-shot") for name in changed)
    assert changed["skillshot@1"] == [chosen[:1] for chosen in choices["skillshot"]]
    assert changed["random:reversed"] == [chosen[::-1] for chosen in choices["random"]]
    for name in ("random:order1", "random:order2"):
        assert [sorted(r.id for r in d) for d in changed[name]] == [sorted(r.id for r in d) for d in choices["random"]]
    assert changed == variants(choices, shots=(1, 2), orders=2, seed=5) != variants(choices, (1, 2), 2, 6)


@pytest.fixture
def fake_model(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    engine = FakeEngine()
    monkeypatch.setattr("skillshot.llm.open.open_engine", lambda _: engine)

    def choose_all(
        _: str, queries: list[Record], names: Sequence[str], k: int, seed: int, *rest: object
    ) -> dict[str, rivals.Choice]:
        assert seed == 0 and len(rest) == 2
        made = {n: [rows[:k] for rows in chosen] for n, chosen in some_choices(queries).items() if n in names}
        return {n: rivals.Choice(chosen) for n, chosen in made.items()}

    monkeypatch.setattr(rivals, "choose_all", choose_all)
    return engine


def test_the_command_prints_one_document_and_a_second_run_is_offline(
    fake_model: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_text("".join(json.dumps(record.to_dict()) + "\n" for record in examples(8)))
    arguments = ["evaluate", "bundle", str(file), "--selectors", "random,question,skillshot", "--record",
                 str(tmp_path / "r"), "--limit", "6", "--json"]  # fmt: skip
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["queries"] == 6 and set(report["selectors"]) == {"random", "question", "skillshot"}
    calls = len(fake_model.calls)
    assert main([*arguments, "--offline", "--slice", "answer_type", "--out", str(tmp_path / "out")]) == 0
    again = json.loads(capsys.readouterr().out)
    assert len(fake_model.calls) == calls and again["selectors"] == report["selectors"]
    assert again["slices"]["answer_type"]["number"]["queries"] == 6
    assert (tmp_path / "out" / "evaluate_rows.csv").exists()
    assert main([*arguments[:-1], "--vary", "shots"]) == 0
    assert "skillshot@2" in capsys.readouterr().out
    assert main([*arguments, "--limit", "7", "--offline"]) == 2
    error = capsys.readouterr().err
    assert "--offline: " in error and "Traceback" not in error
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "bundle", str(file), "--limit", "0"])
