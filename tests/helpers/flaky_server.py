"""A local OpenAI-compatible server with every kind of network failure."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from skillshot.common.io import sha256_text
from skillshot.common.params import LlmParams

FAULTS = ("429", "500", "hang", "half", "json", "length", "reset", "empty")


class Server(ThreadingHTTPServer):
    """`plan` names a fault (or "") for each request; `served` counts good answers by prompt."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rng, self.rate, self.faults, self.echo, self.hang = random.Random(0), 0.0, FAULTS, True, 1.5
        self.served: dict[str, int] = {}
        self.requests = self.under_way = self.most = 0
        self.seen: list[dict[str, Any]] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken pipes, which are part of the test."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.requests += 1
            server.under_way += 1
            server.most = max(server.most, server.under_way)
            server.seen.append({**body, "key": self.headers["Authorization"], "path": self.path})
            fault = server.rng.choice(server.faults) if server.rng.random() < server.rate else ""
        try:
            self._serve(body, fault)
        finally:
            with server.lock:
                server.under_way -= 1

    def _serve(self, body: dict[str, Any], fault: str) -> None:
        if fault in ("429", "500"):
            return self._send(int(fault), b'{"error": {"message": "not now"}}')
        if fault == "hang":
            time.sleep(self.server.hang)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return None
        answer = _answer(body, self.server.echo, wrong_length=fault == "length")
        data = json.dumps(answer).encode()
        if fault == "json":
            data = data[: len(data) // 2]
        if fault == "empty":
            data = b"{}"
        if fault == "half":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.connection.close()
            return None
        self._send(200, data)
        if not fault or (fault == "length" and not body.get("echo")):
            with self.server.lock:
                what = json.dumps([body.get("prompt"), bool(body.get("echo"))])
                self.server.served[what] = self.server.served.get(what, 0) + 1
        return None

    def _send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 429:
            self.send_header("Retry-After", "0.01")
        self.end_headers()
        self.wfile.write(data)


def _answer(body: dict[str, Any], echo: bool, wrong_length: bool) -> dict[str, Any]:
    prompt = body.get("prompt") or body["messages"][0]["content"]
    text = f" So.\nThe answer is {int(sha256_text(prompt), 16) % 3}.\n\nQuestion: more"
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "text": text}
    if "messages" in body:
        choice["message"] = {"role": "assistant", "content": text}
    if body.get("echo") and echo:
        words = [i for i in range(len(prompt)) if i == 0 or prompt[i] == " "]
        logprobs: list[float | None] = [None, *(-1 - (i % 7) / 10 for i in words[1:])]
        choice["logprobs"] = {
            "text_offset": [*words, len(prompt)],
            "token_logprobs": logprobs if wrong_length else [*logprobs, -9.0],
            "tokens": [],
            "top_logprobs": None,
        }
    usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": 5, "total_tokens": 0}
    return {"id": "x", "object": "text_completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


def settings(server: Server, **changes: Any) -> LlmParams:
    return LlmParams(
        **{"base_url": server.url, "model": "m", "timeout": 0.5, "retries": 40, "concurrency": 8, **changes}
    )
