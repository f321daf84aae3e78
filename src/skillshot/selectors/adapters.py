"""The selectors of LangChain and DSPy on a bundle's bank and encoder: what their users have today."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence

import numpy as np

from skillshot.common.arrays import Rows
from skillshot.common.errors import InputError
from skillshot.common.record import Record
from skillshot.selectors.pool import Pool
from skillshot.selectors.registry import SelectorSpec

Ask = Callable[[str], Sequence[int]]  # question text -> rows, best first


def choose_rows(pool: Pool, queries: Sequence[Record], spec: SelectorSpec, k: int) -> list[Rows]:
    """Rows that the package's own code chooses for each query, best first.

    These selectors cannot exclude examples. So more are asked for, by as many as a query has duplicates, and the
    duplicates are dropped.

    Raises:
        InputError: the package is not installed.
    """
    try:
        importlib.import_module(spec.package.replace("-", "_"))
    except ImportError as error:
        raise InputError(
            f"selector {spec.name}: needs the package {spec.package} ({error})\n"
            f"pip install {spec.package}, or leave {spec.name} out"
        ) from error
    allowed = pool.allowed(queries)
    wanted = k + int((~allowed).sum(axis=1).max(initial=0))
    ask = _dspy(pool, wanted) if spec.name == "dspy_knn" else _langchain(pool, wanted, spec.name == "langchain_mmr")
    return [
        np.array([row for row in ask(query.text) if free[row]][:k], np.intp)
        for query, free in zip(queries, allowed, strict=True)
    ]


def _langchain(pool: Pool, k: int, marginal: bool) -> Ask:
    from langchain_core.embeddings import Embeddings
    from langchain_core.example_selectors import (
        MaxMarginalRelevanceExampleSelector,
        SemanticSimilarityExampleSelector,
    )
    from langchain_core.vectorstores import InMemoryVectorStore

    class Encoder(Embeddings):  # type: ignore[misc]
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            rows: list[list[float]] = pool.embed(texts).tolist()
            return rows

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    kind = MaxMarginalRelevanceExampleSelector if marginal else SemanticSimilarityExampleSelector
    examples = [{"question": record.text, "row": str(row)} for row, record in enumerate(pool.records)]
    selector = kind.from_examples(examples, Encoder(), InMemoryVectorStore, k=k, input_keys=["question"])
    return lambda text: [int(example["row"]) for example in selector.select_examples({"question": text})]


def _dspy(pool: Pool, k: int) -> Ask:
    """Its vectors are of "question: TEXT", as for its users."""
    import dspy

    examples = [
        dspy.Example(question=record.text, row=row).with_inputs("question") for row, record in enumerate(pool.records)
    ]
    knn = dspy.KNN(k, examples, dspy.Embedder(pool.embed, caching=False))
    return lambda text: [int(example.row) for example in knn(question=text)]
