"""The registered model, which `mlflow models serve` serves: a bundle with one input column.

MLflow copies this file next to the model and runs it when it loads the model ("models from code"), so nothing is
pickled. Input: column `question` (string); params `k` (int, 4) and `prompt` (bool, false). Output per question: a list
of demonstrations as objects, or with `prompt` the finished prompt.
"""

from __future__ import annotations

from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

FIELDS = ("id", "question", "rationale", "answer", "score")


class SkillshotModel(PythonModel):  # type: ignore[misc]  # mlflow has no types
    """A `skillshot.Selector` as an MLflow model."""

    def load_context(self, context: PythonModelContext) -> None:
        """Open the bundle of the model."""
        from skillshot import Selector

        self.selector = Selector.load(context.artifacts["bundle"])

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> list[Any]:
        """Demonstrations or prompts for the rows of `model_input`.

        Raises:
            MlflowException: a question or a param is refused; the scoring server responds 400 with the message.
        """
        from skillshot.common.errors import SkillshotError

        params = {"k": 4, "prompt": False, **(params or {})}
        questions = [str(question) for question in model_input["question"]]
        try:
            if params["prompt"]:
                return [self.selector.prompt(question, k=params["k"]) for question in questions]
            batch = self.selector.select_batch(questions, k=params["k"])
        except SkillshotError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return [[_as_json(demonstration) for demonstration in found] for found in batch]


def _as_json(demonstration: Any) -> dict[str, Any]:
    row = {field: getattr(demonstration, field) for field in FIELDS}
    return {**row, "score": float(row["score"])}


mlflow.models.set_model(SkillshotModel())
