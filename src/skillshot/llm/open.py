"""Open the engine that the settings name."""

from __future__ import annotations

from skillshot.common.errors import EngineError
from skillshot.common.params import LlmParams
from skillshot.llm.engine import Engine


def open_engine(settings: LlmParams) -> Engine:
    """The embedded model, or an OpenAI-compatible endpoint where `base_url` is given. Weights are loaded on first use.

    Raises:
        EngineError: an unknown embedded model.
    """
    from skillshot.llm.local import NAME, EmbeddedEngine

    if settings.base_url is not None:
        from skillshot.llm.endpoint import EndpointEngine

        return EndpointEngine(settings)
    if settings.model != NAME:
        raise EngineError(f"llm.model: no embedded model {settings.model!r}; use {NAME} or set llm.base_url")
    return EmbeddedEngine(settings.precision)
