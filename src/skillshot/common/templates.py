"""HTML pages from jinja2 templates: self-contained, and with every value escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(package: str, name: str, **context: Any) -> str:
    """Text of the template `name` in the folder `templates` of a package.

    Templates may extend `base.html.j2` of `skillshot.common`, which holds the common style. Its content security policy
    lets a page load nothing, and run no script but the one that a template sets as `script`.

    Raises:
        jinja2.UndefinedError: the template uses a name that `context` lacks.
        jinja2.TemplateNotFound: the package has no such template.
    """
    return _environment(package).get_template(name).render(context)


@lru_cache
def _environment(package: str) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("skillshot.common", "pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"], environment.filters["digest"] = cell, digest
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
    return environment


def digest(script: str) -> str:
    """The digest by which a content security policy allows a script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def cell(value: Any) -> str:
    """A value in a table: floats with three decimals, digits in groups of three, a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {cell(part)}" for name, part in value.items()) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
