"""LangChain: a few-shot prompt whose examples are chosen by skill, sync and async.

pip install '.[langchain]'
python examples/langchain_prompt.py selector "How many apples are left?"
"""

import asyncio
import sys

from langchain_core.prompts import FewShotPromptTemplate, PromptTemplate

from skillshot.integrations.langchain import SkillshotExampleSelector


def main(bundle: str, question: str) -> None:
    """Print the prompt; the async form gives the same."""
    template = FewShotPromptTemplate(
        # the template calls the question "input" and the rationale "steps"
        example_selector=SkillshotExampleSelector(bundle, k=2, fields={"question": "input", "rationale": "steps"}),
        example_prompt=PromptTemplate.from_template("Question: {input}\nAnswer: {steps} So it is {answer}."),
        suffix="Question: {input}\nAnswer:",
        input_variables=["input"],
    )
    text = template.format(input=question)
    assert asyncio.run(template.aformat(input=question)) == text
    print(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
