"""docs/reference/params.md from the models of `params.yaml`: `python -m scripts.params_reference`."""

from __future__ import annotations

import json
from typing import Any

from scripts.pages import ROOT, table
from scripts.params_schema import schema
from skillshot.common.params import default_params

PAGE = "docs/reference/params.md"
START = """# Parameters

Settings of `params.yaml`. This page is written by `python -m scripts.params_reference`.

* One run of the pipeline: `dvc exp run -S train.beta=0.3`.
* One command: `skillshot fit bank.jsonl --out selector --set train.epochs=50`.
* Python: `skillshot.fit("bank.jsonl", params={"train.epochs": 50})`.

An unknown key, a missing key or a value out of bounds is refused, with key, value and what is allowed.
`params.schema.json` is the JSON schema for editors.
"""
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
}
TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true, false", "null": "null"}


def allowed(field: dict[str, Any]) -> str:
    """Choices, or type and bounds, of a field of the schema."""
    if "anyOf" in field:
        return "; ".join(allowed(part) for part in field["anyOf"])
    if "enum" in field or "const" in field:
        return ", ".join(f"`{choice}`" for choice in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {allowed(field['items'])}"
    if field.get("type") == "object":
        return "mapping"
    bounds = [text.format(f"{field[key]:.10g}") for key, text in BOUNDS.items() if key in field]
    return ", ".join([TYPES[field["type"]], *bounds])


def rows(properties: dict[str, Any], defaults: dict[str, Any]) -> list[list[str]]:
    """Key, default, what is allowed and meaning; a pipe would end a cell."""
    made = []
    for key, field in properties.items():
        default = json.dumps(defaults[key], ensure_ascii=False)
        cells = [f"`{key}`", f"`{default}`", allowed(field), field.get("description", "")]
        made.append([cell.replace("|", "\\|") for cell in cells])
    return made


def render() -> str:
    """The page."""
    tree, defaults = json.loads(schema()), default_params().to_dict()
    header = ["key", "default", "allowed", "meaning"]
    sections = {key: field for key, field in tree["properties"].items() if "$ref" in field}
    single = {key: field for key, field in tree["properties"].items() if key not in sections}
    parts = [START, table(header, rows(single, defaults))]
    for name, field in sections.items():
        section = tree["$defs"][field["$ref"].rpartition("/")[2]]
        listed = table(header, rows(section["properties"], defaults[name]))
        parts += [f"\n## {name}\n", section.get("description", ""), "", listed]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    (ROOT / PAGE).write_text(render(), encoding="utf-8")
