"""Drift of a bank against the last accepted one: lengths, answer types, vocabulary."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common.io import sha256_text, write_json
from skillshot.common.record import Record

STATE = Path(".skillshot/accepted.json")  # outside DVC, which removes the outputs of a stage before it runs
VOCABULARY = 2000  # number of most frequent words that are compared
NOTABLE, LARGE = 0.1, 0.25  # the usual thresholds of a population stability index

_WORD = re.compile(r"[^\W\d_]+")
Profile = dict[str, Any]


def profile(records: Sequence[Record]) -> Profile:
    """What `drift` compares, as plain JSON: deciles and histograms of lengths, shares of answer types and of words."""
    lengths = {
        "question_words": [len(r.text.split()) for r in records],
        "rationale_words": [len(r.rationale.split()) for r in records],
        "steps": [r.rationale.count("\n") + bool(r.rationale) for r in records],
    }
    types = Counter(r.answer_type for r in records)
    words = Counter(word for r in records for word in _WORD.findall(f"{r.question} {r.rationale}".casefold()))
    total = max(1, words.total())
    return {
        "rows": len(records),
        "deciles": {name: [float(q) for q in np.quantile(values, _TENTHS)] for name, values in lengths.items()},
        "histograms": {name: dict(sorted(Counter(map(str, values)).items())) for name, values in lengths.items()},
        "answer_types": {name: count / len(records) for name, count in sorted(types.items())},
        "words": {w: n / total for w, n in sorted(words.items(), key=lambda item: (-item[1], item[0]))[:VOCABULARY]},
    }


def summary(of: Profile) -> dict[str, Any]:
    """The part of a profile that a report shows: medians of lengths and shares of answer types."""
    return {
        **{f"median_{name}": deciles[5] for name, deciles in of["deciles"].items()},
        "answer_types": of["answer_types"],
    }


def drift(old: Profile, new: Profile) -> dict[str, float]:
    """Shifts from one bank to another; 0 means no shift.

    Lengths: population stability index over the old deciles, sum (p - q) ln(p / q). Answer types: total variation.
    Vocabulary: Jensen-Shannon distance (base 2, Lin 1991) over both banks' most frequent words.
    """
    shifts = {name: _psi(old, new, name) for name in old["deciles"]}
    shifts["answer_types"] = 0.5 * sum(abs(p - q) for p, q in _paired(old["answer_types"], new["answer_types"]))
    shifts["vocabulary"] = _jensen_shannon(old["words"], new["words"])
    return {name: round(value, 4) for name, value in shifts.items()}


def reading(shift: float) -> str:
    """A shift in words: none, notable or large."""
    return "none" if shift < NOTABLE else "notable" if shift < LARGE else "large"


def accept(new: Profile, state: Path = STATE) -> dict[str, float] | None:
    """Store `new` as the last accepted bank and return its drift from the one before, or None for the first.

    Accepting the same bank again compares it with the same predecessor.
    """
    history = _history(state)
    key = sha256_text(json.dumps(new, sort_keys=True))
    if not history or history[-1]["key"] != key:
        history = [*history[-1:], {"key": key, "profile": new}]
        write_json(state, history)
    return drift(history[0]["profile"], new) if len(history) == 2 else None


def _history(state: Path) -> list[dict[str, Any]]:
    try:
        history = json.loads(state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []  # no state or a damaged one: the next bank counts as the first
    return history if isinstance(history, list) else []


_TENTHS = [i / 10 for i in range(11)]


def _psi(old: Profile, new: Profile, name: str) -> float:
    edges = sorted(set(old["deciles"][name][1:-1]))
    return sum(
        (q - p) * math.log(q / p) for p, q in zip(_shares(old, name, edges), _shares(new, name, edges), strict=True)
    )


def _shares(of: Profile, name: str, edges: Sequence[float]) -> list[float]:
    bins = [0.5] * (len(edges) + 1)  # half a row per bin, so that an empty bin does not give an infinite index
    for value, count in of["histograms"][name].items():
        bins[int(np.searchsorted(edges, float(value)))] += count
    return [count / sum(bins) for count in bins]


def _paired(a: Mapping[str, float], b: Mapping[str, float]) -> list[tuple[float, float]]:
    return [(a.get(key, 0.0), b.get(key, 0.0)) for key in sorted(a.keys() | b.keys())]


def _jensen_shannon(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    scale_a, scale_b = sum(a.values()) or 1.0, sum(b.values()) or 1.0
    divergence = 0.0
    for p, q in _paired(a, b):
        p, q = p / scale_a, q / scale_b
        m = (p + q) / 2
        divergence += sum(x * math.log2(x / m) / 2 for x in (p, q) if x)
    return math.sqrt(max(0.0, divergence))
