"""Every selector by its name: what it compares, what it needs, and how it turns scores into a choice."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from skillshot.common.arrays import Rows
from skillshot.common.errors import InputError
from skillshot.selectors.sets import dpp, mmr

Pick = Callable[..., Rows]  # (scores, vectors, k, allowed=...) -> rows


@dataclass(frozen=True)
class SelectorSpec:
    """One selector.

    vectors: file of bank vectors that its query vectors are multiplied with ("": it has none).
    scores: selector whose scores it works on, where these are not its own.
    pick: how a set is chosen from scores and vectors (None: the k best).
    served: chosen as a bundle's own `Selector` chooses, a hedged set.
    needs_rationale: reads the query's gold rationale (an oracle).
    needs_llm: asks the language model.
    package: distribution that it runs, where that is not among our own dependencies.
    default: a row of `skillshot score` unless others are asked for.
    encoder: reads sentence embeddings, which a bundle of `fit --lite` cannot make.
    baseline: its model is in a bundle only if it was asked for (`fit --baselines`, or the pipeline).
    """

    name: str
    vectors: str = ""
    scores: str = ""
    pick: Pick | None = None
    served: bool = False
    needs_rationale: bool = False
    needs_llm: bool = False
    package: str = ""
    encoder: bool = False
    default: bool = False
    baseline: bool = False


SELECTORS = (
    SelectorSpec("zero-shot"),
    SelectorSpec("random", default=True),
    SelectorSpec("bm25", default=True),
    SelectorSpec("question", vectors="question", default=True, encoder=True),
    SelectorSpec("ridge", vectors="ridge", default=True, baseline=True, encoder=True),
    SelectorSpec("lars", vectors="lars", default=True, baseline=True, encoder=True),
    SelectorSpec("lite", vectors="skillshot", served=True, default=True),
    SelectorSpec("skillshot", vectors="skillshot", served=True, default=True, encoder=True),
    SelectorSpec("oracle", vectors="rationale", needs_rationale=True, default=True, encoder=True),
    SelectorSpec("oracle_features", vectors="skillshot", needs_rationale=True, default=True),
    SelectorSpec("mmr", scores="question", vectors="question", pick=mmr, encoder=True),
    SelectorSpec("dpp", scores="question", vectors="question", pick=dpp, encoder=True),
    # skill rows are closer together than questions, so the score weighs more
    SelectorSpec(
        "skillshot_mmr", scores="skillshot", vectors="skillshot", pick=partial(mmr, balance=0.8), encoder=True
    ),
    SelectorSpec("langchain_similarity", package="langchain-core", encoder=True),
    SelectorSpec("langchain_mmr", package="langchain-core", encoder=True),
    SelectorSpec("dspy_knn", package="dspy", encoder=True),
    SelectorSpec("skill_knn", needs_llm=True, encoder=True),
    SelectorSpec("retrieval_r", needs_llm=True, encoder=True),
)
DRAW = re.compile(r"random-([2-9]|[1-9]\d+)")  # further draws of `random`, which is the first

_BY_NAME = {spec.name: spec for spec in SELECTORS}
DEFAULT = tuple(spec.name for spec in SELECTORS if spec.default)
WITHOUT_LLM = tuple(spec.name for spec in SELECTORS if not spec.needs_llm)


def find(name: str, *, llm: bool = True) -> SelectorSpec:
    """The selector of a name; "random-2", "random-3", ... are more draws of "random".

    Args:
        llm: whether one that asks a language model is a legal answer.

    Raises:
        InputError: there is none; the message lists all.
    """
    spec = _BY_NAME.get("random" if DRAW.fullmatch(name) else name)
    if spec is None or (spec.needs_llm and not llm):
        known = [other.name for other in SELECTORS if llm or not other.needs_llm]
        raise InputError(f"selector {name!r}: choose from {', '.join([*known, 'random-N'])}")
    return spec
