"""Any OpenAI-compatible endpoint as an engine: retries, bounded concurrency, a budget, tested capabilities.

The retries are our own on purpose, because those of the client do less: each try is paced and counted by the budget, a
damaged answer is retried like an HTTP error, and a waiting call stops when another call has finally failed.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property, partial
from typing import Any, TypeVar

from skillshot.common.errors import EngineError
from skillshot.common.params import LlmParams
from skillshot.llm.answers import NoScoresError, finish_of, gold_of, parse, text_of, usage_of
from skillshot.llm.budget import Budget
from skillshot.llm.client import PLAIN, BoundedClient, BrokenAnswerError, RedirectError
from skillshot.llm.engine import Capabilities, Completion, Decoding, Sampled, Scored, cut, well_formed

T = TypeVar("T")
_PLAIN_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds between two tries, doubled each time
BATCH = 64  # sensible number of prompts per call
KEY_LENGTH = 8  # a shorter key could be part of an ordinary word
TRY_AGAIN = (408, 409, 425, 429)  # HTTP status of a refusal that may pass, next to 5xx
NO_ECHO = (400, 405, 422, 501)  # HTTP status of an endpoint that does not take `echo` with `logprobs`


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
    def _bounded(self) -> BoundedClient:
        return BoundedClient(self.settings.base_url or "")

    @cached_property
    def _client(self) -> Any:
        import openai

        return openai.OpenAI(
            base_url=self.settings.base_url,
            api_key=self._key or "none",  # local servers need no key, but the client refuses an empty one
            max_retries=0,
            default_headers=PLAIN,
            http_client=self._bounded.client,
        )

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

    @property
    def chat(self) -> bool:
        """Whether a prompt is sent as a chat message."""
        return self.settings.api == "chat"

    @cached_property
    def capabilities(self) -> Capabilities:
        """Whether the endpoint scores is tested by one call: `echo` must return the prompt's log-probabilities."""
        if self.chat:
            return Capabilities(False, "a chat endpoint returns no log-probabilities of a given text", BATCH)
        try:
            self._try(partial(self._score, "Two and two", " is four"), 20, 1)
        except NoScoresError as error:
            return Capabilities(False, str(error), BATCH)
        except RefusedError as error:
            if error.status not in NO_ECHO:
                raise
            return Capabilities(False, f"the endpoint refuses a request with echo: {error.answer}", BATCH)
        return Capabilities(True, batch=BATCH)

    def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """Answers, as they arrive."""
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
            except RedirectError as error:
                raise EngineError(
                    f"{self.settings.base_url}: {error}\nset llm.base_url to it if it is yours"
                ) from error
            except (openai.APIStatusError, openai.APIConnectionError, BrokenAnswerError) as error:
                if isinstance(error, openai.APIStatusError) and not _may_pass(error.status_code):
                    raise self._refused(error) from error
                if attempt == self.settings.retries:
                    raise EngineError(
                        f"{self.settings.base_url}: {self._short(error)} ({attempt + 1} tries)\n"
                        "all answers so far are in the cache; run again to continue"
                    ) from error
                self._wait(attempt, error)
            finally:
                self.budget.settle((reading, writing), used)
        raise AssertionError("unreachable")

    def _refused(self, error: Any) -> EngineError:
        return RefusedError(
            f"{self.settings.base_url} refused: {self._short(error)}\n"
            f"check llm.base_url, llm.model, llm.api and the key in {self.settings.api_key_env}",
            error.status_code,
            self._short(error),
        )

    def _wait(self, attempt: int, error: Exception) -> None:
        self.retried += 1
        response = getattr(error, "response", None)
        after = response.headers.get("retry-after", "") if response is not None else ""
        seconds = float(after) if _PLAIN_NUMBER.fullmatch(after) else FIRST_WAIT * 2**attempt
        if self._stop.wait(min(LONGEST_WAIT, seconds) * self._jitter.uniform(0.75, 1.25)):
            raise EngineError("stopped: another call failed after its last try") from error

    def _complete(self, prompt: str, decoding: Decoding) -> tuple[Completion, tuple[int, int]]:
        began, prompt = time.perf_counter(), well_formed(prompt)
        common: dict[str, Any] = {
            "max_tokens": decoding.max_tokens, "stop": list(decoding.stop),
            "extra_body": {"ignore_eos": True} if self.settings.ignore_end else {},
            "temperature": decoding.temperature if isinstance(decoding, Sampled) else 0,
        }  # fmt: skip
        if self.chat:
            create = self._client.chat.completions.with_raw_response.create
            reply = self._ask(create, messages=[{"role": "user", "content": prompt}], **common)
            text = text_of(reply, "message", "content", most=decoding.max_tokens)
        else:
            reply = self._ask(self._client.completions.with_raw_response.create, prompt=prompt, **common)
            text = text_of(reply, "text", most=decoding.max_tokens)
        text, used, finish = cut(self._without_key(text), decoding.stop)[0], usage_of(reply), finish_of(reply)
        return Completion(text, *used, finish, time.perf_counter() - began), used

    def _score(self, prompt: str, continuation: str) -> tuple[Scored, tuple[int, int]]:
        began, text = time.perf_counter(), well_formed(prompt + continuation)
        create = self._client.completions.with_raw_response.create
        reply = self._ask(create, prompt=text, max_tokens=1, echo=True, logprobs=1, temperature=0)
        gold, used = gold_of(reply, len(prompt), len(text)), usage_of(reply)
        return Scored(gold, max(0, used[0] - len(gold)), time.perf_counter() - began), used

    def _ask(self, create: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
        import openai

        try:
            with self._bounded.call(self.settings.timeout):
                reply = create(model=self.settings.model, **arguments)
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, BrokenAnswerError | RedirectError):  # some versions wrap every error
                raise error.__cause__ from None
            raise
        return parse(reply.http_response.content)


class RefusedError(EngineError):
    """The endpoint refuses a request by an HTTP status; the call is not retried."""

    def __init__(self, message: str, status: int, answer: str) -> None:
        super().__init__(message)
        self.status, self.answer = status, answer


def _may_pass(status: int) -> bool:
    return status in TRY_AGAIN or (status >= 500 and status != 501)  # 501: not implemented


def _most_tokens(text: str) -> int:
    return max(1, len(text.encode("utf-8", "replace")))  # no token is shorter than a byte
