"""Every selector by its name, with one signature, and what its own LLM calls cost."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike

from skillshot.common.errors import InputError
from skillshot.common.params import EvaluateParams
from skillshot.common.record import Record
from skillshot.evaluation import retrieval_r, skill_knn
from skillshot.evaluation.skill_knn import Cost
from skillshot.llm.engine import Decoding, Engine
from skillshot.selectors.choose import FREE, choose_from
from skillshot.selectors.pool import Pool

FREE_OF_CHARGE = Cost()
PAID = ("skill_knn", "retrieval_r")  # selectors that ask the language model


@dataclass(frozen=True)
class Chosen:
    """A selector's demonstrations for each query, best first.

    bank: calls made once for the bank; queries: calls made to select; note: what a reader must know;
    seconds: wall time of the selection, with whatever the selector prepared for it.
    """

    demonstrations: list[list[Record]]
    bank: Cost = FREE_OF_CHARGE
    queries: Cost = FREE_OF_CHARGE
    note: str = ""
    seconds: float = field(default=0.0, compare=False)


def select(
    folder: str | PathLike[str],
    queries: Sequence[Record],
    names: Sequence[str],
    k: int,
    seed: int,
    engine: Engine,
    params: EvaluateParams,
) -> dict[str, Chosen]:
    """Choices of each named selector on a bundle's bank.

    Args:
        engine: asked by Skill-KNN and Retrieval-R alone.

    Raises:
        InputError: an unknown selector, or one whose package is not there.
        EngineError: the engine failed; what was answered is in the record where there is one.
    """
    if unknown := [name for name in names if name not in PAID and not _free(name)]:
        raise InputError(f"selector {unknown[0]!r}: choose from {', '.join((*FREE, *PAID))}")
    pool = Pool(folder, seed)
    return {name: _select(pool, queries, name, k, seed, engine, params) for name in names}


def _free(name: str) -> bool:
    return name in FREE or name.startswith("random-")


def _select(
    pool: Pool, queries: Sequence[Record], name: str, k: int, seed: int, engine: Engine, params: EvaluateParams
) -> Chosen:
    began = time.perf_counter()
    note, bank_cost, cost = "", FREE_OF_CHARGE, FREE_OF_CHARGE
    if name == "skill_knn":
        bank, size = pool.records, params.skill_knn_bank
        if size is not None and size < len(bank):
            note = f"chose among {size} of the bank's {len(bank)} examples (evaluate.skill_knn_bank)"
            rows = sorted(random.Random(seed).sample(range(len(bank)), size))
            bank = [bank[row] for row in rows]
        result = skill_knn.choose(engine, bank, queries, pool.embed, k)
        demonstrations, bank_cost, cost = result.choices, result.bank, result.queries
    elif name == "retrieval_r":
        demonstrations, cost = retrieval_r.choose(engine, pool, queries, k, Decoding(max_tokens=params.max_tokens))
    else:
        demonstrations = choose_from(pool, queries, name, k)
    return Chosen(demonstrations, bank_cost, cost, note, time.perf_counter() - began)
