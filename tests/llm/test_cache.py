"""The answer cache: no answer is lost or requested twice, with killed processes and concurrent writers."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from helpers.llm_fakes import FakeEngine, examples, main, some_choices
from skillshot.common.errors import EngineError
from skillshot.common.params import EvaluateParams
from skillshot.evaluation.run import evaluate
from skillshot.llm.cache import AnswerCache, default_path, digest
from skillshot.llm.cached_engine import CachedEngine
from skillshot.llm.engine import Decoding


def test_answers_come_back_from_the_file(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "deep" / "llm.jsonl")
    cache.add("a", {"text": "é\ud800\n2"}, model="m")
    cache.add("b", [1.5])
    again = AnswerCache(cache.path)
    assert (again.get("b"), again.get("c"), len(again), again.damaged) == ([1.5], None, 2, 0)
    assert again.get("a")["text"].endswith("\n2")


def test_incomplete_last_line_is_skipped_and_ended(tmp_path: Path) -> None:
    path = tmp_path / "llm.jsonl"
    AnswerCache(path).add("a", 1)
    with path.open("ab") as handle:
        handle.write(b'{"key": "b", "ans')
    cache = AnswerCache(path)
    cache.add("c", 3)
    again = AnswerCache(path)
    assert (again.get("a"), again.get("b"), again.get("c"), again.damaged) == (1, None, 3, 1)


def test_first_answer_counts_and_lines_of_other_writers_are_read(tmp_path: Path) -> None:
    one, two = AnswerCache(tmp_path / "r"), AnswerCache(tmp_path / "r")
    one.add("a", 1)
    assert two.get("a") is None
    two.refresh()
    two.add("a", 2)
    assert (two.get("a"), AnswerCache(tmp_path / "r").get("a")) == (1, 1)


def test_record_holds_what_was_used_and_is_replayed(tmp_path: Path) -> None:
    queries = examples(4)
    record, choices, params = tmp_path / "answers.jsonl", some_choices(queries), EvaluateParams(bootstrap=200)
    first = AnswerCache(tmp_path / "a")
    first.add("of another evaluation", {"text": "x"})
    first.used.clear()
    made = evaluate(FakeEngine(), first, queries, choices, params, 0)
    first.write_record(record)
    lines = record.read_text().splitlines()
    assert len(lines) == len(first.used) == made.timing["calls_made"] + 1  # and what the engine can do
    assert "seconds" not in record.read_text() and "of another" not in record.read_text()

    record.write_text("\n".join([*lines[1:], '{"key": "edited", "digest": "0", "answer": {}}']) + "\n")
    clone, engine = AnswerCache(tmp_path / "b"), FakeEngine()
    known = clone.adopt(record)
    again = evaluate(engine, clone, queries, choices, params, 0)
    assert (len(known), clone.damaged, again.summary) == (len(lines) - 1, 1, made.summary)
    assert len(clone.used) == len(lines) and len(clone.used - known) == 1, "one answer was requested"
    clone.write_record(record)
    assert record.read_text().splitlines() == lines, "the same answers are the same bytes"
    assert len(AnswerCache(tmp_path / "b")) == len(lines), "replayed answers are in the cache of this machine"


def test_no_record_is_no_answer(tmp_path: Path) -> None:
    assert AnswerCache(tmp_path / "a").adopt(tmp_path / "none.jsonl") == frozenset()


def _write_many(path: Path, name: str) -> None:
    cache = AnswerCache(path)
    for i in range(200):
        cache.add(f"{name}{i}", "x" * (i * 37 % 5000))


def test_two_writers_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "llm.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    cache = AnswerCache(path)
    assert (len(cache), cache.damaged) == (400, 0)


def test_key_depends_on_everything_an_answer_depends_on() -> None:
    how, other = {"max_tokens": 1}, {"max_tokens": 2}
    calls = [("m", "complete", "p", how), ("n", "complete", "p", how), ("m", "score", "p", how)]
    keys = {digest(*call) for call in [*calls, ("m", "complete", "q", how), ("m", "complete", "p", other)]}
    assert len(keys) == 5


def test_second_run_and_repeated_prompts_need_no_call(tmp_path: Path) -> None:
    engine = FakeEngine()
    first = CachedEngine(engine, AnswerCache(tmp_path / "r"))
    answers = dict(first.complete(["a", "b", "a"], Decoding()))
    assert answers[0] == answers[2] and first.misses == len(engine.calls) == 2
    second = CachedEngine(engine, AnswerCache(tmp_path / "r"), offline=True)
    assert dict(second.complete(["a", "b", "a"], Decoding())) == answers
    assert (second.misses, len(engine.calls)) == (0, 2)


def test_offline_fails_on_a_cache_miss_without_a_call(tmp_path: Path) -> None:
    engine = FakeEngine()
    dict(CachedEngine(engine, AnswerCache(tmp_path / "r")).score(["a"], [" b"]))
    offline = CachedEngine(engine, AnswerCache(tmp_path / "r"), offline=True)
    with pytest.raises(EngineError, match=r"--offline: 1 of 2 answers of fake/1 are not in .*\nrun once without"):
        dict(offline.score(["a", "c"], [" b", " b"]))
    assert len(engine.calls) == 1


def test_answers_before_a_failure_are_kept(tmp_path: Path) -> None:
    class Failing(FakeEngine):
        def _call(self, what: str) -> None:
            if len(self.calls) == 3:
                raise EngineError("the cable is out")
            super()._call(what)

    with pytest.raises(EngineError, match="cable"):
        dict(CachedEngine(Failing(), AnswerCache(tmp_path / "r")).complete(list("abcdef"), Decoding()))
    engine = FakeEngine()
    assert len(dict(CachedEngine(engine, AnswerCache(tmp_path / "r")).complete(list("abcdef"), Decoding()))) == 6
    assert len(engine.calls) == 3


def test_path_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SKILLSHOT_CACHE", raising=False)
    assert default_path() == Path(".cache/skillshot/llm/llm.jsonl")
    monkeypatch.setenv("SKILLSHOT_CACHE", str(tmp_path))
    assert default_path() == tmp_path / "llm.jsonl"


KILLS = 20


def _stable(folder: Path) -> tuple[str, bytes]:
    report = json.loads((folder / "evaluate.json").read_text())
    del report["timing"]
    return json.dumps(report), (folder / "evaluate_rows.csv").read_bytes()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.slow
def test_run_after_a_kill_continues(tmp_path: Path) -> None:
    """kill -9 at 20 random moments: the report is that of an undisturbed run, and no cached call is repeated."""
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    calm.mkdir()
    wild.mkdir()
    main(calm, 0.0)
    rng = random.Random(11)
    places = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    kills = 0
    while not (wild / "evaluate.json").exists():
        before = len(AnswerCache(wild / "llm.jsonl"))
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.llm_fakes", str(wild), "0.03"], env=environment, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while len(AnswerCache(wild / "llm.jsonl")) <= before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if kills < KILLS:
            time.sleep(rng.uniform(0, 0.08))
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
        assert process.wait(60) in (0, -signal.SIGKILL)
        assert len(AnswerCache(wild / "llm.jsonl")) >= before, "a kill removes no answer"
    assert kills == KILLS
    assert _stable(wild) == _stable(calm)
    calls = (wild / "calls.txt").read_text().split("\n")[:-1]
    lost = len(calls) - len(set(calls))
    assert lost <= kills, "at most the one call in progress at each kill is repeated"
    assert set(calls) == set((calm / "calls.txt").read_text().split("\n")[:-1])


def test_interrupt_leaves_a_valid_cache(tmp_path: Path) -> None:
    class Interrupted(FakeEngine):
        def _call(self, what: str) -> None:
            if len(self.calls) == 20:
                raise KeyboardInterrupt
            super()._call(what)

    queries = examples(12)
    with pytest.raises(KeyboardInterrupt):
        evaluate(Interrupted(), AnswerCache(tmp_path / "r"), queries, some_choices(queries), EvaluateParams(), 0)
    assert len(AnswerCache(tmp_path / "r")) == 21, "20 answers and the capabilities"


def test_edited_answer_is_requested_again(tmp_path: Path) -> None:
    path = tmp_path / "llm.jsonl"
    cache = AnswerCache(path)
    for key in ("good", "better", "\ud800"):
        cache.add(key, {"nll": 1.5, "text": f"{key} \ud800 é"}, model="m")
    path.write_text(path.read_text().replace('1.5, "text": "better', '0.5, "text": "better'))
    found = AnswerCache(path)
    assert found.damaged == 1 and found.get("better") is None
    assert found.get("good") == cache.get("good") and found.get("\ud800") == cache.get("\ud800")
    found.add("better", {"nll": 1.5})
    assert AnswerCache(path).get("better") == {"nll": 1.5}
    with path.open("a") as handle:
        handle.write('{"key": "of an older version", "answer": 1}\n')
    assert AnswerCache(path).get("of an older version") is None, "a line without its digest is not an answer"


@pytest.mark.parametrize(
    "line",
    ["[]", "1", "null", '"x"', '{"key": 1}', '{"key": [], "digest": "", "answer": 1}', "[" * 100_000, "{",
     '{"key": "k", "digest": null, "answer": 1}', '{"key": "k", "digest": "", "answer": 1}', "\xff"],
)  # fmt: skip
def test_a_line_that_is_no_answer_is_counted_and_skipped(tmp_path: Path, line: str) -> None:
    path = tmp_path / "llm.jsonl"
    path.write_bytes(line.encode("latin-1") + b"\n")
    AnswerCache(path).add("good", 1)
    found = AnswerCache(path)
    assert (len(found), found.damaged, found.get("good")) == (1, 1, 1)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("score", {"logprobs": [0.5], "prompt_tokens": 1}), ("score", {"logprobs": [float("nan")], "prompt_tokens": 1}),
     ("score", {"logprobs": [], "prompt_tokens": 1}), ("score", {"logprobs": ["-1"], "prompt_tokens": 1}),
     ("score", {"logprobs": [-1e300], "prompt_tokens": 1}), ("score", {"logprobs": 3, "prompt_tokens": 1}),
     ("score", {"prompt_tokens": 1}), ("score", [1]), ("score", 5), ("score", "text"),
     ("complete", {"text": 5, "prompt_tokens": 1, "completion_tokens": 1, "finish": "stop"}),
     ("complete", {"text": "a", "prompt_tokens": -1, "completion_tokens": 1, "finish": "stop"}),
     ("complete", {"text": "a", "prompt_tokens": 1, "completion_tokens": 1e9, "finish": "stop"}),
     ("complete", {"text": "a", "prompt_tokens": 1, "completion_tokens": True, "finish": "stop"}),
     ("complete", {"text": "a", "prompt_tokens": 1, "completion_tokens": 1, "finish": []}),
     ("complete", {"text": "a", "prompt_tokens": 1, "completion_tokens": 1, "finish": "stop", "seconds": -1}),
     ("complete", {"text": "a", "more": 1}), ("capabilities", {"scores": 1}),
     ("capabilities", {"scores": True, "batch": 0})],
)  # fmt: skip
def test_a_sealed_line_with_an_impossible_answer_is_named(tmp_path: Path, kind: str, answer: Any) -> None:
    cache = AnswerCache(tmp_path / "r")
    how = {"complete": dataclasses.asdict(Decoding()), "score": " b", "capabilities": None}[kind]
    cache.add(digest("fake/1", kind, "" if kind == "capabilities" else "a", how), answer)
    engine = CachedEngine(FakeEngine(), AnswerCache(tmp_path / "r"))
    with pytest.raises(EngineError, match=r"r: the answer with key [0-9a-f]{12}\.\.\. is not .*\nremove its line"):
        {
            "complete": lambda: dict(engine.complete(["a"], Decoding())),
            "score": lambda: dict(engine.score(["a"], [" b"])),
            "capabilities": lambda: engine.capabilities,
        }[kind]()
