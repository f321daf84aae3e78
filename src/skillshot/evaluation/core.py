"""Run a language model over queries with every selector's demonstrations, and say what can be said."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from skillshot.bank.record import Record as Example
from skillshot.errors import InputError
from skillshot.evaluation.checkers import check
from skillshot.evaluation.summary import Prices, summarise
from skillshot.llm.engine import Completion, Decoding, Engine, Scored
from skillshot.llm.record import Record
from skillshot.llm.recorded import Recorded
from skillshot.params import Evaluate
from skillshot.runtime.prompt import continuation, render

if TYPE_CHECKING:
    from skillshot.evaluation.rivals import Chosen


@dataclass(frozen=True)
class Row:
    """One query with one selector's demonstrations. None: not measured (see the summary's reason)."""

    query: str
    selector: str
    answer_type: str
    correct: bool | None = None
    valid: bool | None = None
    nll: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    found: str = ""
    answer: str = ""
    demonstrations: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    seconds: float = field(default=0.0, compare=False)  # in the engine when it was bought; not in the CSV


@dataclass(frozen=True)
class Evaluation:
    """All rows, the summary of the contract, and what differs from run to run (kept out of the summary)."""

    rows: tuple[Row, ...]
    summary: dict[str, Any]
    timing: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The report: the summary, and timings under one key of their own."""
        return {**self.summary, "timing": self.timing}


def sample(queries: Sequence[Example], limit: int | None, seed: int) -> list[Example]:
    """At most `limit` queries, drawn with the seed, in their order. A larger limit holds every smaller one's."""
    order = random.Random(seed).sample(range(len(queries)), len(queries))
    return [queries[i] for i in sorted(order[:limit])]


def evaluate(
    engine: Engine,
    record: Record,
    queries: Sequence[Example],
    choices: Mapping[str, Sequence[Sequence[Example]]],
    params: Evaluate,
    seed: int,
    offline: bool = False,
    selection: Mapping[str, Chosen] | None = None,
    prices: Prices | None = None,
) -> Evaluation:
    """Accuracy and gold log-likelihood of every selector, all calls through the record.

    Args:
        choices: selector -> for each query its demonstrations, best first; none of them is zero-shot.
        selection: what each selector's own calls cost, for the report ("name@2" and "name:reversed" are "name").
        prices: of a million tokens; without them no money is reported.

    Raises:
        InputError: no queries, or a selector that chose for another number of them.
        EngineError: the engine failed for good, or `offline` and an answer is missing. What was
            answered until then is in the record.
    """
    _check_input(queries, choices)
    began = time.perf_counter()
    recorded = Recorded(engine, record, offline)
    rows: list[Row] = []
    for chunk in _progress(_chunks(queries, choices, max(1, recorded.capabilities.batch))):
        rows += _run(recorded, chunk, params)
    order = {name: i for i, name in enumerate(choices)}
    rows.sort(key=lambda row: order[row.selector])  # stable: queries keep their order
    summary = summarise(rows, recorded.model, recorded.capabilities, params, seed, selection or {}, prices)
    wall = time.perf_counter() - began
    timing = {
        "calls_made": recorded.calls,
        "calls_from_record": recorded.found,
        "engine_seconds": round(recorded.seconds, 3),
        "wall_seconds": round(wall, 3),
        "share_in_engine": round(recorded.seconds / wall, 3),
        "seconds": {
            name: round(sum(row.seconds for row in rows if row.selector == name), 3) for name in choices
        },
        "selection": {
            name: {
                "wall": round(chosen.seconds, 3),
                "engine_bank": round(chosen.bank.seconds, 3),
                "engine_queries": round(chosen.queries.seconds, 3),
            }
            for name, chosen in (selection or {}).items()
        },
    }  # fmt: skip
    return Evaluation(tuple(rows), summary, timing)


@dataclass(frozen=True)
class _Task:
    query: Example
    selector: str
    demonstrations: Sequence[Example]

    @property
    def prompt(self) -> str:
        return render(self.demonstrations, self.query.question, self.query.context, self.query.options)


def _check_input(queries: Sequence[Example], choices: Mapping[str, Sequence[Sequence[Example]]]) -> None:
    if not queries:
        raise InputError("evaluate: no queries; raise evaluate.limit or give a file with queries")
    for name, chosen in choices.items():
        if len(chosen) != len(queries):
            raise InputError(f"evaluate: selector {name} chose for {len(chosen)} of {len(queries)} queries")


def _chunks(
    queries: Sequence[Example], choices: Mapping[str, Sequence[Sequence[Example]]], size: int
) -> list[list[_Task]]:
    # one selector after the other within a query: prompts of like length stand together
    tasks = [_Task(q, name, chosen[i]) for i, q in enumerate(queries) for name, chosen in choices.items()]
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]


def _progress(chunks: list[list[_Task]]) -> Iterator[list[_Task]]:
    from tqdm.auto import tqdm

    with tqdm(total=sum(map(len, chunks)), desc="evaluate", unit="prompt") as bar:
        for chunk in chunks:
            yield chunk
            bar.update(len(chunk))


def _run(engine: Recorded, tasks: Sequence[_Task], params: Evaluate) -> list[Row]:
    """Score, then write: an engine may keep what it read of a prompt for the second call."""
    prompts = [task.prompt for task in tasks]
    scored: dict[int, Scored] = {}
    if engine.capabilities.scores:
        gold = [i for i, task in enumerate(tasks) if task.query.rationale or task.query.answer]
        results = engine.score([prompts[i] for i in gold], [continuation(tasks[i].query) for i in gold])
        scored = {gold[place]: result for place, result in results}
    written: dict[int, Completion] = {}
    if params.answers:
        written = dict(engine.complete(prompts, Decoding(max_tokens=params.max_tokens)))
    return [_row(task, scored.get(i), written.get(i)) for i, task in enumerate(tasks)]


def _row(task: _Task, scored: Scored | None, written: Completion | None) -> Row:
    row = Row(
        task.query.id,
        task.selector,
        task.query.answer_type,
        answer=task.query.answer,
        demonstrations=tuple(example.id for example in task.demonstrations),
    )
    if scored:
        row = dataclasses.replace(
            row, nll=scored.nll, calls=1, prompt_tokens=scored.prompt_tokens, seconds=scored.seconds
        )
    if written:
        verdict = check(written.text, task.query)
        row = dataclasses.replace(
            row,
            correct=verdict.correct,
            valid=verdict.valid,
            found=verdict.found,
            text=written.text,
            calls=row.calls + 1,
            prompt_tokens=written.prompt_tokens,
            completion_tokens=written.completion_tokens,
            seconds=row.seconds + written.seconds,
        )
    return row
