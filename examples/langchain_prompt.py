"""LangChain: a few-shot prompt whose examples are chosen by skill, sync and async.

pip install 'skillshot[langchain]'
python examples/langchain_prompt.py models/selector "How many apples are left?"
"""

import asyncio
import sys

from langchain_core.prompts import FewShotPromptTemplate, PromptTemplate

from skillshot.integrations.langchain import SkillshotExampleSelector


def main(bundle: str, question: str) -> None:
    """Print the prompt; the async form gives the same."""
    template = FewShotPromptTemplate(
        example_selector=SkillshotExampleSelector(bundle, k=2),
        example_prompt=PromptTemplate.from_template("Question: {question}\nAnswer: {rationale} So it is {answer}."),
        suffix="Question: {question}\nAnswer:",
        input_variables=["question"],
    )
    text = template.format(question=question)
    assert asyncio.run(template.aformat(question=question)) == text
    print(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
