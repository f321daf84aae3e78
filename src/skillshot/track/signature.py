"""Columns and params of the registered model; `pyfunc.py` describes and checks them."""

from mlflow.models import ModelSignature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import AnyType

SIGNATURE = ModelSignature(
    inputs=Schema(
        [ColSpec(AnyType(), name, required=name == "question") for name in ("question", "context", "options")]
    ),
    params=ParamSchema(
        [
            ParamSpec("k", "integer", 4),
            ParamSpec("prompt", "boolean", False),
            ParamSpec("exclude", "string", [], (-1,)),
            ParamSpec("where", "string", "{}"),
            ParamSpec("min_score", "double", None),
            ParamSpec("min_confidence", "double", None),
            ParamSpec("explain", "boolean", False),
        ]
    ),
)
