"""Any OpenAI-compatible endpoint as an engine: retries, bounded concurrency, a budget, tested capabilities.

The retries are our own on purpose, because those of the client do less: each try is paced and counted by the budget, a
damaged answer is retried like an HTTP error, and a waiting call stops when another call has finally failed.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property, partial
from typing import Any, TypeVar

from skillshot.common.errors import EngineError
from skillshot.common.params import LlmParams
from skillshot.llm.budget import Budget
from skillshot.llm.engine import Capabilities, Completion, Decoding, Scored, cut

T = TypeVar("T")
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds between two tries, doubled each time
BATCH = 64  # sensible number of prompts per call
KEY_LENGTH = 8  # a shorter key could be part of an ordinary word


class EndpointEngine:
    """`settings.base_url` through the `openai` package; the key is read from the environment only.

    Raises (all methods):
        EngineError: the endpoint refuses, or fails `retries` + 1 times.
        BudgetError: the budget is used up.
    Answers that arrived before the error are yielded first.
    """

    def __init__(self, settings: LlmParams) -> None:
        self.settings = settings
        self.budget = Budget(settings)
        self.retried = 0
        self._jitter = random.Random()
        self._stop = threading.Event()

    @cached_property
    def _client(self) -> Any:
        import openai

        # local servers need no key, but the client refuses an empty one
        key = self._key or "none"
        return openai.OpenAI(base_url=self.settings.base_url, api_key=key, timeout=self.settings.timeout, max_retries=0)

    @property
    def _key(self) -> str:
        return os.environ.get(self.settings.api_key_env, "")

    def _without_key(self, text: str) -> str:
        """Text of an endpoint, to be stored or printed, with the key removed where the endpoint repeats it."""
        return text.replace(self._key, f"${self.settings.api_key_env}") if len(self._key) >= KEY_LENGTH else text

    def _short(self, error: Exception) -> str:
        return f"{type(error).__name__}: {' '.join(self._without_key(str(error)).split())[:200]}"

    @property
    def model(self) -> str:
        """Model, address and kind of endpoint, without the key."""
        where = (self.settings.base_url or "").split("//")[-1].rstrip("/")
        return f"{self.settings.model}@{where}/{self.settings.api}" + "/ignore_end" * self.settings.ignore_end

    @cached_property
    def capabilities(self) -> Capabilities:
        """Whether the endpoint scores is tested by one call: `echo` must return the prompt's log-probabilities."""
        if self.settings.api == "chat":
            return Capabilities(False, "a chat endpoint returns no log-probabilities of a given text", BATCH)
        try:
            self._try(partial(self._score, "Two and two", " is four"), 20, 1)
        except _NoScoresError as error:
            return Capabilities(False, str(error), BATCH)
        return Capabilities(True, batch=BATCH)

    def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """Greedy answers, as they arrive."""
        calls = [partial(self._complete, prompt, decoding) for prompt in prompts]
        return self._all(calls, prompts, decoding.max_tokens)

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> Iterator[tuple[int, Scored]]:
        """Log-probabilities by `echo`, as they arrive."""
        if not self.capabilities.scores:
            raise EngineError(f"{self.model}: {self.capabilities.reason}")
        texts = [prompt + end for prompt, end in zip(prompts, continuations, strict=True)]
        calls = [partial(self._score, *pair) for pair in zip(prompts, continuations, strict=True)]
        return self._all(calls, texts, 1)

    def _all(
        self, calls: Sequence[Callable[[], tuple[T, tuple[int, int]]]], texts: Sequence[str], written: int
    ) -> Iterator[tuple[int, T]]:
        self._stop.clear()
        error: BaseException | None = None
        todo = list(enumerate(calls))[::-1]
        running: dict[Future[T], int] = {}
        with ThreadPoolExecutor(self.settings.concurrency) as pool:
            try:
                while running or (todo and error is None):
                    while todo and error is None and len(running) < self.settings.concurrency:
                        i, call = todo.pop()
                        running[pool.submit(self._try, call, _most_tokens(texts[i]), written)] = i
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        i = running.pop(future)
                        if (failed := future.exception()) is not None:
                            error = error or failed
                        else:
                            yield i, future.result()
            finally:
                self._stop.set()  # calls that wait for another try stop
        if error is not None:
            raise error

    def _try(self, call: Callable[[], tuple[T, tuple[int, int]]], reading: int, writing: int) -> T:
        import openai

        for attempt in range(self.settings.retries + 1):
            self.budget.pace()
            self.budget.reserve(reading, writing)
            used = (0, 0)
            try:
                result, used = call()
                return result
            except (
                openai.APIConnectionError,
                openai.RateLimitError,
                openai.InternalServerError,
                _BrokenError,
            ) as error:
                if attempt == self.settings.retries:
                    raise EngineError(
                        f"{self.settings.base_url}: {self._short(error)} ({attempt + 1} tries)\n"
                        "all answers so far are in the cache; run again to continue"
                    ) from error
                self._wait(attempt, error)
            except openai.APIStatusError as error:
                if error.status_code in (408, 409, 425) and attempt < self.settings.retries:
                    self._wait(attempt, error)
                    continue
                raise EngineError(
                    f"{self.settings.base_url} refused: {self._short(error)}\n"
                    f"check llm.base_url, llm.model, llm.api and the key in {self.settings.api_key_env}"
                ) from error
            finally:
                self.budget.settle((reading, writing), used)
        raise AssertionError("unreachable")

    def _wait(self, attempt: int, error: Exception) -> None:
        self.retried += 1
        response = getattr(error, "response", None)
        after = response.headers.get("retry-after", "") if response is not None else ""
        seconds = float(after) if after.replace(".", "", 1).isdigit() else FIRST_WAIT * 2**attempt
        if self._stop.wait(min(LONGEST_WAIT, seconds) * self._jitter.uniform(0.75, 1.25)):
            raise EngineError("stopped: another call failed after its last try") from error

    def _complete(self, prompt: str, decoding: Decoding) -> tuple[Completion, tuple[int, int]]:
        began = time.perf_counter()
        extra = {"ignore_eos": True} if self.settings.ignore_end else {}
        common: dict[str, Any] = {
            "model": self.settings.model, "max_tokens": decoding.max_tokens, "stop": list(decoding.stop),
            "temperature": 0, "extra_body": extra,
        }  # fmt: skip
        if self.settings.api == "chat":
            reply = self._ask(lambda: self._client.chat.completions.create(
                messages=[{"role": "user", "content": prompt}], **common))  # fmt: skip
            choice = _first(reply)
            text = getattr(getattr(choice, "message", None), "content", None)
        else:
            reply = self._ask(lambda: self._client.completions.create(prompt=prompt, **common))
            choice = _first(reply)
            text = getattr(choice, "text", None)
        if not isinstance(text, str):
            raise _BrokenError("an answer without text")
        text, used = self._without_key(text), _usage(reply)
        finish = "length" if getattr(choice, "finish_reason", "") == "length" else "stop"
        return Completion(cut(text, decoding.stop)[0], *used, finish, time.perf_counter() - began), used

    def _score(self, prompt: str, continuation: str) -> tuple[Scored, tuple[int, int]]:
        began = time.perf_counter()
        arguments = {"prompt": prompt + continuation, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
        reply = self._ask(lambda: self._client.completions.create(model=self.settings.model, **arguments))
        given = getattr(_first(reply), "logprobs", None)
        offsets, logprobs = getattr(given, "text_offset", None), getattr(given, "token_logprobs", None)
        if not isinstance(offsets, list) or not isinstance(logprobs, list):
            raise _NoScoresError("the endpoint returns no log-probabilities of a given text (echo)")
        if len(offsets) != len(logprobs):
            raise _BrokenError(f"{len(logprobs)} log-probabilities for {len(offsets)} tokens")
        end = len(prompt) + len(continuation)
        gold = [value for place, value in zip(offsets, logprobs, strict=True) if len(prompt) <= place < end]
        if not gold or offsets[0] != 0 or any(not isinstance(value, float | int) for value in gold):
            raise _NoScoresError("the endpoint does not return the prompt's log-probabilities (echo)")
        used = _usage(reply)
        return Scored(tuple(map(float, gold)), max(0, used[0] - len(gold)), time.perf_counter() - began), used

    def _ask(self, send: Callable[[], T]) -> T:
        import openai

        try:
            return send()
        except (openai.APIResponseValidationError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise _BrokenError(f"not a JSON answer: {self._short(error)}") from error


class _BrokenError(Exception):
    """A damaged answer; the call is retried."""


class _NoScoresError(EngineError):
    """The endpoint cannot score; the call is not retried."""


def _first(reply: Any) -> Any:
    choices = getattr(reply, "choices", None)
    if not isinstance(choices, list) or not choices:
        raise _BrokenError("an answer without choices")
    return choices[0]


def _usage(reply: Any) -> tuple[int, int]:
    usage = getattr(reply, "usage", None)
    read, written = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    if not isinstance(read, int) or not isinstance(written, int):
        raise _BrokenError("an answer without usage")
    return read, written


def _most_tokens(text: str) -> int:
    return max(1, len(text.encode("utf-8", "replace")))  # no token is shorter than a byte
