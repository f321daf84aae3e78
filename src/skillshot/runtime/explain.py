"""Why a demonstration was chosen: words, parts of the score, steps, and what similarity would have taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from skillshot.common.errors import InputError
from skillshot.common.extras import extras_named
from skillshot.common.sinks import one_line
from skillshot.common.templates import render
from skillshot.common.text import shown
from skillshot.runtime.attribution import attribute
from skillshot.runtime.cover import Held, Step, cover
from skillshot.runtime.opening import OpenBundle
from skillshot.runtime.scoring import BLOCKS
from skillshot.runtime.search import Found
from skillshot.runtime.similar import Similar, by_similarity
from skillshot.runtime.types import Demonstration, Filters, Question, parse

BASE = "(base)"  # the contribution of no word: the score of a text without words
SHOWN = 5  # words that the text names
LINE = 150  # characters of a question in the text


@dataclass(frozen=True)
class Contribution:
    """What a word of the question adds to a score.

    start: its first character in the question with context and options; -1 for the base.
    """

    piece: str
    value: float
    start: int = -1


@dataclass(frozen=True)
class Alternative:
    """An example that plain question similarity would have chosen. similarity: by `Explanation.similarity`."""

    id: str
    question: str
    rationale: str
    answer: str
    score: float
    similarity: float


@dataclass(frozen=True)
class Reason:
    """Why one demonstration was chosen.

    contributions: the words, largest first, then "(base)", the score of a text without words. They sum to the score.
    parts: of the score, by what is compared: structure and latent (the skill), sentence and words (the wording). They
        sum to the score too.
    similarity, rank: the demonstration's by plain question similarity, from 1; None where that cannot be measured.
    instead: the example that similarity would have chosen in its place; None where it would have chosen this one.
    steps: what the demonstration has of each kind of `Explanation.steps`, in their order.
    """

    demonstration: Demonstration
    contributions: tuple[Contribution, ...]
    parts: Mapping[str, float]
    similarity: float | None = None
    rank: int | None = None
    instead: Alternative | None = None
    steps: tuple[Held, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Reasons for all demonstrations of a question, best first.

    question: with context and options, as encoders read it.
    confidence: mean of the demonstrations' confidence; 0 where there is none.
    similarity: how `rank` and `instead` are measured.
    steps: all kinds of steps that the score counts, most expected first.
    steps_note: why there are none; empty where there are.
    """

    question: str
    reasons: tuple[Reason, ...]
    confidence: float = 0.0
    similarity: str | None = None
    steps: tuple[Step, ...] = ()
    steps_note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, ready for JSON; the values of a reason's contributions sum to its score."""
        reasons = [
            {
                "demonstration": reason.demonstration.to_dict(),
                "contributions": [asdict(contribution) for contribution in reason.contributions],
                "parts": dict(reason.parts),
                "similarity": reason.similarity,
                "rank": reason.rank,
                "instead": reason.instead and asdict(reason.instead),
                "steps": [asdict(held) for held in reason.steps],
            }
            for reason in self.reasons
        ]
        return {
            "question": self.question,
            "confidence": self.confidence,
            "similarity": self.similarity,
            "steps": [asdict(step) for step in self.steps],
            "steps_note": self.steps_note,
            "reasons": reasons,
        }

    @property
    def shown_steps(self) -> list[int]:
        """Places of the steps that are predicted, or that a demonstration has."""
        held = [[reason.steps[place].count for reason in self.reasons] for place in range(len(self.steps))]
        return [place for place, step in enumerate(self.steps) if step.count or any(held[place])]

    def to_html(self) -> str:
        """A page that needs nothing else: no script, no other file. All texts of the bank are escaped.

        Raises:
            MissingPackageError: jinja2 is not installed (extra `templates`).
        """
        most = max((abs(part.value) for reason in self.reasons for part in reason.contributions[:-1]), default=0.0)
        rows = [{"reason": reason, "words": _marked(reason, most)} for reason in self.reasons]
        with extras_named():
            return render("skillshot.runtime", "explanation.html.j2", why=self, rows=rows, shown=self.shown_steps)

    _repr_html_ = to_html

    def to_shap(self) -> Any:
        """The words' contributions as a `shap.Explanation`, for the plots of SHAP; a row is a demonstration.

        Returns:
            values (k, words) in the question's order, base values (k,), words as data and names of features.

        Raises:
            InputError: nothing was chosen.
            MissingPackageError: shap is not installed (extra `shap`).
        """
        if not self.reasons:
            raise InputError(f"question {shown(self.question)}: nothing was chosen, so there is nothing to plot")
        with extras_named():
            import shap
        rows = [sorted(reason.contributions[:-1], key=lambda part: part.start) for reason in self.reasons]
        pieces = [part.piece for part in rows[0]]
        return shap.Explanation(
            np.array([[part.value for part in row] for row in rows]),
            np.array([reason.contributions[-1].value for reason in self.reasons]),
            np.array([pieces] * len(rows)),
            feature_names=pieces,
        )

    def __str__(self) -> str:
        lines = [f"Question: {one_line(self.question)}", f"Confidence: {self.confidence:.2f}"]
        if self.steps:
            lines.append("Steps, with the number predicted:")
            shown = [(place + 1, self.steps[place]) for place in self.shown_steps]
            lines += [f"   [{place}] {step.expected:.1f}  {one_line(step.name)}" for place, step in shown]
        elif self.steps_note:
            lines.append(f"Steps: {self.steps_note}.")
        for place, reason in enumerate(self.reasons, 1):
            lines += _lines(place, reason)
        if self.reasons and self.similarity is None:
            lines.append("Question similarity cannot be measured: this mode does not read the wording.")
        return "\n".join(lines)


