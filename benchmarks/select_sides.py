"""The peers of bench_select by name: our selector and common alternatives, all over the same bank of questions."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.encoder import load_encoder
from skillshot.runtime.layout import ENCODERS, MODEL
from skillshot.runtime.onnx import TextEncoder
from skillshot.runtime.selector import Selector

K = 4
Side = Callable[[str], Any]


def sides(bundle: Path, embeddings: Floats) -> tuple[dict[str, Side], dict[str, str]]:
    """Callables by name, and the reasons of those that are left out.

    Args:
        embeddings: unit rows (n, d), the sentence embeddings of the bank's questions for those that need them.
    """
    encoder = load_encoder()

    def embed(text: str) -> Floats:
        vectors: Floats = encoder.encode([text], normalize_embeddings=True, show_progress_bar=False)
        return vectors[0]

    def nearest(text: str) -> Any:
        return np.argpartition(-(embeddings @ embed(text)), K)[:K]

    found: dict[str, Side] = {"sentence-transformers": embed, "sentence-transformers + numpy": nearest}
    for precision in ("int8", "fp32"):
        alone = TextEncoder(bundle / MODEL, precision=precision)
        found[f"{precision} encoder alone"] = lambda text, alone=alone: alone.encode([text])
        selector = Selector.load(bundle, "full", precision=precision, check=False)
        found[f"full, {precision}"] = lambda text, selector=selector: selector.select(text, K)
    plain = _plain(bundle)
    found["int8 encoder alone, onnxruntime's defaults"] = lambda text: plain.encode([text])
    lite = Selector.load(bundle, "lite", check=False)
    found["lite"] = lambda text: lite.select(text, K)
    missing = {}
    questions = [lite.record(row).question for row in range(len(lite))]
    for name, module, make in (("LangChain", "langchain_core", _langchain), ("dspy.KNN", "dspy", _dspy)):
        if importlib.util.find_spec(module) is None:
            missing[name] = f"{module} is not installed here"
        else:
            found[name] = make(embed, questions, embeddings)
    return found, missing


def _plain(bundle: Path) -> TextEncoder:
    """The int8 encoder in a session with default options, without our choice of kernels."""
    import onnxruntime

    encoder, options = TextEncoder(bundle / MODEL, precision="int8"), onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = str(bundle / MODEL / ENCODERS["int8"])
    encoder._session._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return encoder


def _langchain(embed: Side, questions: list[str], embeddings: Floats) -> Side:
    """SemanticSimilarityExampleSelector over langchain-core's in-memory vector store (a list, searched with numpy)."""
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.example_selectors import SemanticSimilarityExampleSelector
    from langchain_core.vectorstores import InMemoryVectorStore

    class Encoder(Embeddings):  # type: ignore[misc]
        def embed_query(self, text: str) -> list[float]:
            return embed(text).tolist()

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise NotImplementedError(f"{len(texts)} texts: the bank is embedded already")

    store = InMemoryVectorStore(Encoder())
    for i, (question, vector) in enumerate(zip(questions, embeddings.tolist(), strict=True)):
        document = Document(question, metadata={"question": question})
        store.store[str(i)] = {
            "id": str(i),
            "vector": vector,
            "text": document.page_content,
            "metadata": document.metadata,
        }
    selector = SemanticSimilarityExampleSelector(vectorstore=store, k=K)
    return lambda text: selector.select_examples({"question": text})


def _dspy(embed: Side, questions: list[str], embeddings: Floats) -> Side:
    """dspy.KNN with a function as its embedder; the bank's vectors are inserted and not computed again."""
    import dspy

    first = [dspy.Example(question=questions[0]).with_inputs("question")]
    knn = dspy.KNN(
        K, first, vectorizer=dspy.Embedder(lambda texts: np.stack([embed(text) for text in texts]), caching=False)
    )
    knn.trainset = [dspy.Example(question=question).with_inputs("question") for question in questions]
    knn.trainset_vectors = embeddings
    return lambda text: knn(question=text)
