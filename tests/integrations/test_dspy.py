"""DSPy's own modules and optimizers take the selector. dspy needs an older openai than the lock has."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from skillshot import Selector
from skillshot.common.errors import BundleError, InputError

dspy: Any = pytest.importorskip("dspy", reason="dspy (extra `dspy`) is not installed: it needs an older openai")

from skillshot.integrations.dspy import SkillshotKNN, SkillshotRetriever  # noqa: E402

QUESTION = "How many in all?"


@pytest.fixture
def folder(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


class Solve(dspy.Module):  # type: ignore[misc]
    """Answers with demonstrations of its own for each question."""

    def __init__(self, knn: SkillshotKNN) -> None:
        super().__init__()
        self.knn = knn
        self.solve = dspy.ChainOfThought("question -> answer")

    def forward(self, question: str) -> Any:
        return self.solve(question=question, demos=self.knn(question=question))


def test_it_is_called_like_knn_and_keeps_the_names_that_were_asked(folder: Path) -> None:
    best = Selector.load(folder).select(QUESTION, 3)
    knn = SkillshotKNN(3, folder)
    examples = knn(question=QUESTION)
    assert [example.question for example in examples] == [d.question for d in best]
    assert list(examples[0].inputs().keys()) == ["question"]
    assert examples[0].reasoning == best[0].rationale and "rationale" not in examples[0]
    (first, *_) = knn(problem=QUESTION)
    assert first.problem == best[0].question and list(first.inputs().keys()) == ["problem"] and "question" not in first
    own = SkillshotKNN(1, folder, fields={"question": "problem", "rationale": "steps", "answer": "result"})
    (first,) = own(problem=QUESTION, style="short")
    assert (first.problem, first.steps, first.result) == (best[0].question, best[0].rationale, best[0].answer)
    assert [d.id for d in SkillshotRetriever(folder, k=3)(question=QUESTION)] == [d.id for d in best]
    with pytest.raises(InputError, match="input_key="):
        knn(a="x", b="y")


def test_the_filters_of_select(folder: Path) -> None:
    selector = Selector.load(folder)
    found = selector.select(QUESTION, 4)
    knn = SkillshotKNN(2, selector, exclude=[found[0].id], min_score=found[2].score)
    assert [example.id for example in knn(question=QUESTION)] == [d.id for d in found[1:3]]


def test_chain_of_thought_shows_the_rationale_as_reasoning(folder: Path) -> None:
    lm = dspy.utils.DummyLM([{"reasoning": "5 - 2 = 3", "answer": "3"}] * 3)
    best = Selector.load(folder).select(QUESTION, 1)[0]
    with dspy.context(lm=lm):
        assert Solve(SkillshotKNN(1, folder))(question=QUESTION).answer == "3"
    asked = lm.history[-1]["messages"]
    (shown,) = [turn["content"] for turn in asked if turn["role"] == "assistant"]
    assert best.rationale in shown and best.answer in shown
    assert any(best.question in turn["content"] for turn in asked if turn["role"] == "user")


def test_a_compiled_program_is_saved_and_loaded(folder: Path, tmp_path: Path) -> None:
    program = Solve(SkillshotKNN(2, Selector.load(folder, "lite"), min_score=-1, fields={"answer": "answer"}))
    trained = [dspy.Example(question="What is 1 + 1?", reasoning="It is 2.", answer="2").with_inputs("question")]
    compiled = dspy.LabeledFewShot(k=1).compile(program, trainset=trained)
    compiled.save(tmp_path / "program.json")
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    loaded = Solve(SkillshotKNN(7, other))
    loaded.load(tmp_path / "program.json")
    assert (loaded.knn.k, loaded.knn.min_score, loaded.knn.selector.mode) == (2, -1, "lite")
    assert loaded.knn.selector.options.folder == folder
    assert loaded.solve.predict.demos[0]["answer"] == "2"
    asked = {"question": QUESTION}
    assert [e.toDict() for e in loaded.knn(**asked)] == [e.toDict() for e in program.knn(**asked)]
    retriever = Solve(SkillshotRetriever(other))
    retriever.load(tmp_path / "program.json")
    assert retriever.knn.k == 2 and copy.deepcopy(retriever).knn.k == 2
    shutil.rmtree(folder)
    with pytest.raises(BundleError, match="not a bundle"):
        Solve(SkillshotKNN(1, other)).load(tmp_path / "program.json")


def test_a_whole_program_is_saved_too(folder: Path, tmp_path: Path) -> None:
    program = dspy.ChainOfThought("question -> answer")
    program.knn = SkillshotKNN(2, folder)
    program.save(tmp_path / "whole", save_program=True)
    loaded = dspy.load(str(tmp_path / "whole"), allow_pickle=True)
    assert [e.id for e in loaded.knn(question=QUESTION)] == [e.id for e in program.knn(question=QUESTION)]


def test_where_knn_is_in_an_optimizer(folder: Path) -> None:
    lm = dspy.utils.DummyLM([{"reasoning": "5 - 2 = 3", "answer": "3"}] * 20)
    optimizer = dspy.KNNFewShot.__new__(dspy.KNNFewShot)
    optimizer.KNN, optimizer.few_shot_bootstrap_args = SkillshotKNN(2, folder), {"max_bootstrapped_demos": 0}
    with dspy.context(lm=lm):
        compiled = optimizer.compile(dspy.ChainOfThought("question -> answer"))
        assert compiled(question=QUESTION).answer == "3"
    best = Selector.load(folder).select(QUESTION, 2)
    text = str(lm.history[-1]["messages"])
    assert all(d.question[:40] in text for d in best)


def test_a_trainset_gives_its_own_examples(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [Selector.load(folder).record(row) for row in range(5)]
    trainset = [
        dspy.Example(problem=r.question, reasoning=r.rationale, result=r.answer, mark=r.id).with_inputs("problem")
        for r in records
    ]
    seen: list[dict[str, str]] = []

    class Fitted(Selector):
        def select(self, question: Any, *given: Any, **settings: Any) -> Any:
            found = super().select(question, *given, **settings)
            return [type(d)("3", d.question, d.rationale, d.answer, d.score) for d in found[:1]]

    monkeypatch.setattr("skillshot.api.fit", lambda rows: seen.extend(rows) or Fitted.load(folder))
    knn = SkillshotKNN(2, trainset, fields={"answer": "result"})
    assert seen[1] == {"question": records[1].question, "rationale": records[1].rationale,
                       "answer": records[1].answer, "id": "1"}  # fmt: skip
    assert knn(problem=QUESTION) == [trainset[3]]
