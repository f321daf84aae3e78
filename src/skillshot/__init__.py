"""skillshot: few-shot demonstrations picked by the reasoning skill they need.

`fit` makes a `Selector` from solved examples; `Selector.load` opens a fitted one with numpy, onnxruntime and tokenizers
alone. Names only: no stage of dvc.yaml depends on this file.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from skillshot.common.version import __version__

if TYPE_CHECKING:
    from skillshot.api import adapt, fit
    from skillshot.bundle.slim import slim
    from skillshot.common.errors import SkillshotError
    from skillshot.runtime.explain import Explanation
    from skillshot.runtime.prompt import PromptTemplate
    from skillshot.runtime.selector import Selector
    from skillshot.runtime.types import Demonstration

__all__ = [
    "Demonstration",
    "Explanation",
    "PromptTemplate",
    "Selector",
    "SkillshotError",
    "__version__",
    "adapt",
    "fit",
    "slim",
]

_HOMES = {
    "Demonstration": "skillshot.runtime.types",
    "Explanation": "skillshot.runtime.explain",
    "PromptTemplate": "skillshot.runtime.prompt",
    "Selector": "skillshot.runtime.selector",
    "SkillshotError": "skillshot.common.errors",
    "adapt": "skillshot.api",
    "fit": "skillshot.api",
    "slim": "skillshot.bundle.slim",
}


def __getattr__(name: str) -> Any:
    # late, so that `skillshot --help` and the pipeline pay for the runtime only when they use it
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'skillshot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
