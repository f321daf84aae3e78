"""The endpoint engine against a local fake server with every kind of network failure."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.flaky_server import FAULTS, Handler, Server, settings
from helpers.llm_fakes import FakeEngine, examples, some_choices
from skillshot.common.errors import BudgetError, EngineError
from skillshot.common.params import EvaluateParams
from skillshot.evaluation.run import evaluate
from skillshot.llm.cache import AnswerCache
from skillshot.llm.cached_engine import CachedEngine
from skillshot.llm.endpoint import EndpointEngine
from skillshot.llm.engine import Decoding, answer_decoding

pytest.importorskip("openai")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("skillshot.llm.endpoint.FIRST_WAIT", 0.005)
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def test_answers_scores_and_key(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    engine = EndpointEngine(settings(server, api_key_env="MY_KEY"))
    answers = dict(engine.complete(["a b", "c"], Decoding(9, ("\n\n",))))
    assert answers[0].text.startswith(" So.\nThe answer is") and "more" not in answers[0].text
    assert (answers[0].prompt_tokens, answers[0].completion_tokens) == (2, 5)
    scored = dict(engine.score(["x y z"], [" u v"]))[0]
    assert len(scored.logprobs) == 2 and scored.prompt_tokens == 3, "the token written after the gold text is left out"
    assert {request["key"] for request in server.seen} == {"Bearer secret"}
    assert "secret" not in engine.model and engine.capabilities.scores


@pytest.mark.slow
def test_thousand_calls_with_faults_give_the_same_report(server: Server, tmp_path: Path) -> None:
    queries = examples(125)
    choices = some_choices(queries)
    params = EvaluateParams(bootstrap=50)
    calm = evaluate(EndpointEngine(settings(server)), AnswerCache(tmp_path / "calm"), queries, choices, params, 0)
    assert server.requests > 250 and max(server.served.values()) == 1
    server.rate, server.served, server.requests = 0.25, {}, 0
    engine = EndpointEngine(settings(server))
    wild = evaluate(engine, AnswerCache(tmp_path / "wild"), queries, choices, params, 0)
    assert wild.summary == calm.summary and wild.rows == calm.rows
    assert engine.retried > 100 and max(server.served.values()) == 1, "no answer was requested twice"
    assert len(AnswerCache(tmp_path / "wild")) == len(AnswerCache(tmp_path / "calm"))
    assert server.most <= 8 + server.requests // 8, "hanging requests aside, concurrency is bounded"


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_ends_in_one_clear_error(server: Server, fault: str) -> None:
    server.rate, server.faults, server.hang = 1.0, (fault,), 0.4
    engine = EndpointEngine(settings(server, retries=2, timeout=0.2, concurrency=1))
    with pytest.raises(EngineError, match=r"\(3 tries\)\nall answers so far are in the cache"):
        if fault == "length":
            dict(engine.score(["p"], [" c"]))
        else:
            dict(engine.complete(["p"], Decoding()))
    assert engine.retried == 2


def test_an_empty_line_does_not_end_the_answer_of_a_chat_model(server: Server, tmp_path: Path) -> None:
    queries = examples(2)
    for api, stop in (("completions", ["\n\n", "\nQuestion:"]), ("chat", ["\nQuestion:"])):
        server.seen.clear()
        engine, cache = EndpointEngine(settings(server, api=api)), AnswerCache(tmp_path / api)
        evaluate(engine, cache, queries, {"zero-shot": [[], []]}, EvaluateParams(bootstrap=50), 0)
        assert [request["stop"] for request in server.seen if "stop" in request] == [stop, stop]
        assert answer_decoding(CachedEngine(engine, cache), 9).stop == tuple(stop)
    assert answer_decoding(FakeEngine(), 9) == Decoding(9), "requests of other engines stay, and so do their cache keys"


def test_refusal_is_not_retried(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "_serve", lambda self, *_: self._send(401, b'{"error": {"message": "no key"}}'))
    with pytest.raises(EngineError, match=r"refused: AuthenticationError.*\ncheck llm.base_url"):
        dict(EndpointEngine(settings(server)).complete(["p"], Decoding()))
    assert server.requests == 1


def test_answers_before_a_failure_are_cached_and_not_requested_again(server: Server, tmp_path: Path) -> None:
    prompts = [f"p {i}" for i in range(40)]
    server.rate, server.faults = 0.2, ("500",)
    for _ in range(30):
        engine = CachedEngine(EndpointEngine(settings(server, retries=0)), AnswerCache(tmp_path / "r"))
        with contextlib.suppress(EngineError):
            dict(engine.complete(prompts, Decoding()))
        assert len(engine.cache) == len(server.served)
        if len(engine.cache) == 40:
            break
    assert max(server.served.values()) == 1 and len(server.served) == 40


def test_without_echo_the_engine_does_not_score(server: Server) -> None:
    server.echo = False
    engine = EndpointEngine(settings(server))
    assert not engine.capabilities.scores and "log-probabilities" in engine.capabilities.reason
    with pytest.raises(EngineError, match="log-probabilities"):
        engine.score(["a"], [" b"])
    assert server.requests == 1, "tested once"


def test_chat_sends_messages_and_never_scores(server: Server) -> None:
    engine = EndpointEngine(settings(server, api="chat"))
    assert "The answer is" in dict(engine.complete(["hello"], Decoding()))[0].text
    assert server.seen[-1]["path"] == "/v1/chat/completions" and not engine.capabilities.scores


@pytest.mark.parametrize(
    ("bound", "name"),
    [({"max_calls": 5}, "max_calls"), ({"max_tokens": 400}, "max_tokens"),
     ({"max_cost": 0.002, "price_input": 1.0, "price_output": 10.0}, "max_cost")],
)  # fmt: skip
def test_budget_is_never_exceeded(server: Server, tmp_path: Path, bound: dict[str, Any], name: str) -> None:
    engine = EndpointEngine(settings(server, **bound))
    cached = CachedEngine(engine, AnswerCache(tmp_path / "r"))
    with pytest.raises(BudgetError, match=rf"llm.{name} .*\nall answers so far are in the cache; raise the bound"):
        dict(cached.complete([f"p {i}" for i in range(60)], Decoding(20)))
    spent = engine.budget
    assert 0 < len(cached.cache) == len(server.served) == server.requests < 60
    assert spent.calls <= bound.get("max_calls", 99) and spent.cost <= bound.get("max_cost", 99)
    assert spent.prompt_tokens + spent.completion_tokens <= bound.get("max_tokens", 10**6)


def test_calls_are_paced(server: Server) -> None:
    engine = EndpointEngine(settings(server, calls_per_minute=600))
    began = time.monotonic()
    dict(engine.complete([f"p{i}" for i in range(6)], Decoding()))
    assert time.monotonic() - began >= 0.5
