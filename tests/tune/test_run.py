"""Tuning with a language model whose likes are known: what it finds, what it leaves, what it pays for."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from helpers.flaky_server import Server, settings
from helpers.llm_fakes import FakeEngine
from helpers.tune_fakes import Liking
from skillshot.common.errors import EngineError, InputError
from skillshot.common.params import EvaluateParams
from skillshot.llm.cache import AnswerCache
from skillshot.llm.cached_engine import CachedEngine
from skillshot.llm.endpoint import EndpointEngine
from skillshot.tune.questions import BankQuestions
from skillshot.tune.run import Tuning, tune

PARAMS = EvaluateParams(bootstrap=200)


def tuned(questions: BankQuestions, engine: FakeEngine | CachedEngine, budget: int = 170, seed: int = 0) -> Tuning:
    return tune(questions, engine, 4, budget, seed, PARAMS)


@pytest.mark.parametrize(("likes", "part"), [([0.0, 1.0, 0.0], 1), ([0.0, 0.0, 1.0], 2)])
def test_a_model_that_likes_wording_moves_the_weights_to_it(
    questions: BankQuestions, likes: list[float], part: int
) -> None:
    found = tuned(questions, Liking(questions, likes))
    assert found.accepted and found.weights[part] > 0.5 > questions.weights[part]
    assert found.report["change"]["high"] < 0 and found.report["finding"] == "tuned"


def test_of_pure_noise_nothing_is_found(questions: BankQuestions) -> None:
    found = [tuned(questions, Liking(questions, [0, 0, 0], 0.3, seed), seed=seed) for seed in range(20)]
    assert sum(one.accepted for one in found) <= 2
    left = [one for one in found if not one.accepted]
    assert all(one.weights.tolist() == questions.weights.tolist() for one in left)
    assert {one.report["finding"] for one in left} == {"tuning found nothing"}


def test_a_model_that_likes_what_the_bundle_does_changes_little(questions: BankQuestions) -> None:
    found = tuned(questions, Liking(questions, list(questions.weights), 0.02))
    assert np.abs(np.array(list(found.report["weights"]["learned"].values())) - questions.weights).max() < 0.15


def test_the_budget_is_kept_and_every_prompt_is_paid_for_once(questions: BankQuestions) -> None:
    engine = Liking(questions, [0, 1, 0])
    report = tuned(questions, engine, 180).report
    assert 150 < report["calls"] == len(engine.calls) == len(set(engine.calls)) <= 180
    assert report["prompt_tokens"] == sum(len(prompt.split()) for prompt in engine.calls)


def test_demonstrations_that_harm_are_reported(questions: BankQuestions) -> None:
    zero = tuned(questions, Liking(questions, [-1, -1, -1])).report["others"]["zero-shot"]
    assert zero["high"] < 0


def test_an_interrupted_run_repeats_no_call_and_ends_the_same(questions: BankQuestions, tmp_path: Path) -> None:
    calm = Liking(questions, [0, 1, 0])
    expected = tuned(questions, CachedEngine(calm, AnswerCache(tmp_path / "calm")))
    calls: Counter[str] = Counter()
    attempts, found = 0, None
    while found is None:
        attempts += 1
        engine = Liking(questions, [0, 1, 0])
        engine.fail(0.05, attempts)
        with contextlib.suppress(KeyboardInterrupt):
            found = tuned(questions, CachedEngine(engine, AnswerCache(tmp_path / "wild")))
        calls.update(engine.calls)
    assert attempts > 3 and set(calls.values()) == {1} and set(calls) == set(calm.calls)
    assert found.report == expected.report and found.weights.tolist() == expected.weights.tolist()


def test_an_endpoint_that_fails_a_quarter_of_the_time_gives_the_same(
    questions: BankQuestions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openai")
    monkeypatch.setattr("skillshot.llm.endpoint.FIRST_WAIT", 0.005)
    reports = []
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        for name, rate in (("calm", 0.0), ("wild", 0.25)):
            server.rate, server.hang, server.served = rate, 0.6, {}
            engine = EndpointEngine(settings(server))
            report = tuned(questions, CachedEngine(engine, AnswerCache(tmp_path / name))).report
            reports.append({key: value for key, value in report.items() if key != "timing"})
            assert max(server.served.values()) == 1
        server.shutdown()
    assert reports[0] == reports[1] and engine.retried > 10


def test_what_cannot_be_tuned_is_refused(questions: BankQuestions) -> None:
    with pytest.raises(InputError, match="30 calls pay for 4 questions, fewer than 20; give --budget 140"):
        tuned(questions, FakeEngine(), 30)
    with pytest.raises(EngineError, match="a fake without scores\nuse the embedded model"):
        tuned(questions, FakeEngine(scores=False))
