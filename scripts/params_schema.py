"""The JSON schema of `params.yaml`, made from the models of `skillshot.common.params`, for editors.

    python -m scripts.params_schema    # writes params.schema.json

The first line of `params.yaml` names it: an editor with a YAML language server then completes keys and shows errors.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic.json_schema import GenerateJsonSchema

from skillshot.common.params import Params

PATH = Path(__file__).resolve().parents[1] / "params.schema.json"


class Untitled(GenerateJsonSchema):
    """Without a title for each field: it would repeat the key."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        """Whether a field has a title."""
        return False


def schema() -> str:
    """The schema as JSON text. Every key is required, as `load_params` requires it."""
    # of the written form: there, a key with a default is required too
    tree = Params.model_json_schema(mode="serialization", schema_generator=Untitled)
    tree = {"$schema": "https://json-schema.org/draft/2020-12/schema", **tree, "title": "params.yaml of skillshot"}
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema(), encoding="utf-8")
    print(f"wrote {PATH.name}")
