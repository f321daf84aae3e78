"""A whole annotation with a writer that is wrong in 30 % of its answers and malformed in 10 %."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers.writer_fakes import Endpoint, FakeWriter, main, sums
from skillshot.annotate.prompts import TEMPERATURES
from skillshot.annotate.recompute import wrong_equation
from skillshot.annotate.run import Annotation, WriterSettings, annotate
from skillshot.bank.load import load_bank
from skillshot.common.errors import EngineError
from skillshot.common.io import write_jsonl
from skillshot.common.params import LlmParams, ValidateParams
from skillshot.common.record import Record
from skillshot.evaluation.checkers import check
from skillshot.llm.cache import AnswerCache
from skillshot.llm.endpoint import EndpointEngine
from skillshot.llm.engine import Completion, Decoding, TooLongError

LIMITS = ValidateParams()


def made(engine: Any, cache: Path, records: Sequence[Record], **settings: Any) -> Annotation:
    return annotate(engine, AnswerCache(cache), records, records, WriterSettings(**settings), LIMITS)


def test_no_rationale_is_kept_whose_answer_differs_from_gold(tmp_path: Path) -> None:
    records = sums(400)
    done = made(FakeWriter(), tmp_path / "r", records)
    report = done.to_dict()
    kept = [row for row in done.rows if row.rationale]
    for row in kept:
        last = row.rationale.split("\n")[-1].rpartition("=")[2].rstrip(".")
        assert check(f"The answer is {last}", row.record).correct and not wrong_equation(row.rationale)
        assert "answer is" not in row.rationale.lower()
    # 60 % of the answers are right: all but .4 ** 4 of the rows get one in four samples
    assert len(kept) == report["annotated"] > 0.95 * len(records)
    assert report["annotated"] + report["without_rationale"] == report["rows"] == 400
    assert list(report["by_sample"]) == ["1", "2", "3", "4"]
    assert {"another answer", "wrong equation", "contradicts itself", "blank"} <= set(report["rejected"])
    assert sum(report["rejected"].values()) + report["annotated"] == report["llm_calls"]


def test_the_new_bank_is_read_whole_with_its_provenance(tmp_path: Path) -> None:
    records = [dataclasses.replace(record, metadata={"kind": "sum"}) for record in sums(30)]
    done = made(FakeWriter(), tmp_path / "r", records)
    write_jsonl(tmp_path / "bank2.jsonl", (row.to_dict("m/1") for row in done.rows))
    loaded = load_bank(tmp_path / "bank2.jsonl")
    assert not loaded.quarantined and [r.id for r in loaded.records] == [r.id for r in records]
    for record, row in zip(loaded.records, done.rows, strict=True):
        assert (record.question, record.answer, record.rationale) == (
            row.record.question, row.record.answer, row.rationale
        )  # fmt: skip
        assert record.metadata["kind"] == "sum" and "answer_shown" not in record.metadata
        if row.rationale:
            about = {name: record.metadata[f"rationale_{name}"] for name in ("source", "model", "sample", "prompt")}
            assert row.prompt is not None
            assert about == {"source": "llm", "model": "m/1", "sample": row.sample, "prompt": row.prompt.digest}
    rows = [json.loads(line) for line in (tmp_path / "bank2.jsonl").read_text().splitlines()]
    assert all(("rationale" in row) == bool(made.rationale) for row, made in zip(rows, done.rows, strict=True))


def test_rows_with_a_rationale_stay_and_a_second_run_asks_for_nothing(tmp_path: Path) -> None:
    old = dataclasses.replace(sums(1)[0], id="old", rationale="As it was.")
    engine, records = FakeWriter(), [old, *sums(12)]
    first = annotate(engine, AnswerCache(tmp_path / "r"), records, records[1:], WriterSettings(), LIMITS)
    count = len(engine.calls)
    second = annotate(engine, AnswerCache(tmp_path / "r"), records, records[1:], WriterSettings(), LIMITS)
    assert len(engine.calls) == count == len(set(engine.calls)) and second.timing["calls_made"] == 0
    assert [row.to_dict("m") for row in first.rows] == [row.to_dict("m") for row in second.rows]
    assert first.rows[0].to_dict("m") == old.to_dict()


def test_samples_are_drawn_at_rising_temperatures_and_only_for_rows_without_a_hit(tmp_path: Path) -> None:
    class Listening(FakeWriter):
        asked: list[tuple[int, float]] = []  # noqa: RUF012

        def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
            self.asked.append((len(prompts), getattr(decoding, "temperature", 0.0)))
            return super().complete(prompts, decoding)

    done = made(Listening(), tmp_path / "r", sums(16), samples=6)
    temperatures = [temperature for _, temperature in Listening.asked]
    assert temperatures == [*TEMPERATURES, 1.0, 1.0][: len(temperatures)]
    left = 16
    for sample, (count, _) in enumerate(Listening.asked, 1):
        assert count == left
        left -= sum(row.sample == sample for row in done.rows)


def test_the_answer_is_shown_for_procedures_and_with_a_hint_alone(tmp_path: Path) -> None:
    class Parrot(FakeWriter):
        def complete(self, prompts: Sequence[str], _: Decoding) -> Iterator[tuple[int, Completion]]:
            for i, prompt in enumerate(prompts):
                given = prompt.rpartition("Its answer: ")[2].partition("\n")[0] if "Its answer" in prompt else "?"
                yield i, Completion(f" The table shop is read: {given}\nThe answer is {given}.", 9, 9, "stop")

    value = Record("v", "What is 1 + 1?", "", "2", answer_type="number")
    query = Record("q", "All shops?", "", "SELECT name FROM shop", answer_type="sql")
    for hint in (False, True):
        rows = made(Parrot(), tmp_path / f"r{hint}", [value, query], samples=2, hint=hint).rows
        assert rows[1].sample == 1 and rows[1].to_dict("m")["answer_shown"] is True
        assert bool(rows[0].rationale) == hint and rows[0].sample == (3 if hint else 0)
        assert rows[0].to_dict("m").get("answer_shown", False) is hint


def test_minutes_end_a_run_and_the_cache_is_used_all_the_same(tmp_path: Path) -> None:
    records = sums(40)
    whole = made(FakeWriter(), tmp_path / "full", records)
    done = made(engine := FakeWriter(), tmp_path / "r", records, minutes=0.0)
    assert not engine.calls and "minutes" in done.stopped and done.to_dict()["annotated"] == 0
    done = made(engine := FakeWriter(), tmp_path / "full", records, minutes=0.0)
    assert not engine.calls and [row.rationale for row in done.rows] == [row.rationale for row in whole.rows]


def settings(server: Endpoint, **changes: Any) -> LlmParams:
    return LlmParams(**{"base_url": server.url, "model": "m", "timeout": 5.0, "retries": 0, **changes})


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_an_endpoint_gets_the_temperature_and_is_asked_once_for_each_sample(tmp_path: Path, api: str) -> None:
    pytest.importorskip("openai")
    with Endpoint() as server:
        done = made(EndpointEngine(settings(server, api=api)), tmp_path / "r", sums(20))
        assert done.to_dict()["annotated"] >= 17
        assert {body["temperature"] for body in server.seen} <= set(TEMPERATURES)
        assert not any(body.get("echo") for body in server.seen), "whether it scores is of no interest"
        count = len(server.seen)
        assert count == done.spent["llm_calls"] == done.timing["calls_made"]
        made(EndpointEngine(settings(server, api=api)), tmp_path / "r", sums(20))
        assert len(server.seen) == count


@pytest.mark.parametrize("bound", [{"max_calls": 7}, {"max_tokens": 9000}, {"max_cost": 0.01, "price_input": 1.0}])
def test_a_budget_ends_a_run_with_what_it_paid_for(tmp_path: Path, bound: dict[str, Any]) -> None:
    pytest.importorskip("openai")
    with Endpoint() as server:
        engine = EndpointEngine(settings(server, **bound))
        done = made(engine, tmp_path / "r", sums(60))
        assert done.stopped.startswith(f"llm.{next(iter(bound))} ") and "\n" not in done.stopped
        assert 0 < done.to_dict()["annotated"] < 60 and len(done.rows) == 60
        count = len(server.seen)
        assert count == done.spent["llm_calls"] == len(AnswerCache(tmp_path / "r"))
        after = made(EndpointEngine(settings(server)), tmp_path / "r", sums(60))
        assert not after.stopped and len(server.seen) == after.spent["llm_calls"], "what was paid for is used"


def test_one_prompt_that_is_refused_does_not_end_the_run(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with Endpoint(refused="What is 3 + 24?") as server:
        done = made(EndpointEngine(settings(server)), tmp_path / "r", sums(12))
        assert [row.record.id for row in done.rows if row.refused] == ["s3"]
        assert done.to_dict()["rejected"]["refused by the model"] == 1 and done.to_dict()["asked"] == 12
        with pytest.raises(EngineError, match="refused"):
            made(EndpointEngine(settings(server)), tmp_path / "r2", sums(4)[3:])


def test_a_prompt_over_the_context_of_the_embedded_model_costs_one_row(tmp_path: Path) -> None:
    class Short(FakeWriter):
        def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
            if any("What is 2 + 17?" in prompt for prompt in prompts):
                raise TooLongError("a prompt needs 9000 tokens")
            return super().complete(prompts, decoding)

    done = made(Short(), tmp_path / "r", sums(20))
    assert [row.record.id for row in done.rows if row.refused] == ["s2"] and done.to_dict()["annotated"] >= 17


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.slow
def test_after_kill_9_no_answer_is_paid_for_twice(tmp_path: Path) -> None:
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    calm.mkdir()
    wild.mkdir()
    main(calm, 0.0)
    (wild / "bank2.jsonl").write_text("a good file\n")
    rng = random.Random(5)
    places = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    kills = 0
    while kills < 4 or (wild / "bank2.jsonl").read_text() == "a good file\n":
        before = len(AnswerCache(wild / "llm.jsonl"))
        command = [sys.executable, "-m", "helpers.writer_fakes", str(wild), "0.02"]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while len(AnswerCache(wild / "llm.jsonl")) <= before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if kills < 4:
            time.sleep(rng.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
            assert (wild / "bank2.jsonl").read_text() == "a good file\n"
        assert process.wait(60) in (0, -signal.SIGKILL)
    assert (wild / "bank2.jsonl").read_bytes() == (calm / "bank2.jsonl").read_bytes()
    calls = (wild / "calls.txt").read_text().split("\n")[:-1]
    assert len(calls) - len(set(calls)) <= kills, "at most the one call in progress at each kill"
    assert set(calls) == set((calm / "calls.txt").read_text().split("\n")[:-1])