def explain(bundle: OpenBundle, question: Question, found: Sequence[Found], k: int, filters: Filters) -> Explanation:
    """The explanation of what `search.find` found for a question.

    Args:
        k, filters: as the selection had them; similarity chooses by the same.
    """
    asked, text = parse(question)
    if not found:
        return Explanation(text, ())
    rows = np.stack([one.vector for one in found])
    words, values, base = attribute(bundle.policy, text, found[0].query, rows)
    similar = by_similarity(bundle, asked, text, found, k, filters)
    instead = _instead(bundle, found, similar)
    covered = cover(bundle, found[0].query, rows)
    reasons = []
    for place, one in enumerate(found):
        parts = bundle.scoring.parts(one.query, rows[place : place + 1])[0].tolist()
        reasons.append(
            Reason(
                Demonstration.of(*one[1:4]),
                _sorted(words, values[:, place].tolist(), float(base[place])),
                dict(zip(BLOCKS, parts, strict=True)),
                similar.values.get(one.row),
                similar.ranks.get(one.row),
                instead.get(one.row),
                covered.held[place] if covered.held else (),
            )
        )
    confidence = sum(one.confidence for one in found) / len(found)
    return Explanation(text, tuple(reasons), confidence, similar.measure, covered.steps, covered.note)


def _sorted(words: Sequence[str], values: Sequence[float], base: float) -> tuple[Contribution, ...]:
    start, parts = 0, []
    for word, value in zip(words, values, strict=True):
        parts.append(Contribution(word, value, start))
        start += len(word)
    return *sorted(parts, key=lambda part: -part.value), Contribution(BASE, base)


def _instead(bundle: OpenBundle, found: Sequence[Found], similar: Similar) -> dict[int, Alternative]:
    """The examples that only similarity would have chosen, best first, by the row that each gave way to."""
    taken = {other.row for other in similar.taken}
    chosen = {one.row for one in found}
    kept = [one for one in found if one.row not in taken]
    dropped = [other for other in similar.taken if other.row not in chosen]
    made = {}
    for one, other in zip(kept, dropped, strict=False):
        record, score = other.record, float(bundle.scoring.parts(one.query, other.vector[None]).sum())
        made[one.row] = Alternative(
            record.id, record.question, record.rationale, record.answer, score, other.similarity
        )
    return made


def _lines(place: int, reason: Reason) -> list[str]:
    demonstration, (*words, base) = reason.demonstration, reason.contributions
    named = [f"{word.piece.strip()!r} {word.value:+.3f}" for word in words[:SHOWN]]
    rest = sum(word.value for word in words[SHOWN:])
    terms = [*named, *([f"other words {rest:+.3f}"] if words[SHOWN:] else []), f"{BASE} {base.value:+.3f}"]
    lines = [
        f"{place}. {one_line(demonstration.id)}  score {demonstration.score:.3f}"
        f"  confidence {demonstration.confidence:.2f}",
        f"   {_short(demonstration.question)}",
        f"   by words: {', '.join(terms)}",
        f"   by parts: {', '.join(f'{name} {value:+.3f}' for name, value in reason.parts.items())}",
    ]
    if reason.steps:
        lines.append(f"   by steps: {_steps(reason.steps)}")
    if reason.rank is not None:
        lines.append(f"   by question similarity: rank {reason.rank:,}")
    if reason.instead is not None:
        other = reason.instead
        lines.append(f"   similarity takes instead: {one_line(other.id)}  score {other.score:.3f}")
        lines.append(f"   {_short(other.question)}")
    return lines


def _steps(held: Sequence[Held]) -> str:
    """The predicted steps that it has, those beyond them, and what all add to the score; by place in `steps`."""
    covers, beyond = (
        ", ".join(
            f"[{place}]" + (f" x{number}" if number > 1 else "") for place, number in enumerate(numbers, 1) if number
        )
        for numbers in ([one.covers for one in held], [one.beyond for one in held])
    )
    return f"covers {covers or 'none'}; beyond {beyond or 'none'}; they add {sum(one.value for one in held):+.3f}"


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= LINE else text[: LINE - 3] + "..."


def _marked(reason: Reason, most: float) -> list[tuple[str, float, int]]:
    """The words in the question's order with their values and the percentage of ink behind each, from -60 to 60."""
    words = sorted(reason.contributions[:-1], key=lambda part: part.start)
    return [(word.piece, word.value, round(60 * word.value / most) if most > 0 else 0) for word in words]
