"""From a question to its skill vector, through the transformer (full) or without it (lite)."""

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
    """Texts -> unit skill vectors (n, z) float32, to be multiplied with a bank's vectors."""

    def __init__(self, model: str | PathLike[str], mode: str, threads: int = 1, precision: str = "fp32") -> None:
        model = Path(model)
        view = LexicalView.load(model / QUESTION_VIEW)
        # full reads the half that goes with the sentence embedding, lite the half that stands alone; the other stays 0
        self._width, half = view.width, view.width // 2
        self._half = slice(half, None) if mode == "lite" else slice(0, half)
        self._view = view.columns(self._half)
        self._encoder = TextEncoder(model, threads, precision) if mode == "full" else None
        self._session = Session(model / ("skillshot.onnx" if mode == "full" else "lite.onnx"), threads)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Skill vectors of texts as `Record.text` gives them."""
        lexical = np.zeros((len(texts), self._width), np.float32)
        lexical[:, self._half] = self._view.transform(texts)
        feeds = {"lexical": lexical}
        if self._encoder is not None:
            feeds["sentence_embedding"] = self._encoder.encode(texts)
        return self._session.run(feeds)
