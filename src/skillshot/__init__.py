"""skillshot: few-shot demonstrations picked by the reasoning skill they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skillshot.runtime.selector import Selector
    from skillshot.runtime.types import Demonstration

__version__ = "0.1.0"
__all__ = ["Demonstration", "Selector", "__version__"]


def __getattr__(name: str) -> Any:
    # late, so that `skillshot --help` and the pipeline pay for the runtime only when they use it
    if name == "Selector":
        from skillshot.runtime.selector import Selector

        return Selector
    if name == "Demonstration":
        from skillshot.runtime.types import Demonstration

        return Demonstration
    raise AttributeError(f"module 'skillshot' has no attribute {name!r}")
