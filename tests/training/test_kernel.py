"""The kernel of the sentence embedding: its features give the kernel itself, and the network computes the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skillshot.common.arrays import Floats
from skillshot.model.arrays import SHARP
from skillshot.model.combined import Structure
from skillshot.training import axes
from skillshot.training.axes import landmarks_of, nearness, unit


def rows(count: int, seed: int = 0) -> Floats:
    return unit(np.random.default_rng(seed).standard_normal((count, 12)))


def test_kernel_falls_with_the_squared_distance() -> None:
    a, b = rows(5), rows(7, 1)
    squared = np.square(a[:, None] - b[None]).sum(2)
    np.testing.assert_allclose(nearness(a, b), np.exp(-SHARP * squared), rtol=1e-5)


def test_features_of_few_questions_give_the_kernel_itself() -> None:
    asked = rows(40)
    landmarks, whitening = landmarks_of(asked, seed=0)
    assert len(landmarks) == 40
    features = nearness(asked, landmarks) @ whitening
    np.testing.assert_allclose(features @ features.T, nearness(asked, asked), atol=2e-3)


def test_landmarks_are_distinct_questions_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(axes, "LANDMARKS", 16)
    asked = np.vstack([rows(30), rows(30)])
    landmarks, whitening = landmarks_of(asked, seed=3)
    assert landmarks.shape == (16, 12) and len(whitening) == 16
    assert all((asked == row).all(1).any() for row in landmarks) and len(np.unique(landmarks, axis=0)) == 16
    np.testing.assert_array_equal(landmarks, landmarks_of(asked, seed=3)[0])


def test_questions_that_are_all_the_same_have_one_landmark() -> None:
    landmarks, whitening = landmarks_of(np.repeat(rows(1), 9, 0), seed=0)
    assert landmarks.shape == (1, 12) and np.isfinite(whitening).all()


def test_the_network_computes_the_same_kernel() -> None:
    asked, landmarks = rows(6), rows(4, 1)
    structure = Structure(12, 4, 3)
    structure.landmarks.data, structure.weight.data = torch.from_numpy(landmarks), torch.ones(4, 3)
    found = structure(torch.from_numpy(asked), torch.zeros(6, 3)).numpy()
    np.testing.assert_allclose(found, np.repeat(nearness(asked, landmarks).sum(1, keepdims=True), 3, 1), rtol=1e-5)
