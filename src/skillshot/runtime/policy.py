"""The query policy: question to skill vector, with the transformer (full) or without it (lite)."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.features.lexical import LexicalView
from skillshot.runtime.layout import QUESTION_VIEW
from skillshot.runtime.onnx import Session, TextEncoder


class Policy:
    """Texts -> unit skill vectors (n, z) float32; the product with a bank's vectors is the score.

    Raises:
        BundleError: a file of the model is damaged, or does not fit the others.
    """

    def __init__(
        self, model: str | PathLike[str], mode: str, threads: int = 1, precision: str = "fp32", check: bool = True
    ) -> None:
        model = Path(model)
        view = LexicalView.load(model / QUESTION_VIEW, check)
        # full reads the half that is added to the sentence embedding's part, lite the other half; the unread half is 0
        self._width, half = view.width, view.width // 2
        self._half = slice(half, None) if mode == "lite" else slice(0, half)
        self._view = view.columns(self._half)
        self._encoder = TextEncoder(model, threads, precision) if mode == "full" else None
        widths = {"lexical": view.width} | (
            {} if self._encoder is None else {"sentence_embedding": self._encoder.dimension}
        )
        name = "skillshot.onnx" if mode == "full" else "lite.onnx"
        self._session = Session(model / name, threads, widths=widths)
        self.width = self._session.width

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Skill vectors of texts in the form of `Record.text`."""
        lexical = np.zeros((len(texts), self._width), np.float32)
        lexical[:, self._half] = self._view.transform(texts)
        feeds = {"lexical": lexical}
        if self._encoder is not None:
            feeds["sentence_embedding"] = self._encoder.encode(texts)
        return self._session.run(feeds)
