"""llama.cpp's OpenAI-compatible server on the embedded model's weights, in this process (package xllamacpp)."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from skillshot.llm.weights import packaged_gguf

Post = Callable[[str, str, dict[str, Any]], Any]


@contextlib.contextmanager
def running() -> Iterator[tuple[str, Post]]:
    """URL of the server (without /v1) and a function that posts JSON to it."""
    os.environ.update(GOMP_SPINCOUNT="0", OMP_WAIT_POLICY="PASSIVE")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(packaged_gguf())
    params.n_ctx, params.n_parallel = 2048, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.port = 0  # any free one; the address is loopback by default
    server = xllamacpp.Server(params)
    try:
        yield server.listening_address, _post
    finally:
        del server


def _post(url: str, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)
