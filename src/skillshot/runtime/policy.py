"""The query policy: question to skill vector, with the transformer (full) or without it (lite)."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.errors import BundleError
from skillshot.features.lexical import LexicalView
from skillshot.runtime.layout import QUESTION_VIEW
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
        self._view = view.columns(self._part)
        self._encoder = TextEncoder(model, threads, precision) if mode == "full" else None
        widths = {"lexical": view.width} | (
            {} if self._encoder is None else {"sentence_embedding": self._encoder.dimension}
        )
        name = "skillshot.onnx" if mode == "full" else "lite.onnx"
        self._session = Session(model / name, threads, widths=widths)
        self.width = self._session.width
        if self.width != scoring.row:
            raise BundleError(f"{model / name}: gives rows of {self.width}, not {scoring.row}; fit the bank again")

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Rows of texts in the form of `Record.text`."""
        lexical = np.zeros((len(texts), self._width), np.float32)
        lexical[:, self._part] = self._view.transform(texts)
        feeds = {"lexical": lexical}
        if self._encoder is not None:
            feeds["sentence_embedding"] = self._encoder.encode(texts)
        return self._session.run(feeds)
