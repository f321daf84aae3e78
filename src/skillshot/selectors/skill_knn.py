"""Skill-KNN (An et al. 2023, arXiv 2305.14210): a language model describes the skills.

The LLM writes a skill description of each example of the bank and of each query. The nearest descriptions are chosen.
That is one call per example and query, the paper's base form; its other two forms ask several times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats
from skillshot.common.record import Record, normalise_question
from skillshot.llm.engine import Completion, Decoding, Engine
from skillshot.runtime.index import top_k
from skillshot.selectors.cost import Cost

DECODING = Decoding(max_tokens=32, stop=("\n",))
# hand-written annotations, as in the paper: what must be done, without names and numbers of the question
SHOWN = (
    ("A shirt costs $40 and is sold at 25% off. What is paid?", "take a percentage of a price and subtract it"),
    ("Which singers are older than 30, by name?", "filter rows by a numeric condition and sort the result"),
    ("Was the bridge built before the tower?", "recall two dates and compare them"),
    ("The boy gave the girl a cake .", "map giver, receiver and thing of a ditransitive verb to their roles"),
)


@dataclass(frozen=True)
class SkillKnn:
    """Choices for each query, best first, and both costs: once for the bank, and for the queries."""

    choices: list[list[Record]]
    bank: Cost
    queries: Cost


def prompt(record: Record) -> str:
    """Few-shot prompt that asks for the skill behind a question. The shared beginning comes first."""
    shown = "\n\n".join(f"Question: {question}\nSkill: {skill}" for question, skill in SHOWN)
    return f"{shown}\n\nQuestion: {' '.join(record.text.split())}\nSkill:"


def describe(engine: Engine, records: Sequence[Record]) -> tuple[list[str], Cost]:
    """One written description for each record; an empty one is replaced by the question.

    Raises:
        EngineError: the engine failed; what was described is in the answer cache where there is one.
    """
    written: dict[int, Completion] = dict(engine.complete([prompt(record) for record in records], DECODING))
    answers = [written[i] for i in range(len(records))]
    texts = [answer.text.strip() or record.text for answer, record in zip(answers, records, strict=True)]
    return texts, Cost.of(answers)


def choose(
    engine: Engine,
    bank: Sequence[Record],
    queries: Sequence[Record],
    embed: Callable[[Sequence[str]], Floats],
    k: int,
) -> SkillKnn:
    """Describe bank and queries, embed the descriptions, take the nearest; the query itself is left out.

    Args:
        embed: texts -> unit rows (n, d).
    """
    described, paid = describe(engine, bank)
    asked, paid_queries = describe(engine, queries)
    scores = embed(asked) @ embed(described).T
    keys = [normalise_question(record.question) for record in bank]
    choices = []
    for query, row in zip(queries, scores, strict=True):
        own = normalise_question(query.question)
        allowed: npt.NDArray[np.bool_] = np.array([key != own for key in keys], bool)
        choices.append([bank[int(i)] for i in top_k(row, k, allowed)])
    return SkillKnn(choices, paid, paid_queries)
