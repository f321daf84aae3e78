"""The query policy: question to skill vector, with the transformer (full) or without it (lite)."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.errors import BundleError
from skillshot.features.lexical import LexicalView
from skillshot.runtime.layout import POLICY, QUESTION_VIEW
from skillshot.runtime.network import LiteNetwork
from skillshot.runtime.onnx import Session, TextEncoder
from skillshot.runtime.scoring import Scoring


class Policy:
    """Texts -> rows (n, z) float32; the product with a bank's unit rows is the score, at most 1.

    Raises:
        BundleError: a file of the model is damaged, or does not fit the others.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        mode: str,
        scoring: Scoring,
        threads: int = 1,
        precision: str = "fp32",
        check: bool = True,
    ) -> None:
        model = Path(model)
        view = LexicalView.load(model / QUESTION_VIEW, check)
        if view.width != scoring.lexical:
            raise BundleError(
                f"{model}: its question view gives {view.width} columns, not {scoring.lexical}; fit again"
            )
        self._width, self._part = view.width, scoring.lexical_part(mode)  # the columns that are not read are 0
        self.view, self._linear = view.columns(self._part), scoring.linear(mode)
        self._encoder = TextEncoder(model, threads, precision) if mode == "full" else None
        widths = {"lexical": view.width} | (
            {} if self._encoder is None else {"sentence_embedding": self._encoder.dimension}
        )
        name = "skillshot.onnx" if mode == "full" else "lite.onnx"
        if view.scale is not None:  # of a slim bundle
            name = POLICY
            self._session: Session | LiteNetwork = LiteNetwork.load(model / name, scoring)
        else:
            self._session = Session(model / name, threads, widths=widths)
        self.width = self._session.width
        if self.width != scoring.row:
            raise BundleError(f"{model / name}: gives rows of {self.width}, not {scoring.row}; fit the bank again")

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Rows of texts in the form of `Record.text`."""
        return self._run(self.view.transform(texts), self.embed(texts))

    def embed(self, texts: Sequence[str]) -> Floats | None:
        """Sentence embeddings, unit rows (n, d); None without a transformer."""
        return None if self._encoder is None else self._encoder.encode(texts)

    def linear(self, text: str, rows: Floats) -> Floats:
        """How the features of a text enter its products with `rows` where they enter linearly, (f, k).

        A block of a query that reads words is (features + what else there is) / its length, so that of a feature is the
        block's coordinate divided by the length. The network gives the block alone; the length is what makes the
        difference between it and the block of a text without words the features themselves (least squares).

        Args:
            rows: bank rows (k, z).

        Returns:
            weights; 0 for the features that no such block reads.
        """
        features, embedding = self.view.transform([text]), self.embed([text])
        twice = None if embedding is None else np.repeat(embedding, 2, 0)
        query, without = self._run(np.concatenate([features, np.zeros_like(features)]), twice)
        weights = np.zeros((features.shape[1], len(rows)), np.float32)
        for columns, block in self._linear:
            known = np.stack([query[block], -without[block]], 1).astype(np.float64)
            (length, _), *_ = np.linalg.lstsq(known, features[0, columns].astype(np.float64), rcond=1e-6)
            if length > 0:
                weights[columns] = rows[:, block].T / length
        return weights

    def _run(self, features: Floats, embedding: Floats | None) -> Floats:
        lexical = np.zeros((len(features), self._width), np.float32)
        lexical[:, self._part] = features
        return self._session.run(
            {"lexical": lexical} | ({} if embedding is None else {"sentence_embedding": embedding})
        )
