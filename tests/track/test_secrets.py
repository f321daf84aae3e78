"""A planted key is sent to the endpoint and appears nowhere else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from helpers.llm_fakes import examples, some_choices
from skillshot.common.errors import EngineError, ParamsError
from skillshot.common.params import EvaluateParams, LlmParams, default_params
from skillshot.evaluation.files import write
from skillshot.evaluation.run import evaluate
from skillshot.llm.cache import AnswerCache
from skillshot.llm.endpoint import EndpointEngine

pytest.importorskip("openai")
KEY = "sk-planted-0123456789"


class Parrot(BaseHTTPRequestHandler):
    """An endpoint that repeats the key in its answers, or in its error message."""

    refuses = False

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Authorization"].removeprefix("Bearer ")
        usage = {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
        answer = {"choices": [{"text": f" The answer is {key}.", "index": 0}], "usage": usage}
        body = {"error": {"message": f"Incorrect API key provided: {key}"}} if self.refuses else answer
        data = json.dumps(body).encode()
        self.send_response(401 if self.refuses else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_key_is_in_no_cache_report_or_message(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEWAY", KEY)
    engine = EndpointEngine(LlmParams(base_url=url, model="m", api_key_env="GATEWAY", retries=0))
    queries = examples(3)
    record = AnswerCache(tmp_path / "llm.jsonl")
    evaluation = evaluate(engine, record, queries, some_choices(queries), EvaluateParams(bootstrap=50), 0)
    write(evaluation, tmp_path / "reports")
    assert any(row.text == " The answer is $GATEWAY." for row in evaluation.rows), "the answer arrived, without the key"
    monkeypatch.setattr(Parrot, "refuses", True)
    fresh = AnswerCache(tmp_path / "other.jsonl")
    with pytest.raises(EngineError, match=r"Incorrect API key provided: \$GATEWAY") as caught:
        evaluate(engine, fresh, queries, some_choices(queries), EvaluateParams(bootstrap=50), 0)
    assert KEY not in str(caught.value)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"llm.jsonl", "evaluate.json", "evaluate_rows.csv"} <= {path.name for path in files}
    assert [path.name for path in files if KEY.encode() in path.read_bytes()] == []
    shown = capfd.readouterr()
    assert KEY not in shown.out + shown.err


@pytest.mark.parametrize("setting", [f"llm.api_key_env={KEY}", f"llm.base_url=https://me:{KEY}@host/v1"])
def test_key_in_the_params_is_refused_and_not_repeated(setting: str) -> None:
    with pytest.raises(ParamsError, match=setting.partition("=")[0].replace(".", r"\.")) as caught:
        default_params([setting])
    assert KEY not in str(caught.value)
