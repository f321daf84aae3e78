"""Agreement of the shipped selector, `Selector.load`, with the choices that the evaluation's tables are made of."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from skillshot.common.record import Record
from skillshot.runtime.selector import Selector
from skillshot.selectors.choose import choose


def shipped(bundle: str | PathLike[str], queries: Sequence[Record], k: int, seed: int) -> dict[str, Any]:
    """Ask the bundle as production would, by the question alone, and compare with the evaluated selector.

    A selector that ranks differently from the evaluated one gives other demonstrations here; so does an evaluation
    whose selector sees more than a question.

    Returns:
        {"mode", "queries", "same_choice"}: the bundle's mode, and the share of queries for which every evaluated
        demonstration is among the shipped ones (duplicates within the bank count as one).
    """
    selector = Selector.load(bundle)
    name = "lite" if selector.mode == "lite" else "skillshot"
    evaluated = choose(bundle, queries, [name], k, seed)[name]
    asked = [{"question": q.question, "context": q.context, "options": q.options} for q in queries]
    given = selector.select_batch(asked, k)
    same = [
        {(r.question, r.context) for r in ours} <= {(d.question, d.context) for d in theirs}
        for ours, theirs in zip(evaluated, given, strict=True)
    ]
    return {"mode": selector.mode, "queries": len(same), "same_choice": sum(same) / len(same) if same else 1.0}
