"""Ask a language model for the rationales that a bank lacks, sample by sample, and keep those that are right."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skillshot.annotate.judge import judge
from skillshot.annotate.prompts import WriterPrompt, labels_of, writer_decoding, writer_prompt
from skillshot.common.errors import BudgetError, EngineError
from skillshot.common.params import ValidateParams
from skillshot.common.progress import progress
from skillshot.common.record import Record
from skillshot.llm.cache import AnswerCache
from skillshot.llm.cached_engine import CachedEngine
from skillshot.llm.endpoint import RefusedError
from skillshot.llm.engine import Completion, Decoding, Engine, TooLongError

CHUNK = 16  # prompts per call of the engine where it does not say; between two, the clock is looked at
OF_ONE_PROMPT = (400, 413, 422)  # HTTP status of a refusal that may be about one prompt: too long, filtered
KEPT_CHARS = 1000  # of a rejected answer, for the page
KEPT_ANSWERS = 5000  # rejected answers that are kept for the page, to bound the memory


@dataclass(frozen=True)
class WriterSettings:
    """How rationales are asked for.

    samples: answers for a row at most; the first that is right is kept. hint: one more sample, which shows the answer.
    tokens: of an answer. minutes: after which no more is asked.
    """

    samples: int = 4
    hint: bool = False
    tokens: int = 400
    minutes: float | None = None


@dataclass
class Annotated:
    """A row, and what became of it. rejected: (sample, reason, the answer's beginning or "")."""

    record: Record
    asked: int = 0  # samples that were answered
    rationale: str = ""
    sample: int = 0
    prompt: WriterPrompt | None = None
    rejected: list[tuple[int, str, str]] = field(default_factory=list)
    refused: bool = False  # by the model: it is not asked again

    def to_dict(self, model: str) -> dict[str, Any]:
        """The row of the new bank: that of the old one, with rationale and provenance where one was found."""
        row = self.record.to_dict()
        if self.rationale and self.prompt:
            row |= {
                "rationale": self.rationale, "rationale_source": "llm", "rationale_model": model,
                "rationale_sample": self.sample, "rationale_prompt": self.prompt.digest,
            }  # fmt: skip
            row |= {"answer_shown": True} if self.prompt.shown else {}
        elif not row["rationale"]:
            del row["rationale"]
        return row


@dataclass(frozen=True)
class Annotation:
    """All rows of the bank in their order, and what the run cost. stopped: why it ended early, or ""."""

    rows: tuple[Annotated, ...]
    stopped: str
    timing: dict[str, Any]
    spent: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Counts of rows, samples and reasons."""
        had = sum(bool(row.record.rationale) for row in self.rows)
        hits = [row for row in self.rows if row.rationale]
        asked = [row for row in self.rows if row.asked or row.refused]
        return {
            "rows": len(self.rows),
            "had_rationale": had,
            "annotated": len(hits),
            "without_rationale": len(self.rows) - had - len(hits),
            "asked": len(asked),
            "yield": round(len(hits) / len(asked), 5) if asked else None,
            "answer_shown": sum(row.prompt is not None and row.prompt.shown for row in hits),
            "by_sample": {str(n): count for n, count in sorted(Counter(row.sample for row in hits).items())},
            "rejected": dict(Counter(kind(reason) for row in self.rows for _, reason, _ in row.rejected).most_common()),
            "stopped": self.stopped or None,
            **self.spent,
            "timing": self.timing,
        }


def kind(reason: str) -> str:
    """A reason without its details."""
    return reason.partition(": ")[0]


def annotate(
    engine: Engine,
    cache: AnswerCache,
    records: Sequence[Record],
    wanted: Sequence[Record],
    settings: WriterSettings,
    limits: ValidateParams,
    offline: bool = False,
    chunk: int = CHUNK,
) -> Annotation:
    """Rationales for the `wanted` records, all calls through the cache.

    A sample is asked of all rows that have no rationale yet before the next one, so that a budget that ends early was
    spent where rationales cost least. Answers in the cache are used in any case.

    Args:
        records: the whole bank; wanted: those of it to ask for. chunk: prompts per call of the engine.

    Raises:
        EngineError: the engine failed for good, or `offline` and an answer is missing; all answers are in the cache.
    """
    began = time.monotonic()
    rows = {id(record): Annotated(record) for record in records}  # not by their ids, which a caller may repeat
    todo = [rows[id(record)] for record in wanted]
    run = _Run(CachedEngine(engine, cache, offline), settings, limits, labels_of(records))
    for sample in range(1, settings.samples + settings.hint + 1):
        todo = [row for row in todo if not row.rationale and not row.refused]
        if not todo:
            break
        with progress(f"annotate, sample {sample}", len(todo), "row") as advance:
            for part in _chunks(todo, chunk):
                run.ask(part, sample)
                advance(len(part))
    timing = {
        "calls_made": run.engine.misses,
        "cache_hits": run.engine.hits,
        "engine_seconds": round(run.engine.seconds, 3),
        "wall_seconds": round(time.monotonic() - began, 3),
    }
    return Annotation(tuple(rows.values()), run.stopped, timing, dict(run.spent))


class _Run:
    """One run: the engine, its end, and what was spent."""

    def __init__(
        self,
        engine: CachedEngine,
        settings: WriterSettings,
        limits: ValidateParams,
        labels: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.engine, self.settings, self.limits, self.labels = engine, settings, limits, labels
        self.stopped = ""
        self.kept = self.answered = 0
        self.end = None if settings.minutes is None else time.monotonic() + 60 * settings.minutes
        self.spent = {"llm_calls": 0, "prompt_tokens": 0, "completion_tokens": 0}

    def ask(self, rows: Sequence[Annotated], sample: int) -> None:
        """One sample for each row; after the end of the budget, from the cache alone."""
        if not self.stopped and self.end is not None and time.monotonic() > self.end:
            self._stop(f"after {self.settings.minutes:g} minutes, as --max-minutes asks")
        groups: dict[Decoding, list[Annotated]] = {}
        for row in rows:
            how = writer_decoding(row.record.answer_type, sample, self.settings.tokens, self.engine.chat)
            groups.setdefault(how, []).append(row)
        for how, group in groups.items():
            hint = sample > self.settings.samples
            pairs = [(row, writer_prompt(row.record, self.labels, hint)) for row in group]
            try:
                if self.stopped:
                    self._from_cache(pairs, how, sample)
                else:
                    self._answers(pairs, how, sample)
            except BudgetError as error:
                self._stop(str(error).partition("\n")[0])
                self._from_cache([(row, prompt) for row, prompt in pairs if row.asked < sample], how, sample)

    def _stop(self, why: str) -> None:
        self.stopped, self.engine.offline = why, True

    def _answers(self, pairs: Sequence[tuple[Annotated, WriterPrompt]], how: Decoding, sample: int) -> None:
        """Answers for the rows; where a prompt is refused, each is sent alone, so that only one row goes without."""
        try:
            self._through(pairs, how, sample)
        except EngineError as error:
            if not _of_one_prompt(error):
                raise
            for row, prompt in pairs:
                if row.asked == sample:
                    continue
                try:
                    self._through([(row, prompt)], how, sample)
                except EngineError as single:
                    if not _of_one_prompt(single):
                        raise
                    row.refused = True
                    row.rejected.append((sample, f"refused by the model: {str(single).splitlines()[0]}", ""))
            if not self.answered:
                raise  # nothing was answered yet: it is the settings, not the prompts

    def _from_cache(self, pairs: Sequence[tuple[Annotated, WriterPrompt]], how: Decoding, sample: int) -> None:
        for pair in pairs:
            try:
                self._through([pair], how, sample)
            except EngineError:
                continue  # it is not there

    def _through(self, pairs: Sequence[tuple[Annotated, WriterPrompt]], how: Decoding, sample: int) -> None:
        for i, answer in self.engine.complete([prompt.text for _, prompt in pairs], how):
            row, prompt = pairs[i]
            self._judged(row, prompt, answer, sample)

    def _judged(self, row: Annotated, prompt: WriterPrompt, answer: Completion, sample: int) -> None:
        self.answered += 1
        row.asked = sample
        self.spent["llm_calls"] += 1
        self.spent["prompt_tokens"] += answer.prompt_tokens
        self.spent["completion_tokens"] += answer.completion_tokens
        found = judge(answer, row.record, self.limits)
        if found.rationale:
            row.rationale, row.sample, row.prompt = found.rationale, sample, prompt
            return
        self.kept += 1
        row.rejected.append((sample, found.reason, answer.text[:KEPT_CHARS] if self.kept <= KEPT_ANSWERS else ""))


def _of_one_prompt(error: EngineError) -> bool:
    """Whether an error may be about the one prompt that was sent, not about the settings."""
    return isinstance(error, TooLongError) or (isinstance(error, RefusedError) and error.status in OF_ONE_PROMPT)


def _chunks(rows: Sequence[Annotated], size: int) -> Iterator[Sequence[Annotated]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
