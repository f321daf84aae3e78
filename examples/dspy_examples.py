"""DSPy: demonstrations chosen by skill for each question, where `dspy.KNN` would be.

pip install 'skillshot[dspy]'
python examples/dspy_examples.py models/selector "How many apples are left?"
"""

import sys

import dspy

from skillshot.integrations.dspy import SkillshotRetriever


class Solve(dspy.Module):
    """Answers a question with demonstrations of its own."""

    def __init__(self, bundle: str) -> None:
        super().__init__()
        self.retrieve = SkillshotRetriever(bundle, k=2)
        self.solve = dspy.Predict("question -> rationale, answer")

    def forward(self, question: str) -> dspy.Prediction:
        """Ask the language model that `dspy.configure` names."""
        return self.solve(question=question, demos=self.retrieve(question=question))


def main(bundle: str, question: str) -> None:
    """Ask a stand-in for a language model; put `dspy.LM("openai/...")` in its place."""
    dspy.configure(lm=dspy.utils.DummyLM([{"rationale": "5 - 2 = 3", "answer": "3"}]))
    program = Solve(bundle)
    print(program(question=question).answer)
    for example in program.retrieve(question=question):
        print(f"{example.score:.2f} {example.question}")


if __name__ == "__main__":
    main(*sys.argv[1:])
