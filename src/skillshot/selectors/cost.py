"""What a selector's own LLM calls cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skillshot.llm.engine import Completion


@dataclass(frozen=True)
class Cost:
    """Calls, tokens read and written, seconds in the engine."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, answers: Sequence[Completion]) -> Cost:
        """What these answers cost, whether they were cache hits or not."""
        return cls(
            len(answers),
            sum(answer.prompt_tokens for answer in answers),
            sum(answer.completion_tokens for answer in answers),
            sum(answer.seconds for answer in answers),
        )
