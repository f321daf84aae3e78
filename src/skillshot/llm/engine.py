"""The interface of every language model: complete a prompt, score a given continuation."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from skillshot.common.errors import EngineError

MOST_TOKENS = 10_000_000  # of one call; the longest contexts of any model have that many
LOWEST = -1e5  # nats; servers write -9999 for a token that is impossible
MOST_PROMPTS = 100_000  # per call of an engine
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Decoding:
    """How an answer is decoded: greedy (but see `Sampled`), cut before the first stop string."""

    max_tokens: int = 96
    stop: tuple[str, ...] = ("\n\n", "\nQuestion:")


@dataclass(frozen=True)
class Sampled(Decoding):
    """An answer that is drawn at a temperature. number: of the answer among several to one prompt, part of its key."""

    temperature: float = 1.0
    number: int = 1


CHAT_STOP = ("\nQuestion:",)  # a chat model ends by itself, and separates the paragraphs of an answer by empty lines


@dataclass(frozen=True)
class Capabilities:
    """What an engine can do.

    scores: whether it returns log-probabilities of a given continuation. reason: why it does not. batch: sensible
    number of prompts per call.
    """

    scores: bool
    reason: str = ""
    batch: int = 16

    def __post_init__(self) -> None:
        _check(type(self.scores) is bool, "scores", self.scores)
        _check(isinstance(self.reason, str), "reason", self.reason)
        _check(_whole(self.batch, MOST_PROMPTS) and self.batch > 0, "batch", self.batch)


@dataclass(frozen=True)
class Completion:
    """A generated answer. finish: "stop" (stop string or end of text) or "length". seconds: this call's share.

    Raises:
        ValueError: a field has the wrong type or range; names it.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish: str
    seconds: float = 0.0

    def __post_init__(self) -> None:
        _check(isinstance(self.text, str), "text", self.text)
        _check(_whole(self.prompt_tokens), "prompt_tokens", self.prompt_tokens)
        _check(_whole(self.completion_tokens), "completion_tokens", self.completion_tokens)
        _check(self.finish in ("stop", "length"), "finish", self.finish)
        _check(_finite(self.seconds) and self.seconds >= 0, "seconds", self.seconds)


@dataclass(frozen=True)
class Scored:
    """Log-probabilities (nats) of a continuation's tokens after a prompt, at least one.

    Raises:
        ValueError: a field has the wrong type or range; names it.
    """

    logprobs: tuple[float, ...]
    prompt_tokens: int
    seconds: float = 0.0

    def __post_init__(self) -> None:
        _check(isinstance(self.logprobs, tuple) and len(self.logprobs) > 0, "logprobs", self.logprobs)
        for value in self.logprobs:
            _check(_finite(value) and LOWEST <= value <= 0, "logprobs", value)
        _check(_whole(self.prompt_tokens), "prompt_tokens", self.prompt_tokens)
        _check(_finite(self.seconds) and self.seconds >= 0, "seconds", self.seconds)

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood per token, in nats."""
        return -sum(self.logprobs) / len(self.logprobs)


class TooLongError(EngineError):
    """A prompt, with the answer asked for, is longer than the model reads."""


class Engine(Protocol):
    """One whose prompts are sent as chat messages has an attribute `chat` that is true.

    Both methods yield (position in the input, result) as soon as a result is available, in any order.

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


def answer_decoding(engine: Engine, max_tokens: int, paragraphs: bool = False) -> Decoding:
    """How an engine writes the answer to a few-shot prompt.

    Args:
        paragraphs: whether demonstrations have empty lines, so that one does not end an answer.
    """
    long = paragraphs or getattr(engine, "chat", False)
    return Decoding(max_tokens, CHAT_STOP) if long else Decoding(max_tokens)


def cut(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """Text before the first stop string, and whether there was one."""
    found = [place for place in (text.find(mark) for mark in stop) if place >= 0]
    return (text[: min(found)], True) if found else (text, False)


def well_formed(text: str) -> str:
    """Text that UTF-8 can encode: a lone surrogate becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def _check(right: bool, name: str, value: Any) -> None:
    if not right:
        raise ValueError(f"{name}: {str(value)[:60]!r} is not possible")


def _whole(value: Any, most: int = MOST_TOKENS) -> bool:
    return type(value) is int and 0 <= value <= most


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
