"""The registered model, which `mlflow models serve` serves: a bundle that answers each row of a table.

MLflow copies this file next to the model and runs it when it loads the model ("models from code"), so nothing is
pickled.

Columns: `question` (text), and where wanted `context` (text) and `options` (list of texts). MLflow's type of all three
is "any": it would turn a number or null into a text on the way to a string column, and refuse a batch for one bad row.
With that type, MLflow passes `inputs` of nothing but lists of texts on as one row, so such a row is read as columns.
Params: `k` (4), `prompt` (false), `exclude` (list of ids), `where` (text of a JSON object), `min_score`,
`min_confidence`, `explain` (false).
Output per row: a list of demonstrations as objects; with `prompt` the finished prompt; with `explain` the explanation
(`Explanation.to_dict`), which holds the demonstrations; for a bad row an object with the key `error`, whose text begins
with the row's index. A request with a wrong param, or without a good row, is refused.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

AUDIT = "SKILLSHOT_AUDIT"  # environment variable: file of the audit record
BANK = "SKILLSHOT_BANK"  # environment variable: address of the database that holds the rows
COLUMNS = ("question", "context", "options")
PARAMS = ("k", "prompt", "exclude", "where", "min_score", "min_confidence", "explain")


class SkillshotModel(PythonModel):  # type: ignore[misc]  # mlflow has no types
    """A `skillshot.Selector` as an MLflow model."""

    def load_context(self, context: PythonModelContext) -> None:
        """Open the bundle of the model; selections go into the audit record that the environment names."""
        from skillshot import Selector

        audit, bank = os.environ.get(AUDIT) or None, os.environ.get(BANK) or None
        self.selector = Selector.load(context.artifacts["bundle"], audit=audit, bank=bank)
        logging.getLogger("mlflow.models.utils").addFilter(_refuse_unknown_params)

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> list[Any]:
        """Demonstrations or prompts for the rows of `model_input`, or what is wrong with a row.

        Raises:
            MlflowException: a param is refused, or every row is; the scoring server responds 400 with the message.
        """
        from skillshot.common.errors import SkillshotError

        k, form, filters = _settings(params or {})
        rows = _rows({name: model_input[name].tolist() for name in COLUMNS if name in model_input})
        answers: list[Any] = [_question_or_error(i, row) for i, row in enumerate(rows)]
        good = [i for i, answer in enumerate(answers) if "error" not in answer]
        if rows and not good:
            raise MlflowException.invalid_parameter_value("; ".join(answer["error"] for answer in answers[:3]))
        questions = [answers[i]["question"] if list(answers[i]) == ["question"] else answers[i] for i in good]
        try:
            if form == "prompt":
                found: list[Any] = [self.selector.prompt(question, k=k, **filters) for question in questions]
            elif form == "explain":
                found = [_plain(self.selector.explain(question, k=k, **filters).to_dict()) for question in questions]
            else:
                chosen = self.selector.select_batch(questions, k=k, **filters)
                found = [[_plain(demonstration.to_dict()) for demonstration in one] for one in chosen]
        except SkillshotError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        for i, answer in zip(good, found, strict=True):
            answers[i] = answer
        return answers


def _settings(params: Mapping[str, Any]) -> tuple[int, str, dict[str, Any]]:
    """k, the form of the answers ("prompt", "explain" or ""), and the filters that were given."""
    filters = {
        name: params[name] for name in ("exclude", "min_score", "min_confidence") if params.get(name) not in (None, [])
    }
    try:
        where = json.loads(params.get("where") or "{}")
    except (ValueError, TypeError, RecursionError):
        where = None
    if not isinstance(where, dict):
        raise MlflowException.invalid_parameter_value(
            f"where={str(params['where'])[:80]!r}: expected the text of a JSON object, such as '{{\"grade\": 8}}'"
        )
    forms = [name for name in ("prompt", "explain") if params.get(name)]
    if len(forms) > 1:
        raise MlflowException.invalid_parameter_value("prompt and explain are both true: ask for one of them a request")
    return params.get("k", 4), "".join(forms), filters | ({"where": where} if where else {})


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Rows of a table; a single row that consists of lists of texts, equally long, is read as the columns."""
    cells = [column[0] for column in columns.values() if len(column) == 1]
    lists = [cell for cell in cells if isinstance(cell, list) and all(isinstance(text, str) for text in cell)]
    if cells and len(lists) == len(columns) and len(set(map(len, lists))) == 1:
        columns = dict(zip(columns, lists, strict=True))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _question_or_error(index: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """The given columns of a row as a question of a Selector, or an object that says what is wrong."""
    from skillshot.common.errors import InputError
    from skillshot.runtime.types import parts

    question = {name: value for name, value in row.items() if name == "question" or not _missing(value)}
    if hasattr(question.get("options"), "tolist"):
        question["options"] = question["options"].tolist()
    if not isinstance(question["question"], str):
        shown = "null" if _missing(question["question"]) else repr(question["question"])[:60]
        return {"error": f"row {index}: question {shown}: expected a text"}
    try:
        parts(question)
    except InputError as error:
        return {"error": f"row {index}: {error}"}
    return question


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """JSON without NaN and infinity, which the scoring server would write as they are."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _refuse_unknown_params(record: logging.LogRecord) -> bool:
    """MLflow drops params that the signature lacks and only logs that; a wrong name must not change an answer."""
    text = record.getMessage()
    if text.startswith("Unrecognized params") and all(f"'{name}'" in text for name in PARAMS):
        raise MlflowException.invalid_parameter_value(text.partition(" are ignored")[0] + f"; expected {list(PARAMS)}")
    return True


mlflow.models.set_model(SkillshotModel())
