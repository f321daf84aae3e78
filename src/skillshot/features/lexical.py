"""TF-IDF n-grams that keep word order, squeezed to a dense vector. Reading needs numpy alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from skillshot.errors import BundleError, InputError
from skillshot.features.tokens import ngrams, tokenise
from skillshot.io import atomic_write, read_json, write_json

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LexicalView:
    """Weighted n-gram counts of a text times a projection learned on the bank.

    vocabulary: n-gram -> row; weights: (v,) inverse document frequencies; projection: (v, f).
    """

    vocabulary: dict[str, int]
    weights: Floats
    projection: Floats
    longest: int = 3

    @property
    def width(self) -> int:
        """Number of features, f."""
        return int(self.projection.shape[1])

    @classmethod
    def fit(
        cls, texts: Sequence[str], *, width: int = 256, longest: int = 3, min_count: int = 2, seed: int = 0
    ) -> LexicalView:
        """Learn vocabulary, weights and projection (truncated SVD of TF-IDF rows) from a bank's texts.

        Raises:
            InputError: no n-gram is shared by `min_count` texts.
        """
        from scipy.sparse import csr_matrix
        from sklearn.utils.extmath import randomized_svd

        counted = [Counter(ngrams(tokenise(text), longest)) for text in texts]
        spread = Counter(gram for counts in counted for gram in counts)
        kept = sorted(gram for gram, n in spread.items() if n >= min_count)
        if not kept:
            raise InputError(f"{len(texts)} texts share no word: nothing to learn a lexical view from")
        vocabulary = {gram: i for i, gram in enumerate(kept)}
        found = np.array([spread[gram] for gram in kept])
        weights = (np.log((1 + len(texts)) / (1 + found)) + 1).astype(np.float32)
        bare = cls(vocabulary, weights, np.zeros((len(kept), 0), np.float32), longest)
        rows = [bare._row(counts.items()) for counts in counted]
        matrix = csr_matrix(
            (
                np.concatenate([values for _, values in rows]),
                np.concatenate([index for index, _ in rows]),
                np.cumsum([0, *(len(index) for index, _ in rows)]),
            ),
            shape=(len(texts), len(kept)),
        )
        rank = min(width, min(matrix.shape) - 1)
        _, _, components = randomized_svd(matrix, max(rank, 1), random_state=seed)
        return cls(vocabulary, weights, np.ascontiguousarray(components.T, np.float32), longest)

    def _row(self, counts: Iterable[tuple[str, int]]) -> tuple[npt.NDArray[np.int64], Floats]:
        """Column numbers and unit-length TF-IDF values of one text."""
        look = self.vocabulary
        known = [(look[gram], n) for gram, n in counts if gram in look]
        index = np.array([i for i, _ in known], np.int64)
        values = (1 + np.log(np.array([n for _, n in known], np.float32))) * self.weights[index]
        length = float(np.sqrt(values @ values))
        return index, values / length if length else values

    def transform(self, texts: Sequence[str]) -> Floats:
        """Features of texts, float32 (n, f); a text without a known word is a row of zeros."""
        out = np.zeros((len(texts), self.width), np.float32)
        for i, text in enumerate(texts):
            index, values = self._row(Counter(ngrams(tokenise(text), self.longest)).items())
            out[i] = values @ self.projection[index]
        return out

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `lexical.json`, `weights.npy` and `projection.npy`."""
        folder = Path(folder)
        write_json(folder / "lexical.json", {"longest": self.longest, "ngrams": list(self.vocabulary)})
        for name, array in (("weights", self.weights), ("projection", self.projection)):
            with atomic_write(folder / f"{name}.npy", "wb") as handle:
                np.save(handle, array, allow_pickle=False)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> LexicalView:
        """Read what `save` wrote.

        Raises:
            BundleError: the parts do not fit together.
        """
        folder = Path(folder)
        about = read_json(folder / "lexical.json")
        weights, projection = (
            np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("weights", "projection")
        )
        if not len(about["ngrams"]) == len(weights) == len(projection):
            raise BundleError(
                f"{folder}: {len(about['ngrams'])} n-grams for {len(projection)} rows; fit the bank again"
            )
        return cls({gram: i for i, gram in enumerate(about["ngrams"])}, weights, projection, about["longest"])
