"""What a hostile or broken endpoint may send: everything ends in an answer that is sound, or in one clear error.

Servers are on loopback, and bounded: each test ends within seconds also where the client would wait for ever.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from helpers.llm_fakes import examples, some_choices
from skillshot.common.errors import EngineError
from skillshot.common.params import EvaluateParams, LlmParams
from skillshot.evaluation.files import write
from skillshot.evaluation.pages import page
from skillshot.evaluation.run import evaluate
from skillshot.llm import client
from skillshot.llm.cache import AnswerCache
from skillshot.llm.endpoint import EndpointEngine
from skillshot.llm.engine import Decoding, Scored

pytest.importorskip("openai")

Reply = Callable[["Handler", dict[str, Any]], None]
LONGEST = 30.0  # seconds that a server drips at most


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        with contextlib.suppress(OSError):
            self.server.reply(self, json.loads(raw or b"{}"))

    def do_GET(self) -> None:
        self.do_POST()

    def send(self, data: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply, self.seen = reply, list[tuple[str, dict[str, str]]]()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken pipes, which are part of the test."""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Server, EndpointEngine]]]:
    monkeypatch.setattr("skillshot.llm.endpoint.FIRST_WAIT", 0.001)
    servers: list[Server] = []

    def start(reply: Reply, **changes: Any) -> tuple[Server, EndpointEngine]:
        servers.append(Server(reply))
        settings = {"base_url": servers[-1].url, "model": "m", "timeout": 0.6, "retries": 1, "concurrency": 1}
        return servers[-1], EndpointEngine(LlmParams(**{**settings, **changes}))

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def answer(body: dict[str, Any], text: str = " So.\nThe answer is 2.") -> dict[str, Any]:
    """A sound answer to `body`."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "text": text}
    if "messages" in body:
        choice["message"] = {"role": "assistant", "content": text}
    if body.get("echo"):
        prompt = body["prompt"]
        offsets = [i for i in range(len(prompt)) if i == 0 or prompt[i] == " "]
        choice["logprobs"] = {"text_offset": offsets, "token_logprobs": [None, *[-1.5] * (len(offsets) - 1)]}
    return {"choices": [choice], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}


def replying(change: Callable[[dict[str, Any]], Any]) -> Reply:
    """A server whose sound answer `change` damages."""

    def reply(handler: Handler, body: dict[str, Any]) -> None:
        reply = answer(body)
        handler.send(json.dumps(change(reply) or reply).encode())

    return reply


def unchanged(_: dict[str, Any]) -> None:
    """A sound answer."""


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], Any]:
    def change(reply: dict[str, Any]) -> None:
        node: Any = reply
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return change


def complete(engine: EndpointEngine) -> Any:
    return dict(engine.complete(["p"], Decoding()))[0]


def drip_body(handler: Handler, _: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    _drip(handler, b" ")


def drip_chunks(handler: Handler, _: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    _drip(handler, b"1\r\n \r\n")


def drip_headers(handler: Handler, _: dict[str, Any]) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    _drip(handler, b"X-A: b\r\n")


def drip_hints(handler: Handler, _: dict[str, Any]) -> None:
    _drip(handler, b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n")


def drip_error(handler: Handler, _: dict[str, Any]) -> None:
    handler.send_response(500)
    handler.end_headers()
    _drip(handler, b" ")


def _drip(handler: Handler, piece: bytes) -> None:
    handler.close_connection = True
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        handler.wfile.write(piece)
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("drip", [drip_body, drip_chunks, drip_headers, drip_hints, drip_error])
def test_an_answer_that_drips_ends_at_the_deadline(serve: Any, drip: Reply) -> None:
    _, engine = serve(drip, retries=0)
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"no whole answer within llm\.timeout, 0\.6 seconds|timed out"):
        complete(engine)
    assert time.monotonic() - began < LONGEST / 2


def test_the_deadline_holds_on_a_connection_that_is_used_again(serve: Any) -> None:
    server, engine = serve(replying(unchanged), retries=0)
    complete(engine)
    server.reply = drip_chunks
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"no whole answer|timed out"):
        complete(engine)
    assert time.monotonic() - began < LONGEST / 2


@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_answer_is_cut_off(serve: Any, monkeypatch: pytest.MonkeyPatch, chunked: bool) -> None:
    monkeypatch.setattr(client, "MAX_ANSWER", 100_000)
    sent = 0

    def huge(handler: Handler, _: dict[str, Any]) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "400000000")))
        handler.end_headers()
        piece = b"10000\r\n" + b" " * 65536 + b"\r\n" if chunked else b" " * 65536
        handler.close_connection = True
        while sent < 400_000_000:
            handler.wfile.write(piece)
            sent += len(piece)

    _, engine = serve(huge, retries=0, timeout=20)
    with pytest.raises(EngineError, match=r"an answer of more than 100,000 bytes"):
        complete(engine)
    assert sent < 50_000_000, "the rest was not read"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_a_compressed_bomb_is_not_unpacked(serve: Any, coding: str) -> None:
    data = gzip.compress(b" " * 50_000_000) if "gzip" in coding else zlib.compress(b" " * 50_000_000)

    def bomb(handler: Handler, _: dict[str, Any]) -> None:
        handler.send(data, Content_Encoding=coding)

    server, engine = serve(bomb, retries=0)
    with pytest.raises(EngineError, match="Content-Encoding"):
        complete(engine)
    assert server.seen[0][1]["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(serve: Any, status: int) -> None:
    other, _ = serve(replying(unchanged))

    def away(handler: Handler, _: dict[str, Any]) -> None:
        handler.send(b"", status, Location=f"{other.url}/completions")

    server, engine = serve(away, retries=3)
    with pytest.raises(EngineError, match=r"a redirect to http://127\.0\.0\.1; prompts are sent to llm\.base_url only"):
        complete(engine)
    assert (len(server.seen), other.seen) == (1, []), "neither followed nor tried again"


@pytest.mark.parametrize(
    "where",
    ["//example.invalid/v1", "http://localhost:{port}/v1/completions", "https://127.0.0.1:{port}/v1/completions",
     "http://127.0.0.1:1/", "http://u@h/"],
)  # fmt: skip
def test_other_origins(serve: Any, where: str) -> None:
    def away(handler: Handler, _: dict[str, Any]) -> None:
        handler.send(b"", 307, Location=where.format(port=handler.server.server_port))

    server, engine = serve(away)
    with pytest.raises(EngineError, match="a redirect to"):
        complete(engine)
    assert len(server.seen) == 1


def test_a_redirect_within_the_origin_is_followed(serve: Any) -> None:
    def moved(handler: Handler, body: dict[str, Any]) -> None:
        if handler.path == "/v1/completions":
            return handler.send(b"", 307, Location="/v2/completions")
        return handler.send(json.dumps(answer(body)).encode())

    server, engine = serve(moved)
    assert complete(engine).text.endswith("is 2.")
    assert [path for path, _ in server.seen] == ["/v1/completions", "/v2/completions"]


def test_a_circle_of_redirects_ends(serve: Any) -> None:
    _, engine = serve(lambda handler, _: handler.send(b"", 307, Location=handler.path), retries=0, timeout=5)
    with pytest.raises(EngineError, match=r"\(1 tries\)|refused"):
        complete(engine)


CHOICE = ("choices", 0)
BROKEN: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no choices": (put("choices", value=[]), r"choices: expected a list with an answer, found a list"),
    "choices a text": (put("choices", value="abc"), r'choices: expected a list with an answer, found "abc"'),
    "choice a list": (put(*CHOICE, value=[]), r"choices\[0\]: expected an object, found a list"),
    "choice null": (put(*CHOICE, value=None), r"choices\[0\]: expected an object, found null"),
    "text a number": (put(*CHOICE, "text", value=5), r"choices\[0\]\.text: expected a text, found 5"),
    "text null": (put(*CHOICE, "text", value=None), r"choices\[0\]\.text: expected a text, found null"),
    "text a list": (put(*CHOICE, "text", value=["a"]), r"choices\[0\]\.text: expected a text, found a list"),
    "text huge": (put(*CHOICE, "text", value="a" * 100_000), r"choices\[0\]\.text: 100,000 characters, though max_tok"),
    "no usage": (put("usage", value=None), r"usage: expected an object, found null"),
    "usage a list": (put("usage", value=[1, 2]), r"usage: expected an object, found a list"),
    "negative usage": (put("usage", "prompt_tokens", value=-5), r"usage\.prompt_tokens: expected a whole number.*-5"),
    "usage a fraction": (put("usage", "completion_tokens", value=1.5), r"usage\.completion_tokens: expected.*1\.5"),
    "usage a text": (put("usage", "completion_tokens", value="7"), r"usage\.completion_tokens: .* found \"7\""),
    "usage true": (put("usage", "prompt_tokens", value=True), r"usage\.prompt_tokens: .* found true"),
    "usage NaN": (put("usage", "prompt_tokens", value=float("nan")), r"usage\.prompt_tokens: .* found NaN"),
    "usage huge": (put("usage", "prompt_tokens", value=10**30), r"usage\.prompt_tokens: .* found 1000000"),
    "a list": (lambda _: [1], r"not a JSON object: a list"),
    "a number": (lambda _: 5, r"not a JSON object: 5"),
    "a text": (lambda _: "no", r'not a JSON object: "no"'),
}


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_field_is_tried_again_then_named(serve: Any, change: Any, message: str) -> None:
    server, engine = serve(replying(change))
    with pytest.raises(EngineError, match=message + r".* \(2 tries\)\nall answers so far are in the cache"):
        complete(engine)
    assert len(server.seen) == 2


@pytest.mark.parametrize("value", [5, None, [], {"text": "a"}])
def test_a_broken_chat_answer_is_named(serve: Any, value: Any) -> None:
    _, engine = serve(replying(put(*CHOICE, "message", "content", value=value)), api="chat")
    with pytest.raises(EngineError, match=r"choices\[0\]\.message\.content: expected a text"):
        complete(engine)
    _, engine = serve(replying(put(*CHOICE, "message", value=value)), api="chat")
    with pytest.raises(EngineError, match=r"choices\[0\]\.message"):
        complete(engine)


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", b"{", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"choices": [' + b"9" * 5000 + b"]}",
     b'{"a": "\x00"}', b"\xef\xbb\xbf{}"],
)  # fmt: skip
def test_a_body_that_is_no_json_is_named(serve: Any, data: bytes) -> None:
    _, engine = serve(lambda handler, _: handler.send(data))
    with pytest.raises(EngineError, match=r"not a JSON answer: |choices: expected"):
        complete(engine)


def test_deep_json_next_to_the_answer_does_no_harm(serve: Any) -> None:
    def deep(handler: Handler, body: dict[str, Any]) -> None:
        handler.send(json.dumps(answer(body))[:-1].encode() + b', "more": ' + b"[" * 500 + b"]" * 500 + b"}")

    assert complete(serve(deep)[1]).text.endswith("is 2.")


LOGPROBS: dict[str, tuple[Any, str]] = {
    "above 0": (0.5, r"token_logprobs\[2\]: expected a number from -100000 to 0, found 0\.5"),
    "NaN": (float("nan"), r"token_logprobs\[2\]: .*found NaN"),
    "infinite": (float("-inf"), r"token_logprobs\[2\]: .*found -Infinity"),
    "too small": (-1e300, r"token_logprobs\[2\]: .*found -1e\+300"),
    "a text": ("-1", r"token_logprobs\[2\]: .*found \"-1\""),
    "a list": ([-1], r"token_logprobs\[2\]: .*found a list"),
    "true": (True, r"token_logprobs\[2\]: .*found true"),
}


@pytest.mark.parametrize(("value", "message"), LOGPROBS.values(), ids=LOGPROBS.keys())
def test_an_impossible_log_probability_is_named(serve: Any, value: Any, message: str) -> None:
    server, engine = serve(replying(unchanged))
    assert engine.capabilities.scores
    server.reply = replying(put(*CHOICE, "logprobs", "token_logprobs", 2, value=value))
    with pytest.raises(EngineError, match=r"choices\[0\]\.logprobs\." + message):
        dict(engine.score(["a b"], [" c d"]))


@pytest.mark.parametrize("value", [-1, 1.5, "0", None, True, 0])
def test_an_impossible_offset_is_named(serve: Any, value: Any) -> None:
    server, engine = serve(replying(unchanged))
    assert engine.capabilities.scores
    server.reply = replying(put(*CHOICE, "logprobs", "text_offset", 2, value=value))
    with pytest.raises(EngineError, match=r"text_offset\[2\]: expected a whole number from 1, found"):
        dict(engine.score(["a b"], [" c d"]))


def test_a_rounded_log_probability_is_zero(serve: Any) -> None:
    _, engine = serve(replying(put(*CHOICE, "logprobs", "token_logprobs", 2, value=1e-7)))
    assert dict(engine.score(["a b"], [" c d"]))[0].logprobs == (0.0, -1.5)


def test_lone_surrogates_are_repaired_before_anything_is_recorded(serve: Any, tmp_path: Path) -> None:
    evil = " So \ud83d.\nThe answer is \udc00 2\ud800."
    queries = examples(3)
    _, engine = serve(lambda handler, body: handler.send(json.dumps(answer(body, evil)).encode()), timeout=5)
    cache = AnswerCache(tmp_path / "llm.jsonl")
    found = evaluate(engine, cache, queries, some_choices(queries), EvaluateParams(bootstrap=20), 0)
    write(found, tmp_path, plots=False)
    (tmp_path / "evaluate.html").write_text(page(found, {query.id: query for query in queries}), encoding="utf-8")
    text = dict(engine.complete(["a\ud800"], Decoding()))[0].text
    assert text == " So \ufffd.\nThe answer is \ufffd 2\ufffd."
    assert len(list(tmp_path.glob("*.*"))) == 4
    for path in tmp_path.glob("*.*"):
        path.read_text(encoding="utf-8")


@pytest.mark.parametrize("status", [400, 405, 422, 501])
def test_a_refused_probe_means_no_scores(serve: Any, status: int) -> None:
    def no_echo(handler: Handler, body: dict[str, Any]) -> None:
        if body.get("echo"):
            return handler.send(b'{"error": {"message": "echo is not supported"}}', status)
        return handler.send(json.dumps(answer(body)).encode())

    server, engine = serve(no_echo)
    assert not engine.capabilities.scores and "refuses a request with echo" in engine.capabilities.reason
    assert len(server.seen) == 1 and complete(engine).text


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_probe_refused_for_another_reason_is_an_error(serve: Any, status: int) -> None:
    _, engine = serve(lambda handler, _: handler.send(b'{"error": {"message": "no"}}', status))
    with pytest.raises(EngineError, match=r"refused: .*\ncheck llm\.base_url"):
        _ = engine.capabilities


@pytest.mark.parametrize("after", ["\xb2", "nan", "1e9", "-1", "99999999999", "Wed, 21 Oct 2015 07:28:00 GMT", ""])
def test_any_retry_after_is_survived(serve: Any, monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    monkeypatch.setattr("skillshot.llm.endpoint.LONGEST_WAIT", 0.01)
    sent = 0

    def later(handler: Handler, body: dict[str, Any]) -> None:
        nonlocal sent
        sent += 1
        if sent == 1:
            return handler.send(b"{}", 429, Retry_After=after)
        return handler.send(json.dumps(answer(body)).encode())

    assert complete(serve(later)[1]).text


def test_an_error_that_is_deep_or_long_is_one_short_line(serve: Any) -> None:
    for data in (b"[" * 50_000, b"x" * 50_000, b'{"error": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001):
        _, engine = serve(lambda handler, _, data=data: handler.send(data, 403))
        with pytest.raises(EngineError) as caught:
            complete(engine)
        assert len(str(caught.value)) < 500


def test_results_check_themselves() -> None:
    with pytest.raises(ValueError, match=r"logprobs: '0\.5' is not possible"):
        Scored((0.5,), 1)
