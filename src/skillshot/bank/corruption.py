"""Deliberate corruption of a bank, to measure how robust selection is to poor examples.

The metadata field `corruption` lists what was done to a record, so that results can be split by it. Labels stay true.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skillshot.bank.dedup import mask
from skillshot.common.params import CorruptionParams
from skillshot.common.record import Record


def corrupt(records: Sequence[Record], settings: CorruptionParams, seed: int) -> tuple[list[Record], dict[str, int]]:
    """Apply all settings, thinning first; the order of the records is kept.

    Returns:
        the corrupted bank and how many records each setting changed (`thinned` counts those left out).
    """
    rng = np.random.default_rng(seed)
    kept = list(records)
    if settings.skew > 0:
        kept = _skewed(kept, settings.skew, rng)
    if settings.keep is not None and settings.keep < len(kept):
        chosen = np.sort(rng.choice(len(kept), settings.keep, replace=False))
        kept = [kept[i] for i in chosen]
    thinned = len(records) - len(kept)
    wrong = _exchange(kept, settings.wrong_rationales, rng)
    missing = _drop_steps(kept, settings.missing_steps, rng)
    return kept, {"thinned": thinned, "wrong_rationales": wrong, "missing_steps": missing, "rows": len(kept)}


def opening(rationale: str) -> str:
    """First three words of a rationale with numbers and names masked: a proxy for the skill where no label is known."""
    return " ".join(mask(rationale[:200]).split(" ")[:3])


def _skewed(records: list[Record], exponent: float, rng: np.random.Generator) -> list[Record]:
    """Keep about rank^-exponent of each opening's records, ranked by frequency, and at least one of each."""
    by_opening: dict[str, list[int]] = defaultdict(list)
    for i, record in enumerate(records):
        by_opening[opening(record.rationale)].append(i)
    ranked = sorted(by_opening.values(), key=lambda places: (-len(places), places[0]))
    kept: list[int] = []
    for rank, places in enumerate(ranked, 1):
        size = max(1, round(len(places) * rank**-exponent))
        kept.extend(int(i) for i in rng.choice(places, size, replace=False))
    return [records[i] for i in sorted(kept)]


def _exchange(records: list[Record], share: float, rng: np.random.Generator) -> int:
    """Cycle the rationales of `share` of the records that have one, so that none keeps its own; returns how many."""
    count = round(share * sum(bool(record.rationale) for record in records))
    if count < 2:
        return 0
    places = [i for i in rng.permutation(len(records)) if records[i].rationale][:count]
    rationales = [records[i].rationale for i in places]
    for i, rationale in zip(places, rationales[1:] + rationales[:1], strict=True):
        records[i] = _marked(replace(records[i], rationale=rationale), "wrong_rationale")
    return count


def _drop_steps(records: list[Record], share: float, rng: np.random.Generator) -> int:
    """Remove half of the steps (rounded down, at random) of `share` of the records; returns how many were changed."""
    changed = 0
    for i in rng.permutation(len(records))[: round(share * len(records))]:
        steps = records[i].rationale.split("\n")
        if len(steps) < 2:
            continue
        keep = np.sort(rng.choice(len(steps), len(steps) - len(steps) // 2, replace=False))
        records[i] = _marked(replace(records[i], rationale="\n".join(steps[j] for j in keep)), "missing_steps")
        changed += 1
    return changed


def _marked(record: Record, kind: str) -> Record:
    kinds = [*record.metadata.get("corruption", []), kind]
    return replace(record, metadata={**record.metadata, "corruption": kinds})
