"""An engine that looks into the answer cache first and stores each new answer before it continues."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeVar

from skillshot.common.errors import EngineError
from skillshot.llm.cache import AnswerCache, digest
from skillshot.llm.engine import Capabilities, Completion, Decoding, Engine, Scored, well_formed

T = TypeVar("T", Completion, Scored)
R = TypeVar("R", Completion, Scored, Capabilities)


class CachedEngine:
    """`engine` behind `cache`; itself an Engine. With `offline`, a cache miss is an error.

    hits: answers found in the cache. misses: answers requested from the engine. seconds: time in the engine.
    """

    def __init__(self, engine: Engine, cache: AnswerCache, offline: bool = False) -> None:
        self.engine, self.cache, self.offline = engine, cache, offline
        self.hits = self.misses = 0
        self.seconds = 0.0

    @property
    def model(self) -> str:
        """The engine's model."""
        return self.engine.model

    @property
    def chat(self) -> bool:
        """Whether the engine sends chat messages."""
        return bool(getattr(self.engine, "chat", False))

    @cached_property
    def capabilities(self) -> Capabilities:
        """The engine's capabilities; requested once, then cached like an answer."""
        key = digest(self.model, "capabilities", "", None)
        if (known := self.cache.get(key)) is not None:
            return self._load(Capabilities, key, known)
        if self.offline:
            raise EngineError(
                f"--offline: {self.cache.path} has no answers of {self.model}\nrun once without --offline"
            )
        found = self.engine.capabilities
        self.cache.add(key, dataclasses.asdict(found), model=self.model, kind="capabilities")
        return found

    def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """Answers, cached ones first.

        Raises:
            EngineError: offline and not in the cache.
        """
        how = dataclasses.asdict(decoding)
        keys = [digest(self.model, "complete", prompt, how) for prompt in prompts]
        yield from self._through(
            "complete", keys, Completion, lambda todo: self.engine.complete([prompts[i] for i in todo], decoding)
        )

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> Iterator[tuple[int, Scored]]:
        """Log-probabilities, cached ones first.

        Raises:
            EngineError: offline and not in the cache.
        """
        keys = [
            digest(self.model, "score", prompt, continuation)
            for prompt, continuation in zip(prompts, continuations, strict=True)
        ]
        yield from self._through(
            "score",
            keys,
            Scored,
            lambda todo: self.engine.score([prompts[i] for i in todo], [continuations[i] for i in todo]),
        )

    def _through(
        self, kind: str, keys: Sequence[str], form: type[T], ask: Callable[[Sequence[int]], Iterator[tuple[int, T]]]
    ) -> Iterator[tuple[int, T]]:
        places: dict[str, list[int]] = {}
        for i, key in enumerate(keys):
            places.setdefault(key, []).append(i)
        if any(self.cache.get(key) is None for key in places):
            self.cache.refresh()
        missing = [same[0] for key, same in places.items() if self.cache.get(key) is None]
        if missing and self.offline:
            raise EngineError(
                f"--offline: {len(missing)} of {len(places)} answers of {self.model} are not in "
                f"{self.cache.path}\nrun once without --offline to request them"
            )
        for key, same in places.items():
            if (answer := self.cache.get(key)) is not None:
                self.hits += 1
                result = self._load(form, key, answer)
                yield from ((i, result) for i in same)
        for place, result in ask(missing) if missing else ():
            key = keys[missing[place]]
            self.cache.add(key, dataclasses.asdict(result), model=self.model, kind=kind)
            self.misses += 1
            self.seconds += result.seconds
            yield from ((i, result) for i in places[key])

    def _load(self, form: type[R], key: str, answer: Any) -> R:
        try:
            if form is Scored:
                answer = {**answer, "logprobs": tuple(answer["logprobs"])}
            if form is Completion:
                answer = {**answer, "text": well_formed(answer["text"])}
            return form(**answer)
        except (TypeError, ValueError, KeyError) as error:
            raise EngineError(
                f"{self.cache.path}: the answer with key {key[:12]}... is not one of a language model: {error}\n"
                "remove its line, and run again without --offline"
            ) from error
