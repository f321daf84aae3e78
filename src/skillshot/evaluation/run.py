"""Run a language model over queries with every selector's demonstrations, and summarise the results."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skillshot.common.errors import InputError
from skillshot.common.params import EvaluateParams
from skillshot.common.progress import progress
from skillshot.common.recompute import corrected
from skillshot.common.record import Record
from skillshot.evaluation.checkers import check
from skillshot.evaluation.results import Evaluation, Prices, QueryResult
from skillshot.evaluation.summary import summarise
from skillshot.llm.cache import AnswerCache
from skillshot.llm.cached_engine import CachedEngine
from skillshot.llm.engine import Completion, Engine, Scored, answer_decoding
from skillshot.runtime.prompt import PromptTemplate, continuation

if TYPE_CHECKING:
    from skillshot.selectors.choose import Choice


def sample(queries: Sequence[Record], limit: int | None, seed: int) -> list[Record]:
    """At most `limit` queries, drawn with the seed, in their order. A larger limit holds every smaller one's."""
    order = random.Random(seed).sample(range(len(queries)), len(queries))
    return [queries[i] for i in sorted(order[:limit])]


def evaluate(
    engine: Engine,
    cache: AnswerCache,
    queries: Sequence[Record],
    choices: Mapping[str, Sequence[Sequence[Record]]],
    params: EvaluateParams,
    seed: int,
    offline: bool = False,
    selection: Mapping[str, Choice] | None = None,
    prices: Prices | None = None,
    template: PromptTemplate | None = None,
) -> Evaluation:
    """Accuracy and gold log-likelihood of every selector, all calls through the cache.

    Args:
        choices: selector -> for each query its demonstrations, best first; none of them is zero-shot.
        selection: what each selector's own calls cost, for the report ("name@2" and "name:reversed" are "name").
        prices: of a million tokens; without them no money is reported.
        template: how demonstrations and a question become a prompt; None: the default.

    Raises:
        InputError: no queries, or a selector that chose for another number of them.
        EngineError: the engine failed for good, or `offline` and an answer is missing. What was
            answered until then is in the cache.
    """
    _check_input(queries, choices)
    began = time.perf_counter()
    cached = CachedEngine(engine, cache, offline)
    rows: list[QueryResult] = []
    for chunk in _progress(_chunks(queries, choices, template or PromptTemplate(), max(1, cached.capabilities.batch))):
        rows += _run(cached, chunk, params)
    order = {name: i for i, name in enumerate(choices)}
    rows.sort(key=lambda row: order[row.selector])  # stable: queries keep their order
    summary = summarise(rows, cached.model, cached.capabilities, params, seed, selection or {}, prices)
    wall = time.perf_counter() - began
    timing = {
        "calls_made": cached.misses,
        "cache_hits": cached.hits,
        "engine_seconds": round(cached.seconds, 3),
        "wall_seconds": round(wall, 3),
        "share_in_engine": round(cached.seconds / wall, 3),
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
    query: Record
    selector: str
    demonstrations: Sequence[Record]
    template: PromptTemplate

    @property
    def prompt(self) -> str:
        return self.template.render(self.demonstrations, self.query.question, self.query.context, self.query.options)

    @property
    def paragraphs(self) -> bool:
        """Whether a demonstration's answer has an empty line, as code may."""
        return any("\n\n" in text for example in self.demonstrations for text in (example.rationale, example.answer))


def _check_input(queries: Sequence[Record], choices: Mapping[str, Sequence[Sequence[Record]]]) -> None:
    if not queries:
        raise InputError("evaluate: no queries; raise evaluate.limit or give a file with queries")
    for name, chosen in choices.items():
        if len(chosen) != len(queries):
            raise InputError(f"evaluate: selector {name} chose for {len(chosen)} of {len(queries)} queries")


def _chunks(
    queries: Sequence[Record], choices: Mapping[str, Sequence[Sequence[Record]]], template: PromptTemplate, size: int
) -> list[list[_Task]]:
    # one selector after the other within a query: prompts of similar length are in one batch
    tasks = [_Task(q, name, chosen[i], template) for i, q in enumerate(queries) for name, chosen in choices.items()]
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]


def _progress(chunks: list[list[_Task]]) -> Iterator[list[_Task]]:
    with progress("evaluate", sum(map(len, chunks)), "prompt") as advance:
        for chunk in chunks:
            yield chunk
            advance(len(chunk))


def _run(engine: CachedEngine, tasks: Sequence[_Task], params: EvaluateParams) -> list[QueryResult]:
    """Score, then write: an engine may keep what it read of a prompt for the second call."""
    prompts = [task.prompt for task in tasks]
    scored: dict[int, Scored] = {}
    if engine.capabilities.scores:
        gold = [i for i, task in enumerate(tasks) if task.query.rationale or task.query.answer]
        results = engine.score([prompts[i] for i in gold], [continuation(tasks[i].query) for i in gold])
        scored = {gold[place]: result for place, result in results}
    written: dict[int, Completion] = {}
    if params.answers:  # an answer can be compared only where there is one
        for paragraphs in (False, True):
            asked = [i for i, task in enumerate(tasks) if task.query.answer and task.paragraphs is paragraphs]
            decoding = answer_decoding(engine, params.max_tokens, paragraphs)
            answers = engine.complete([prompts[i] for i in asked], decoding) if asked else ()
            written.update({asked[place]: result for place, result in answers})
    return [_row(task, scored.get(i), written.get(i)) for i, task in enumerate(tasks)]


def _row(task: _Task, scored: Scored | None, written: Completion | None) -> QueryResult:
    row = QueryResult(
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
        again = check(corrected(written.text), task.query) if task.query.answer_type == "number" else None
        row = dataclasses.replace(
            row,
            correct=verdict.correct,
            recomputed=again.correct if again else None,
            valid=verdict.valid,
            found=verdict.found,
            text=written.text,
            calls=row.calls + 1,
            prompt_tokens=written.prompt_tokens,
            completion_tokens=written.completion_tokens,
            seconds=row.seconds + written.seconds,
        )
    return row
