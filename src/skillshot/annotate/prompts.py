"""What the writer is asked: one wording for each kind of answer, from the data files in `wording/`.

A prompt is the task, worked examples, and the row's question, in the form in which `evaluate` asks. An answer that
is itself a procedure (a query, code) is shown, and the writer explains it. A value is not shown: a writer that knows
the answer finds steps to it, right or wrong.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from skillshot.common.io import sha256_text
from skillshot.common.record import Record
from skillshot.llm.engine import CHAT_STOP, Decoding, Sampled
from skillshot.runtime.prompt import render

PROCEDURES = frozenset({"sql", "lf", "code", "json"})  # answers that are shown to the writer
SHOWN = "Its answer: "
TEMPERATURES = (0.0, 0.5, 0.7, 0.9)  # of the samples in order, and 1 for all further ones
_LABELS = 20  # different answers of one kind up to which they may be labels, which the prompt lists
_REPEATS = 3  # rows for each of them, on average
_MANY_PARTS = frozenset({"code"})  # answers that may hold a blank line


class WriterPrompt(NamedTuple):
    """A prompt, and whether it shows the gold answer."""

    text: str
    shown: bool

    @property
    def digest(self) -> str:
        """First 16 hex digits of its SHA-256."""
        return sha256_text(self.text)[:16]


def writer_prompt(record: Record, labels: Mapping[str, tuple[str, ...]], hint: bool = False) -> WriterPrompt:
    """The prompt for a row. hint: show the answer, whatever its kind.

    Args:
        labels: of `labels_of`, of the whole bank.
    """
    kind = record.answer_type if (_folder() / f"{record.answer_type}.json").is_file() else "text"
    wording, shown = _wording(kind), hint or kind in PROCEDURES
    task = wording["task"]
    if listed := labels.get(record.answer_type):
        task += f" The answer is one of: {', '.join(listed)}."
    if hint and kind not in PROCEDURES:
        task += " The right answer is given; the steps must lead to it."
    examples = [Record("example", answer_type=kind, **example) for example in wording["examples"]]
    if shown:
        examples, record = [_with_answer(example) for example in examples], _with_answer(record)
    return WriterPrompt(f"{task}\n\n{render(examples, record.question, record.context, record.options)}", shown)


def worked_examples(kind: str) -> str:
    """Rationales of the examples in the prompts of an answer type."""
    known = kind if (_folder() / f"{kind}.json").is_file() else "text"
    return "\n".join(example["rationale"] for example in _wording(known)["examples"])


def labels_of(records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """Answer type -> the labels that its answers are, where they are few and each returns often.

    All of a bank's answers are listed, so that no row's own answer is given away.
    """
    counts: dict[str, Counter[str]] = {}
    for record in records:
        if record.answer_type in ("bool", "text"):
            counts.setdefault(record.answer_type, Counter())[record.answer] += 1
    return {
        kind: tuple(sorted(found))
        for kind, found in counts.items()
        if 2 <= len(found) <= _LABELS and found.total() >= _REPEATS * len(found)
    }


def writer_decoding(kind: str, sample: int, max_tokens: int, chat: bool) -> Decoding:
    """How a sample (from 1) is decoded: the first greedily, each further one drawn at a higher temperature."""
    stop = CHAT_STOP if chat or kind in _MANY_PARTS else Decoding().stop
    temperature = TEMPERATURES[sample - 1] if sample <= len(TEMPERATURES) else 1.0
    return Sampled(max_tokens, stop, temperature, sample) if temperature else Decoding(max_tokens, stop)


def _with_answer(record: Record) -> Record:
    return dataclasses.replace(record, question=f"{record.question}\n{SHOWN}{record.answer}")


@lru_cache
def _wording(kind: str) -> dict[str, Any]:
    wording: dict[str, Any] = json.loads((_folder() / f"{kind}.json").read_text(encoding="utf-8"))
    return wording


def _folder() -> Any:
    return files("skillshot.annotate") / "wording"
