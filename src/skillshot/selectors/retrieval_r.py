"""Retrieval by rationale with a first try (Retrieval-R of LaRS, Xu et al. 2024): two LLM calls for each query.

The first call sees the demonstrations nearest by question. The text before "The answer is" is embedded. The bank's
rationales nearest to it are the demonstrations of the second call, which is the evaluation's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from skillshot.common.record import Record
from skillshot.llm.engine import Decoding, Engine
from skillshot.runtime.index import top_k
from skillshot.runtime.prompt import ANSWER_CUE, render
from skillshot.selectors.cost import Cost
from skillshot.selectors.pool import Pool


def choose(
    engine: Engine,
    pool: Pool,
    queries: Sequence[Record],
    shown: Sequence[Sequence[Record]],
    k: int,
    decoding: Decoding,
) -> tuple[list[list[Record]], Cost]:
    """Demonstrations for each query, best first and never the query itself, and the cost of the first calls.

    Args:
        shown: demonstrations of the first call, for each query.

    Raises:
        EngineError: the engine failed; what was written is in the answer cache where there is one.
    """
    prompts = [render(d, q.question, q.context, q.options) for d, q in zip(shown, queries, strict=True)]
    written = dict(engine.complete(prompts, decoding))
    answers = [written[i] for i in range(len(queries))]
    tries = [answer.text.split(ANSWER_CUE)[0].strip() for answer in answers]
    texts = [first or query.text for first, query in zip(tries, queries, strict=True)]
    scores, allowed = pool.embed(texts) @ pool.vectors("rationale").T, pool.allowed(queries)
    chosen = [[pool.records[row] for row in top_k(scores[i], k, allowed[i])] for i in range(len(queries))]
    return chosen, Cost.of(answers)
