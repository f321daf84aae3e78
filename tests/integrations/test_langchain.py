"""LangChain's own templates take the selector."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from skillshot import Selector
from skillshot.common.errors import InputError

prompts = pytest.importorskip("langchain_core.prompts", reason="langchain-core (extra `langchain`) is not installed")

from skillshot.integrations.langchain import SkillshotExampleSelector  # noqa: E402

QUESTION = "How many in all?"
BRACES = {
    "question": r"How many $\mathrm{m}$ in all, {really}?",
    "rationale": r"\frac{1}{2} }{ {{x}} {0} = 5",
    "answer": "5",
    "mark": "{}",
}


@pytest.fixture(scope="module")
def selector(bundle: Path) -> Selector:
    return Selector.load(bundle, "lite")


@pytest.fixture
def changing(bundle: Path, tmp_path: Path) -> Selector:
    return Selector.load(shutil.copytree(bundle, tmp_path / "copy"), "lite")


def few_shot(chooser: Any, **settings: Any) -> Any:
    return prompts.FewShotPromptTemplate(
        example_selector=chooser, input_variables=["question"],
        **{"example_prompt": prompts.PromptTemplate.from_template("Q: {question}\nA: {rationale} {answer} {skill}"),
           "suffix": "Q: {question}\nA:"} | settings,
    )  # fmt: skip


def test_a_few_shot_template_sync_and_async(selector: Selector) -> None:
    template = few_shot(SkillshotExampleSelector(selector, 2))
    text = template.format(question=QUESTION)
    best, second = selector.select(QUESTION, 2)
    assert text.endswith(f"Q: {QUESTION}\nA:") and text.index(second.question) < text.index(best.question)
    assert f"{best.answer} {best.metadata['skill']}\n" in text
    assert asyncio.run(template.aformat(question=QUESTION)) == text


def test_the_filters_of_select(selector: Selector) -> None:
    found = selector.select(QUESTION, 8)
    skill = found[3].metadata["skill"]
    for settings in (
        {"where": {"skill": skill}}, {"exclude": [d.id for d in found[:3]]}, {"min_score": found[1].score},
    ):  # fmt: skip
        rows = SkillshotExampleSelector(selector, 3, best_last=False, **settings).select_examples(
            {"question": QUESTION}
        )
        assert [row["id"] for row in rows] == [d.id for d in selector.select(QUESTION, 3, **settings)]
        assert rows[0]["metadata"]["skill"] == rows[0]["skill"] and isinstance(rows[0]["score"], float)


def test_names_of_the_users_own_both_ways(changing: Selector) -> None:
    names = {"question": "input", "answer": "output", "rationale": "steps"}
    chooser = SkillshotExampleSelector(changing, 1, fields=names, where={"skill": "pens"})
    new = {"input": "Bo has 4 pens and buys 3. How many?", "steps": "4 + 3 = 7", "output": "7", "skill": "pens"}
    made = chooser.add_example(new)
    assert len(chooser.selector) == len(changing) + 1 == len(changing.reload())
    (row,) = chooser.select_examples({"input": "Bo has 6 pens and buys 3. How many?", "style": "short"})
    assert row["id"] == made and {name: row[name] for name in new} == new
    assert asyncio.run(chooser.aadd_example({"input": "Why?", "steps": "So, 8.", "output": "8"})) != made
    with pytest.raises(InputError, match="`fields` maps"):
        chooser.add_example({"input": "Why?", "steps": "So, 8."})


def test_several_variables_without_a_question_name_the_setting(selector: Selector) -> None:
    chooser = SkillshotExampleSelector(selector)
    with pytest.raises(InputError, match=r"no variable 'question' among the inputs \(a, b\).*input_key='\.\.\.'"):
        chooser.select_examples({"a": "x", "b": "y"})
    assert SkillshotExampleSelector(selector, input_key="b").select_examples({"a": "x", "b": QUESTION})


@pytest.mark.parametrize("template_format", ["f-string", "jinja2"])
def test_braces_of_an_example_reach_the_prompt_as_they_are(changing: Selector, template_format: str) -> None:
    chooser = SkillshotExampleSelector(changing.add([BRACES]), where={"mark": "{}"})
    example = prompts.PromptTemplate.from_template("{question} => {rationale} {metadata} {options}")
    ask = "Ask: {question}" if template_format == "f-string" else "Ask: {{ question }}"
    asked = r"How many $\mathrm{m}$ in all, {truly}?"
    wanted = f"{BRACES['question']} => {BRACES['rationale']} {{'mark': '{{}}'}} []\n\nAsk: {asked}"
    template = few_shot(chooser, example_prompt=example, suffix=ask, template_format=template_format)
    assert template.format(question=asked) == wanted
    assert asyncio.run(template.aformat(question=asked)) == wanted
    # asked for by anything else, the values are as they are
    (row,) = chooser.select_examples({"question": asked})
    assert row["question"] == BRACES["question"]
    chat = prompts.FewShotChatMessagePromptTemplate(
        example_selector=chooser, input_variables=["question"],
        example_prompt=prompts.ChatPromptTemplate.from_messages([("human", "{question}"), ("ai", "{rationale}")]),
    )  # fmt: skip
    assert [turn.content for turn in chat.format_messages(question=asked)] == [BRACES["question"], BRACES["rationale"]]
