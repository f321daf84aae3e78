"""Retrieval by rationale with a first try (Retrieval-R of LaRS, Xu et al. 2024): two LLM calls for each query.

The first answer is written after the demonstrations nearest by question; what it says before "The answer is" is
embedded, and the bank's rationales nearest to it are the demonstrations of the second call, the evaluation's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from skillshot.common.record import Record
from skillshot.evaluation.skill_knn import Cost
from skillshot.llm.engine import Decoding, Engine
from skillshot.runtime.index import top_k
from skillshot.runtime.prompt import ANSWER_CUE, render
from skillshot.selectors.choose import choose_from
from skillshot.selectors.pool import Pool


def choose(
    engine: Engine, pool: Pool, queries: Sequence[Record], k: int, decoding: Decoding
) -> tuple[list[list[Record]], Cost]:
    """Demonstrations for each query, best first, its own twin left out, and the bill of the first calls.

    Raises:
        EngineError: the engine failed; what was written is in the record where there is one.
    """
    shown = choose_from(pool, queries, "question", k)
    prompts = [render(d, q.question, q.context, q.options) for d, q in zip(shown, queries, strict=True)]
    written = dict(engine.complete(prompts, decoding))
    answers = [written[i] for i in range(len(queries))]
    tries = [answer.text.split(ANSWER_CUE)[0].strip() for answer in answers]
    texts = [said or query.text for said, query in zip(tries, queries, strict=True)]
    scores, allowed = pool.embed(texts) @ pool.vectors("rationale").T, pool.allowed(queries)
    chosen = [[pool.records[row] for row in top_k(scores[i], k, allowed[i])] for i in range(len(queries))]
    return chosen, Cost.of(answers)
