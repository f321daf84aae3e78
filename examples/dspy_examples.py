"""DSPy: demonstrations chosen by skill for each question, where `dspy.KNN` would be; saved with the program.

pip install '.[dspy]'
python examples/dspy_examples.py selector "How many apples are left?"
"""

import sys
import tempfile
from pathlib import Path

import dspy

from skillshot.integrations.dspy import SkillshotKNN


class Solve(dspy.Module):
    """Answers a question with demonstrations of its own."""

    def __init__(self, bundle: str, k: int = 2) -> None:
        super().__init__()
        self.knn = SkillshotKNN(k, bundle)
        self.solve = dspy.ChainOfThought("question -> answer")

    def forward(self, question: str) -> dspy.Prediction:
        """Ask the language model that `dspy.configure` names."""
        return self.solve(question=question, demos=self.knn(question=question))


def main(bundle: str, question: str) -> None:
    """Ask a stand-in for a language model; put `dspy.LM("openai/...")` in its place."""
    dspy.configure(lm=dspy.utils.DummyLM([{"reasoning": "5 - 2 = 3", "answer": "3"}]))
    with tempfile.TemporaryDirectory() as folder:
        Solve(bundle).save(Path(folder) / "program.json")
        program = Solve(bundle, k=1)
        program.load(Path(folder) / "program.json")  # k is 2 again
    print(program(question=question).answer)
    for example in program.knn(question=question):
        print(f"{example.score:.2f} {example.question}")


if __name__ == "__main__":
    main(*sys.argv[1:])
