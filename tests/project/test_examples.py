"""The examples run, each in a process of its own, and the served model answers."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from skillshot import Selector

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "Tom has 12 apples and eats 5 of them. How many apples are left?"


def run(script: str, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / script), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def needs(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def test_langchain(bundle: Path) -> None:
    needs("langchain_core")
    text = run("langchain_prompt.py", str(bundle), QUESTION)
    best = Selector.load(bundle).select(QUESTION, k=2)
    assert text.rstrip().endswith(f"Question: {QUESTION}\nAnswer:")
    assert text.index(best[1].question) < text.index(best[0].question)


def test_dspy(bundle: Path) -> None:
    needs("dspy")
    lines = run("dspy_examples.py", str(bundle), QUESTION).splitlines()
    assert lines[0] == "3"
    assert [line.split(" ", 1)[1] for line in lines[1:]] == [
        d.question for d in Selector.load(bundle).select(QUESTION, 2)
    ]


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An OpenAI-compatible server that remembers what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            message = {"role": "assistant", "content": "12 - 5 = 7\nThe answer is 7."}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = json.dumps({"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]})
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", asked
    server.shutdown()


def test_openai(bundle: Path, endpoint: tuple[str, list[dict[str, Any]]]) -> None:
    needs("openai")
    url, asked = endpoint
    assert "The answer is 7." in run(
        "openai_messages.py", str(bundle), QUESTION, OPENAI_BASE_URL=url, OPENAI_API_KEY="none"
    )
    first, *turns = asked[0]["messages"]
    assert first["role"] == "system" and first["content"].endswith("as the 4 examples do.")
    assert turns == Selector.load(bundle).messages(QUESTION, k=4)


@pytest.fixture(scope="module")
def saved(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pyfunc that `benchmarks/bench_serve.py` loads, as the registry holds it."""
    needs("mlflow")
    folder = tmp_path_factory.mktemp("served") / "model"
    bench().save(bundle, folder)
    return folder


def bench() -> Any:
    spec = importlib.util.spec_from_file_location("bench_serve", ROOT / "benchmarks/bench_serve.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_mlflow_batch(bundle: Path, saved: Path) -> None:
    text = run("mlflow_batch.py", str(saved), "How many in all?", QUESTION)
    assert str([d.id for d in Selector.load(bundle).select(QUESTION, 2)]) in text
    assert text.rstrip().endswith("Answer:")


@pytest.mark.slow
def test_the_served_model_answers_under_a_little_load(saved: Path) -> None:
    result = bench().serve(saved, [QUESTION, "How many in all?"], seconds=2, clients=2)
    assert result["errors"] == 0 and result["requests"] >= 2


def test_the_docker_file_serves_what_mlflow_serve_takes() -> None:
    needs("mlflow")
    from mlflow.models.cli import commands

    text = (ROOT / "Dockerfile").read_text()
    command = json.loads(re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)[-1])
    assert command[:3] == ["mlflow", "models", "serve"]
    options = {name for parameter in commands.commands["serve"].params for name in parameter.opts}
    assert {word for word in command if word.startswith("-")} <= options
    assert "USER served" in text and "requirements.txt" in text
