"""The HTTP client of an endpoint: bounds on the whole call, and no redirect to another host.

A client's own timeout starts again with each read, so an answer that arrives byte by byte never ends. Here one deadline
and one limit of bytes hold from the first byte sent to the last byte received, headers and redirects included.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

MAX_ANSWER = 16 * 2**20  # bytes of one answer: log-probabilities of 100,000 tokens are 10 MiB
WRITE = 2**16  # bytes sent between two looks at the clock


PLAIN = {"Accept-Encoding": "identity"}  # headers of each request; an answer that is compressed all the same is refused


class BrokenAnswerError(Exception):
    """A damaged, endless or oversized answer; the call is retried."""


class RedirectError(Exception):
    """An answer that would send the prompt and the key to another origin; the call is not retried."""


class BoundedClient:
    """`client` is the HTTP client for `openai.OpenAI(http_client=...)`; calls are made inside `call`.

    Compressed answers are not asked for, because their size is unknown before they are unpacked.
    """

    def __init__(self, base_url: str) -> None:
        import openai

        self._bounds = threading.local()
        self.client = openai.DefaultHttpxClient(event_hooks={"request": [self._sent], "response": [self._received]})
        self._origin = _origin(self.client.build_request("POST", base_url).url)

    @contextlib.contextmanager
    def call(self, seconds: float) -> Iterator[None]:
        """Bound what this thread sends and receives inside the block.

        Raises:
            BrokenAnswerError: no whole answer within `seconds`, or more than MAX_ANSWER bytes.
            RedirectError: a redirect to another scheme, host or port.
        """
        self._bounds.seconds, self._bounds.end, self._bounds.size = seconds, time.monotonic() + seconds, 0
        yield

    def _sent(self, request: Any) -> None:
        if _origin(request.url) != self._origin:
            where = f"{request.url.scheme}://{request.url.host}"
            raise RedirectError(f"a redirect to {where[:200]}; prompts are sent to llm.base_url only")
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), self._left())
        request.extensions["trace"] = self._trace

    def _received(self, response: Any) -> None:
        coding = response.headers.get("content-encoding", "identity")
        if coding != "identity":
            raise BrokenAnswerError(f"an answer with Content-Encoding {coding[:40]!r}, which was not asked for")

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Bound each new connection, plain or TLS; httpcore reports it as the result of an event."""
        stream: Any = info.get("return_value")
        if event.endswith(".complete") and hasattr(stream, "start_tls"):
            stream.read, stream.write = partial(self._read, stream.read), partial(self._write, stream.write)

    def _read(self, read: Any, most: int, **_: Any) -> bytes:
        data: bytes = read(most, timeout=self._left())
        self._bounds.size += len(data)
        if self._bounds.size > MAX_ANSWER:
            raise BrokenAnswerError(f"an answer of more than {MAX_ANSWER:,} bytes")
        return data

    def _write(self, write: Any, buffer: bytes, **_: Any) -> None:
        for start in range(0, len(buffer), WRITE):
            write(buffer[start : start + WRITE], timeout=self._left())

    def _left(self) -> float:
        left: float = self._bounds.end - time.monotonic()
        if left <= 0:
            raise BrokenAnswerError(f"no whole answer within llm.timeout, {self._bounds.seconds:g} seconds")
        return left


def _origin(url: Any) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port  # the port is None where it is the scheme's own
