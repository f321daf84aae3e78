"""LangChain's prompt template takes our selector; DSPy where it is installed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from skillshot import Selector


def test_a_few_shot_template(bundle: Path) -> None:
    prompts = pytest.importorskip("langchain_core.prompts")
    from skillshot.integrations.langchain import SkillshotExampleSelector

    selector = SkillshotExampleSelector(bundle, k=2)
    template = prompts.FewShotPromptTemplate(
        example_selector=selector,
        example_prompt=prompts.PromptTemplate.from_template("Q: {question}\nA: {rationale} {answer}"),
        suffix="Q: {question}\nA:",
        input_variables=["question"],
    )
    text = template.format(question="How many in all?")
    best = Selector.load(bundle).select("How many in all?", k=2)
    assert text.endswith("Q: How many in all?\nA:")
    assert text.index(best[1].question) < text.index(best[0].question)
    assert asyncio.run(selector.aselect_examples({"question": "How many in all?"}))[-1]["id"] == best[0].id
    with pytest.raises(NotImplementedError, match="skillshot add"):
        selector.add_example({})
    with pytest.raises(KeyError):
        selector.select_examples({"a": "x", "b": "y"})


def test_dspy(bundle: Path) -> None:
    pytest.importorskip("dspy", reason="dspy is an extra that needs an older openai; not in the lock")
    from skillshot.integrations.dspy import SkillshotRetriever

    examples = SkillshotRetriever(bundle, k=3)(question="How many in all?")
    assert len(examples) == 3 and examples[0].inputs().keys() == ["question"]
