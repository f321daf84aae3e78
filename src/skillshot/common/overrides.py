"""Overrides of settings, as `section.key=value` texts or as mappings, into one tree of plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from skillshot.common.errors import ParamsError


def override_tree(overrides: Iterable[str] | Mapping[str, Any], place: str) -> dict[str, Any]:
    """Dotted keys as nested dictionaries; of two values for a key, the later wins.

    Args:
        overrides: texts `section.key=value` (values are YAML), or a mapping whose keys may have dots.
        place: where they come from, for messages.

    Raises:
        ParamsError: a text is malformed, or a key is both a value and a section.
    """
    tree: dict[str, Any] = {}
    for key, value in overrides.items() if isinstance(overrides, Mapping) else map(_parsed, overrides):
        *path, leaf = str(key).split(".")
        node: Any = tree
        for name in path:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise ParamsError(f"{place}: {key}: {name} already has a value of its own")
        old = node.get(leaf)
        node[leaf] = {**(old if isinstance(old, dict) else {}), **value} if isinstance(value, Mapping) else value
    return tree


def _parsed(override: str) -> tuple[str, Any]:
    import yaml

    key, equals, text = override.partition("=")
    if not equals:
        raise ParamsError(f"--set {override}: expected section.key=value, such as train.beta=0.3")
    try:
        return key.strip(), yaml.safe_load(text)
    except yaml.YAMLError as error:  # without the text, which may be a secret
        raise ParamsError(f"--set {key.strip()}: the text after = is not a YAML value") from error
