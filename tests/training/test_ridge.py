"""The ridge baseline: scikit-learn's leave-one-out ridge gives the textbook solution."""

from __future__ import annotations

import numpy as np
import pytest

from skillshot.training.ridge import GRID, fit_ridge, solve


def sample(n: int, width: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Centred x (n, width) and y (n, 3), y linear in x but for the noise."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, width)) * rng.gamma(1, 1, width)
    y = x @ rng.standard_normal((width, 3)) + noise * rng.standard_normal((n, 3))
    return (x - x.mean(0)).astype(np.float32), (y - y.mean(0)).astype(np.float32)


def brute_force(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and penalty: every penalty of the grid fitted n times, each time without one row."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    unit = (x**2).sum() / x.shape[1]

    def weights(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
        return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)

    def error(penalty: float) -> float:
        rows = np.arange(len(x))
        return sum(((y[i] - x[i] @ weights(x[rows != i], y[rows != i], penalty)) ** 2).sum() for i in rows)

    best = min((share * unit for share in GRID), key=error)
    return weights(x, y, best), best


@pytest.mark.parametrize("noise", [0.01, 1.0, 30.0])
@pytest.mark.parametrize(("n", "width"), [(40, 6), (15, 30)])
def test_the_penalty_is_the_one_of_exact_leave_one_out(n: int, width: int, noise: float) -> None:
    x, y = sample(n, width, noise, n)
    weights, penalty = solve(x, y)
    expected, best = brute_force(x, y)
    assert penalty == pytest.approx(best)
    assert weights.dtype == np.float32 and weights.shape == (width, 3)
    np.testing.assert_allclose(weights, expected, atol=1e-4 * np.abs(expected).max())


def test_leave_one_out_chooses_a_strong_penalty_for_noise_and_a_weak_one_for_signal() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((80, 20)).astype(np.float32)
    signal = x @ rng.standard_normal((20, 4)).astype(np.float32)
    noise = rng.standard_normal((80, 4)).astype(np.float32)
    assert solve(x, signal)[1] < 0.1 * solve(x, noise)[1]


def test_one_target_and_a_constant_input_are_fitted() -> None:
    x, y = sample(30, 4, 0.1, 0)
    assert solve(x, y[:, :1])[0].shape == (4, 1)
    ridge, bank, penalty = fit_ridge(np.ones((8, 2), np.float32), np.arange(8, dtype=np.float32)[:, None])
    assert penalty > 0 and not ridge.weight.any() and float(bank.centre) == pytest.approx(3.5)
