"""MLflow: prompts for a table of questions from a registered (or saved) model.

pip install '.[pipeline]'
python examples/mlflow_batch.py models:/skillshot-selector@champion "How many apples are left?" "What do 3 pens cost?"
"""

import sys

import mlflow
import pandas as pd


def main(model: str, *questions: str) -> None:
    """Print the two best demonstrations of each question, then its prompt."""
    selector = mlflow.pyfunc.load_model(model)
    table = pd.DataFrame({"question": questions})
    for question, chosen in zip(questions, selector.predict(table, params={"k": 2}), strict=True):
        print(question, [demonstration["id"] for demonstration in chosen])
    print(selector.predict(table, params={"k": 2, "prompt": True})[-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
