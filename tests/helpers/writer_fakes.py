"""A writer of rationales that is wrong now and then, as an engine and as a program that a test kills."""

from __future__ import annotations

import dataclasses
import json
import random
import re
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from helpers.llm_fakes import FakeEngine
from skillshot.common.io import sha256_text
from skillshot.common.record import Record
from skillshot.llm.engine import Completion, Decoding

ASKED = re.compile(r"What is (\d+) \+ (\d+)\?")
WRONG, MALFORMED = 0.3, 0.1


class FakeWriter(FakeEngine):
    """Adds two numbers: 30 % of its answers are wrong, 10 % malformed, by a digest of prompt and decoding."""

    model = "writer/1"

    def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        for i, prompt in enumerate(prompts):
            self._call(f"complete {sha256_text(prompt + repr(dataclasses.asdict(decoding)))}")
            text = written(prompt, repr(dataclasses.asdict(decoding)))
            yield i, Completion(text, len(prompt.split()), len(text.split()), "stop", self._pause)


def written(prompt: str, how: str) -> str:
    """What the writer says to the last question of a prompt."""
    found = ASKED.findall(prompt)
    a, b = map(int, found[-1]) if found else (0, 0)
    draw = random.Random(sha256_text(prompt + how))
    luck, right = draw.random(), a + b
    if luck < WRONG:  # another answer; right steps to another answer; a wrong equation before the right answer
        off = right + draw.choice([-1, 1, 10])
        return draw.choice([
            f" {a} + {b} = {off}.\nThe answer is {off}.",
            f" {a} + {b} = {right}.\nThe answer is {off}.",
            f" {a} + {b} = {off}.\nThe answer is {right}.",
            f" {a} + {b} = {right}.\nThe answer is {right}.\nNo, the answer is {off}.",
        ])  # fmt: skip
    if luck < WRONG + MALFORMED:
        return draw.choice(["", "  \n", f"{right}", "The answer is", f" {a} + {b}", "\x1b[2J The answer is 3.",
                            "\ufffd\ufffd", "{" * 50, f"The answer is {right}."])  # fmt: skip
    return f" Add {b} to {a}.\n{a} + {b} = {right}.\nSo the answer is {right}."


class Endpoint(ThreadingHTTPServer):
    """The same writer as an OpenAI-compatible endpoint. `seen` has the requests; `refused` prompts get status 400."""

    daemon_threads = True

    def __init__(self, refused: str = "no such text") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.seen: list[dict[str, Any]] = []
        self.refused = refused

    def __enter__(self) -> Endpoint:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(body)
        prompt = body["messages"][0]["content"] if "messages" in body else body["prompt"]
        if self.server.refused in prompt:
            return self._send(400, {"error": {"message": "too long for this model"}})
        text = written(prompt, str(body["temperature"]))
        choice = {"index": 0, "finish_reason": "stop", "text": text, "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split()), "total_tokens": 0}
        return self._send(
            200, {"id": "x", "object": "x", "created": 0, "model": "m", "choices": [choice], "usage": usage}
        )

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def sums(n: int) -> list[Record]:
    """Rows without a rationale."""
    return [Record(f"s{i}", f"What is {i} + {7 * i + 3}?", "", str(8 * i + 3), answer_type="number") for i in range(n)]


def main(folder: Path, pause: float) -> None:
    """Annotate in a separate process, which a test kills."""
    from skillshot.annotate.files import write_annotation
    from skillshot.annotate.run import WriterSettings, annotate
    from skillshot.common.params import ValidateParams
    from skillshot.llm.cache import AnswerCache

    engine, records = FakeWriter(log=folder / "calls.txt", pause=pause), sums(40)
    made = annotate(engine, AnswerCache(folder / "llm.jsonl"), records, records, WriterSettings(), ValidateParams())
    write_annotation(made, folder / "bank2.jsonl", "writer", engine.model)


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]), float(sys.argv[2]))
