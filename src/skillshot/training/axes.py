"""Directions of a bank's questions and rationales: principal coordinates, landmarks, lengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats
from skillshot.model.arrays import SHARP
from skillshot.training.structure_head import principal

LANDMARKS = 1024  # questions of the bank to which a question is compared
SENTENCE, WORDS = 64, 64  # principal coordinates of the sentence embedding and of the words that a row holds
FLAT = 1e-4  # spread of structure, or of a word, up to which all rows are the same


@dataclass(frozen=True)
class EncoderAxes:
    """What the sentence embeddings of a bank's n questions give.

    centre (d,), directions (d, e): of the sentence. sentence, asked (n, e): of the questions as rows of the bank, and
        as queries, see `Skillshot.policy`.
    landmarks (m, d), whitening (m, r), middle (r,), scale: of the features of the structure head.
    dense (n, r): those features, as important as the words.
    """

    centre: Floats
    directions: Floats
    sentence: Floats
    asked: Floats
    landmarks: Floats
    whitening: Floats
    middle: Floats
    scale: np.float32
    dense: Floats

    @classmethod
    def of(cls, question: Floats, words: Any, seed: int, teachers: int = 0) -> EncoderAxes:
        """Of unit embeddings (n, d) and the sparse words (n, b) of the same questions.

        teachers: how many questions, the first, are another bank's; the sentence is that of the others.
        """
        centre, directions = sentence_axes(question[teachers:], seed)
        sentence = unit((question - centre) @ directions)
        asked = np.asarray((question - centre) @ directions / lengths(question - centre), np.float32)
        landmarks, whitening = landmarks_of(question, seed)
        near = nearness(question, landmarks) @ whitening
        middle = near.mean(0)
        scale = np.float32(sparse_spread(words) / max(spread(near - middle), 1e-9))
        return cls(centre, directions, sentence, asked, landmarks, whitening, middle, scale, (near - middle) * scale)


def sentence_axes(question: Floats, seed: int) -> tuple[Floats, Floats]:
    """Centre (d,) and principal directions (d, e) of sentence embeddings.

    Those of few rows are not centred and span them all, so that their cosines rank as the embeddings' own.
    """
    if len(question) > SENTENCE:
        return question.mean(0), principal(question, SENTENCE, seed)
    _, _, directions = np.linalg.svd(question, full_matrices=False)
    return np.zeros(question.shape[1], np.float32), np.ascontiguousarray(directions.T, np.float32)


def word_axes(words: Any, seed: int) -> Floats:
    """Principal directions (b, w) of sparse centred words: latent semantic analysis."""
    from sklearn.decomposition import PCA

    count, buckets = words.shape
    rank = max(1, min(WORDS, count - 1))
    axes = np.zeros((buckets, rank), np.float32)
    exact = words.astype(np.float64)
    variance = np.asarray(exact.multiply(exact).mean(0)).ravel() - np.square(np.asarray(exact.mean(0)).ravel())
    used = np.flatnonzero(variance > FLAT**2)  # a word that all questions share has no direction
    if len(used) <= rank or count < 3:
        return axes
    rank = min(rank, len(used) - 1)
    solver = PCA(rank, svd_solver="arpack" if rank < min(count, len(used)) else "full", random_state=seed)
    axes[used, :rank] = solver.fit(words[:, used].astype(np.float64)).components_.T
    return axes


def landmarks_of(question: Floats, seed: int) -> tuple[Floats, Floats]:
    """Landmarks (m, d), and a matrix (m, r) that turns kernels with them into features (Nystroem approximation).

    Dot products of the features are the kernel itself where all questions are landmarks (Williams & Seeger, 2001).
    """
    distinct = np.unique(question, axis=0)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(distinct))[:LANDMARKS])
    landmarks = np.ascontiguousarray(distinct[chosen], np.float32)
    values, vectors = np.linalg.eigh(nearness(landmarks, landmarks).astype(np.float64))
    kept = values > FLAT * values[-1]
    return landmarks, np.asarray(vectors[:, kept] / np.sqrt(values[kept]), np.float32)


def nearness(question: Floats, landmarks: Floats) -> Floats:
    """Kernel (n, m) of unit embeddings, see `Structure`."""
    return np.asarray(np.exp(2 * SHARP * (question @ landmarks.T - 1)), np.float32)


def unit(rows: npt.NDArray[np.floating]) -> Floats:
    """Rows scaled to length 1; a row of zeros stays as it is."""
    return np.asarray(rows / lengths(rows), np.float32)


def lengths(rows: npt.NDArray[np.floating]) -> Floats:
    """Lengths of rows, (n, 1), never 0."""
    return np.asarray(np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def scaled(rows: Any) -> Any:
    """Sparse rows scaled to length 1; a row of zeros stays as it is."""
    from scipy.sparse import diags

    length = np.sqrt(np.asarray(rows.multiply(rows).sum(1))).ravel()
    return (diags(1 / np.maximum(length, 1e-9)) @ rows).tocsr()


def sparse_spread(rows: Any) -> float:
    """`spread` of sparse rows that are not centred."""
    return float(np.sqrt(max(0.0, rows.multiply(rows).sum() / rows.shape[0] - np.square(rows.mean(0)).sum())))


def spread(rows: Floats) -> float:
    """Root mean square length of centred rows."""
    return float(np.sqrt(np.einsum("ij,ij->", rows, rows) / len(rows)))
