"""The closed-form half of `skillshot`: what a question tells of its rationale's structure, by ridge regression.

For a unit target y the prediction E[y|Q] . y_i is the expected similarity of the query's unknown rationale to
bank item i, so ranking by it is optimal for that similarity; no iteration, no seed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FOLDS = 3  # of the cross-fitted predictions
LEAST = 0.02  # explained variance that every part is granted


def principal(rows: Floats, width: int, seed: int) -> Floats:
    """Principal directions (d, t) of rows (n, d), t = min(width, n - 1, d)."""
    from sklearn.utils.extmath import randomized_svd

    rank = max(1, min(width, min(rows.shape) - 1))
    _, _, directions = randomized_svd(rows - rows.mean(0), rank, n_iter=3, random_state=seed)
    return np.ascontiguousarray(directions.T, np.float32)


def ridge_weights(x: Floats, y: Floats, strength: float) -> Floats:
    """Weights (d, t) of centred x (n, d) to y (n, t); the penalty is `strength` times the mean squared row length.

    Solved in the smaller of the two forms: n equations (dual) or d (primal).
    """
    n, d = x.shape
    penalty = strength * float(np.einsum("ij,ij->", x, x)) / n
    if n < d:
        return np.asarray(x.T @ _solve(x @ x.T, y, penalty), np.float32)
    return _solve(x.T @ x, x.T @ y, penalty)


class Ridges:
    """Ridge regressions of y (n, t) on columns of x (n, d), of all rows or without a fold; products are made once.

    Row i belongs to fold i mod 3. Primal where two folds have more rows than x has columns, else dual.
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        self.x, self.y = x, y
        self.fold = np.arange(len(x)) % FOLDS
        self._grams: list[Floats] = []
        if (self.fold != 0).sum() >= x.shape[1]:
            parts = [(x[self.fold == k], y[self.fold == k]) for k in range(FOLDS)]
            self._grams = [rows.T @ rows for rows, _ in parts]
            self._crosses = [rows.T @ targets for rows, targets in parts]

    def weights(self, strength: float, columns: slice, without: int | None = None) -> Floats:
        """Weights (columns, t), as `ridge_weights` gives them; `without`: a fold that is not learned from."""
        rest = self.fold != (-1 if without is None else without)
        if not self._grams:
            return ridge_weights(self.x[rest][:, columns], self.y[rest], strength)
        kept = [k for k in range(FOLDS) if k != without]
        gram = np.add.reduce([self._grams[k][columns, columns] for k in kept])
        cross = np.add.reduce([self._crosses[k][columns] for k in kept])
        return _solve(gram, cross, strength * float(np.trace(gram)) / int(rest.sum()))

    def cross_fitted(self, strength: float, columns: slice) -> Floats:
        """Predictions (n, t) of each row by a ridge that did not see it.

        A regression on its own training rows looks surer than it is for a new question: what is trained on top of it
        must see honest predictions.
        """
        out = np.zeros((len(self.x), self.y.shape[1]), np.float32)
        for k in range(FOLDS):
            here = self.fold == k
            out[here] = self.x[here][:, columns] @ self.weights(strength, columns, k)
        return out

    def strength(self, columns: slice, grid: tuple[float, ...]) -> float:
        """The penalty of the grid under which the predictions of one fold point best to their targets (mean cosine)."""
        rows = np.flatnonzero(self.fold == 0)
        found = {}
        for strength in grid:
            predicted = self.x[rows][:, columns] @ self.weights(strength, columns, 0)
            lengths = np.linalg.norm(predicted, axis=1) * np.linalg.norm(self.y[rows], axis=1)
            found[strength] = float((np.einsum("ij,ij->i", predicted, self.y[rows]) / np.maximum(lengths, 1e-9)).mean())
        return max(grid, key=lambda strength: found[strength])


def predictability(predicted: Floats, y: Floats) -> Floats:
    """Weight (t,) of each part of y (n, t): root of the share of its variance that cross-fitted predictions explain.

    What no question foretells (a turn of phrase, chance) only blurs the comparison of bank items. Powers 0.25 to 0.75
    of the share were alike on the development slices; a part that cannot be foretold keeps a little.
    """
    explained = 1 - np.square(y - predicted).mean(0) / np.maximum(y.var(0), 1e-12)
    return np.asarray(np.sqrt(explained.clip(LEAST, 1)), np.float32)


def _solve(gram: Floats, right: Floats, penalty: float) -> Floats:
    from scipy.linalg import cho_factor, cho_solve

    system = np.array(gram, np.float32)
    system[np.diag_indices(len(system))] += max(penalty, 1e-6)
    factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, right, check_finite=False), np.float32)


def agreement(query: Floats, bank: Floats, truth: Floats, bank_truth: Floats, k: int = 4) -> float:
    """Mean similarity of rationale structure (unit rows) between held-out queries and their k best bank items.

    The label-free stand-in for hit@k: the teacher is the rationale's own skeleton.
    """
    best = np.argpartition(-(query @ bank.T), k, axis=1)[:, :k] if len(bank) > k else np.arange(len(bank))[None]
    return float(np.einsum("qd,qkd->qk", truth, bank_truth[np.broadcast_to(best, (len(query), best.shape[1]))]).mean())
