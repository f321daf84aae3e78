"""The interface of every language model: complete a prompt, score a given continuation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Decoding:
    """How an answer is decoded: always greedy, cut before the first stop string."""

    max_tokens: int = 96
    stop: tuple[str, ...] = ("\n\n", "\nQuestion:")


@dataclass(frozen=True)
class Capabilities:
    """What an engine can do.

    scores: whether it returns log-probabilities of a given continuation. reason: why it does not. batch: sensible
    number of prompts per call.
    """

    scores: bool
    reason: str = ""
    batch: int = 16


@dataclass(frozen=True)
class Completion:
    """A generated answer. finish: "stop" (stop string or end of text) or "length". seconds: this call's share."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Scored:
    """Log-probabilities (nats) of a continuation's tokens after a prompt."""

    logprobs: tuple[float, ...]
    prompt_tokens: int
    seconds: float = 0.0

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood per token, in nats."""
        return -sum(self.logprobs) / len(self.logprobs)


class Engine(Protocol):
    """Both methods yield (position in the input, result) as soon as a result is available, in any order.

    The caller can store each result before the next one is requested. EngineError is raised for what an engine cannot
    do, and for calls that failed after all tries.
    """

    @property
    def model(self) -> str:
        """Identity of weights and numerics, part of every cache key. Needs no call."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """Tested, not assumed; may need a call."""
        ...

    def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """Generate an answer to each prompt."""
        ...

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> Iterator[tuple[int, Scored]]:
        """Log-probabilities of `continuations[i]` after `prompts[i]`."""
        ...


def cut(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """Text before the first stop string, and whether there was one."""
    found = [place for place in (text.find(mark) for mark in stop) if place >= 0]
    return (text[: min(found)], True) if found else (text, False)
