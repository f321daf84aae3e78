"""What the pages show of a selection: the chosen, what question similarity takes, and the reasons."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skillshot.common.record import Record
from skillshot.runtime.explain import Contribution, explain
from skillshot.runtime.opening import OpenBundle
from skillshot.runtime.prompt import prompt_template
from skillshot.runtime.search import find
from skillshot.runtime.similar import by_similarity
from skillshot.runtime.types import Demonstration, Question, parse, parts
from skillshot.ui.rows import key_of

INK = 6  # shades behind a word
MOST = 50  # demonstrations that a page shows for a question


@dataclass(frozen=True)
class Chosen:
    """A demonstration in a list. rank: by question similarity, from 1; None where that cannot be measured.

    value: the score, or the similarity. both: whether the other list has it too.
    """

    key: str
    record: Record
    value: float
    confidence: float | None
    rank: int | None
    both: bool


@dataclass(frozen=True)
class Selection:
    """What a question gets. measure: how question similarity is measured; None where it cannot be.

    seconds: of the selection alone.
    """

    ours: Sequence[Chosen]
    similar: Sequence[Chosen]
    measure: str | None
    confidence: float
    prompt: str
    seconds: float


def choose(bundle: OpenBundle, question: Question, k: int) -> Selection:
    """Select, and take what question similarity takes.

    Raises:
        InputError: as `Selector.select`.
    """
    k = min(k, MOST)
    asked, text = parse(question)
    started = time.perf_counter()
    (found,) = find(bundle, [question], k)
    seconds = time.perf_counter() - started
    prompt = prompt_template(None, None).render([Demonstration.of(*one[1:4]) for one in found], *parts(question))
    if not found:
        return Selection((), (), None, 0.0, prompt, seconds)
    other = by_similarity(bundle, asked, text, found, k, {})
    ours, theirs = {one.row for one in found}, {one.row for one in other.taken}
    chosen = [
        Chosen(key_of(one.record), one.record, one.score, one.confidence, other.ranks.get(one.row), one.row in theirs)
        for one in found
    ]
    similar = []
    for rank, one in enumerate(other.taken, 1):
        similar.append(Chosen(key_of(one.record), one.record, one.similarity, None, rank, one.row in ours))
    return Selection(chosen, similar, other.measure, float(np.mean([one.confidence for one in found])), prompt, seconds)


def reasons(bundle: OpenBundle, question: Question, k: int) -> dict[str, Any]:
    """An explanation as the template shows it; rows: each reason with its key and its words (piece, value, shade)."""
    k = min(k, MOST)
    (found,) = find(bundle, [question], k)
    why = explain(bundle, question, found, k, {})
    most = max((abs(part.value) for reason in why.reasons for part in reason.contributions[:-1]), default=0.0)
    rows = [
        {"reason": reason, "key": key_of(one.record), "words": _inked(reason.contributions[:-1], most)}
        for one, reason in zip(found, why.reasons, strict=True)
    ]
    return {"why": why, "rows": rows, "steps": why.shown_steps}


def _inked(words: Sequence[Contribution], most: float) -> list[tuple[str, float, int]]:
    """The words in the question's order, with a shade from -`INK` to `INK`."""
    order = sorted(words, key=lambda part: part.start)
    return [(part.piece, part.value, round(INK * part.value / most) if most > 0 else 0) for part in order]
