"""BM25 over question texts (Robertson & Zaragoza, 2009), by the library bm25s."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from skillshot.features.scripts import keywords


class BM25:
    """Lucene's variant with its defaults (k1 1.5, b 0.75); words are those of `keywords`."""

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it asks for DEBUG itself
        self._size = len(texts)
        self._index = bm25s.BM25()
        words = [keywords(text) for text in texts]
        self._vocabulary = {word for row in words for word in row}
        if self._vocabulary:  # of texts without a word, bm25s divides by their mean length
            self._index.index(words, show_progress=False)

    def scores(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Scores of every indexed text for every query, (q, n); a query without a known word scores zero."""
        out = np.zeros((len(texts), self._size), np.float32)
        for row, text in enumerate(texts):
            known = [word for word in keywords(text) if word in self._vocabulary]
            if known:
                out[row] = self._index.get_scores(known)
        return out
