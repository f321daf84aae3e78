"""The closed-form half of `skillshot`: predict the structure of a question's rationale by ridge regression.

For a unit target y, E[y|Q] . y_i is the expected similarity of the query's unknown rationale to bank item i, so ranking
by it is optimal for that similarity. There is no iteration and no seed.

The solver is our own on purpose: it centres sparse words without making all of them dense, and reuses the products for
all penalties and folds. COGS (20,403 rows, 16,768 columns) takes about 3 minutes on one thread and 3.8 GB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats

FOLDS = 3  # folds of the cross-fitted predictions
BLOCK = 1000  # sparse rows, or columns, that are made dense at once
SHARED = 1 / 40  # share of the rows from which dense multiplication of a column is faster
LEAST = 0.02  # least explained variance of a part
LEAST_PENALTY = 1e-3  # where all rows are equal, rounding would make the system indefinite


def principal(rows: Floats, width: int, seed: int) -> Floats:
    """Principal directions (d, t) of rows (n, d), with t = max(1, min(width, n - 1, d - 1))."""
    from sklearn.utils.extmath import randomized_svd

    rank = max(1, min(width, min(rows.shape) - 1))
    _, _, directions = randomized_svd(rows - rows.mean(0), rank, n_iter=3, random_state=seed)
    return np.ascontiguousarray(directions.T, np.float32)


class Ridges:
    """Ridge regressions of y (n, t) on x = [words minus their mean, dense], on all rows or without one fold.

    words: scipy CSR (n, b). dense: float32 (n, d), centred. fold: of each row, by default i mod 3. `both`: use all
    columns, not only the words. The smaller of the two forms is solved, n equations (dual) or b + d equations (primal).
    Words are made dense in blocks of a thousand rows or columns, so memory is that of two such systems.
    """

    def __init__(self, words: Any, dense: Floats, y: Floats, fold: npt.NDArray[np.intp] | None = None) -> None:
        self.words, self.dense, self.y = words, dense, y
        self.mean = np.asarray(words.mean(0), np.float32).ravel()
        self.fold = np.arange(len(y)) % FOLDS if fold is None else fold
        self._dual = len(y) <= words.shape[1] + dense.shape[1]
        self._whole = self._kernel() if self._dual else self._normal(self.fold >= 0)

    def weights(self, strength: float, both: bool, without: int | None = None) -> Floats:
        """Weights (columns, t); the penalty is `strength` times the mean squared row length.

        without: a fold that is left out.
        """
        return self._solved(*self._system(both, without), strength, both, without)

    def cross_fitted(self, strength: float, both: bool) -> Floats:
        """Predictions (n, t), each row by a ridge fitted without the row's fold.

        A regression is overconfident on its own training rows. A model trained on its predictions needs predictions
        like those for a new question.
        """
        out = np.zeros((len(self.y), self.y.shape[1]), np.float32)
        for k in range(FOLDS):
            out[self.fold == k] = self.predict(self.weights(strength, both, k), self.fold == k)
        return out

    def strength(self, both: bool, grid: tuple[float, ...], width: int | None = None) -> float:
        """The penalty of the grid with the highest mean cosine of one fold's predictions and their targets.

        width: leading columns of the targets that are compared (None: all).
        """
        here = self.fold == 0
        gram, right = self._system(both, 0)
        right, truth = (right[:, :width] if self._dual else right), self.y[here, :width]
        found = {}
        for strength in grid:
            predicted = self.predict(self._solved(gram.copy(), right, strength, both, 0), here)[:, :width]
            lengths = np.linalg.norm(predicted, axis=1) * np.linalg.norm(truth, axis=1)
            found[strength] = float((np.einsum("ij,ij->i", predicted, truth) / np.maximum(lengths, 1e-9)).mean())
        return max(grid, key=lambda strength: found[strength])

    def predict(self, weights: Floats, rows: npt.NDArray[np.bool_] | slice = slice(None)) -> Floats:
        """x @ weights of some rows, with weights of the words (b, t) or of all columns (b + d, t)."""
        b = len(self.mean)
        out = self.words[rows] @ weights[:b] - self.mean @ weights[:b]
        if len(weights) > b:
            out += self.dense[rows] @ weights[b:]
        return np.asarray(out, np.float32)

    def _system(self, both: bool, without: int | None) -> tuple[Floats, Floats]:
        """Left and right side of the equations without the penalty; the left side is a new array."""
        kept = self.fold != (-1 if without is None else without)
        if self._dual:
            gram = self._whole[np.ix_(kept, kept)]
            if both:
                gram += self.dense[kept] @ self.dense[kept].T
            return gram, self.y[kept]
        size = len(self.mean) + both * self.dense.shape[1]
        gram = self._whole[:size, :size].copy() if without is None else self._normal(~kept)[:size, :size]
        if without is not None:
            np.subtract(self._whole[:size, :size], gram, out=gram)
        return gram, self._across(kept, self.y[kept])[:size]

    def _solved(self, gram: Floats, right: Floats, strength: float, both: bool, without: int | None) -> Floats:
        kept = self.fold != (-1 if without is None else without)
        found = _solve(gram, right, strength * float(np.trace(gram)) / int(kept.sum()))
        return self._across(kept, found)[: len(self.mean) + both * self.dense.shape[1]] if self._dual else found

    def _across(self, rows: npt.NDArray[np.bool_], y: Floats) -> Floats:
        """Transpose of x of those rows times y (rows, t): (b + d, t)."""
        words = self.words[rows].T @ y - np.outer(self.mean, y.sum(0))
        return np.vstack([words, self.dense[rows].T @ y]).astype(np.float32)

    def _kernel(self) -> Floats:
        """Dot products (n, n) of the centred words; only the lower triangle.

        Columns that many rows share are multiplied dense, the others sparse, because each form is slow on the other's.
        """
        from scipy.linalg.blas import ssyrk

        n, b = self.words.shape
        held = np.bincount(self.words.indices, minlength=b)
        common, rest = np.flatnonzero(held > n * SHARED), self.words[:, held <= n * SHARED]
        out = np.zeros((n, n), np.float32)
        for start in range(0, len(common), BLOCK):
            columns = self.words[:, common[start : start + BLOCK]].toarray()
            # in place: BLAS is column-major, so its upper triangle is our lower one
            ssyrk(1.0, columns.T, trans=1, beta=1.0, c=out.T, overwrite_c=1)
        along = self.words @ self.mean
        for start in range(0, n, BLOCK):
            end = min(start + BLOCK, n)
            out[start:end, :end] += (rest[start:end] @ rest[:end].T).toarray()
            out[start:end, :end] -= along[start:end, None] + (along[:end] - self.mean @ self.mean)
        return out

    def _normal(self, rows: npt.NDArray[np.bool_]) -> Floats:
        """Dot products (b + d, b + d) of the columns over some rows."""
        words, dense, b = self.words[rows], self.dense[rows], len(self.mean)
        across, total = words.T.tocsr(), np.asarray(words.sum(0), np.float32).ravel()
        rest = total - len(dense) * self.mean
        out = np.empty((b + dense.shape[1],) * 2, np.float32)
        for start in range(0, b, BLOCK):
            part = slice(start, min(start + BLOCK, b))
            out[part, :b] = (across[part] @ words).toarray()
            out[part, :b] -= total[part, None] * self.mean + self.mean[part, None] * rest
        out[:b, b:] = across @ dense - np.outer(self.mean, dense.sum(0))
        out[b:, :b] = out[:b, b:].T
        out[b:, b:] = dense.T @ dense
        return out


def predictability(predicted: Floats, y: Floats) -> Floats:
    """Weight (t,) of each part of y (n, t): square root of the share of variance that cross-fitted predictions explain.

    What no question predicts (phrasing, chance) only blurs the comparison of bank items. Powers 0.25 to 0.75 of the
    share gave similar results on the development slices. An unpredictable part keeps the weight of LEAST.
    """
    explained = 1 - np.square(y - predicted).mean(0) / np.maximum(y.var(0), 1e-12)
    return np.asarray(np.sqrt(explained.clip(LEAST, 1)), np.float32)


def _solve(gram: Floats, right: Floats, penalty: float) -> Floats:
    """Solution of (gram + penalty) x = right; only the lower triangle of `gram` is read, and `gram` is overwritten."""
    from scipy.linalg import cho_factor, cho_solve

    gram[np.diag_indices(len(gram))] += max(penalty, LEAST_PENALTY)
    # the transposed view has LAPACK's memory order, so nothing is copied
    factor = cho_factor(gram.T, lower=False, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, right, check_finite=False), np.float32)
