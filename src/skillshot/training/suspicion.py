"""Rows whose rationale probably belongs to another question, found without labels.

A rationale fits its question in two ways: its structure is the predicted one, and it takes up the question's words and
numbers. What that is worth is learned on the bank: a logistic regression separates the bank's own pairs of question
and rationale from random pairs. A wrong rationale is like a random one, so the share of random pairs that fit at least
as well is a p-value, and among p-values the wrong rows are the uniform part (Storey, 2002).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from skillshot.common.arrays import Doubles, Floats, Rows

BET = 0.5  # probability from which a row is held for wrong
# share of wrong rows, and a standard error, above which none is: then the bank's questions and rationales have little
# to do with each other
MOST = 0.65
FEWEST = 40  # rows below which nothing is concluded
TAIL = 0.3  # p-values above it are those of wrong rows
PAIRS = 5  # random pairs for each row
BINS = 40  # of the density of p-values, at most
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_ZEROS = re.compile(r"\.0+\Z")
_STEM = 5  # letters that identify a word in another form


def wrong_rows(
    questions: Sequence[str], rationales: Sequence[str], predicted: Floats, target: Floats, seed: int
) -> Doubles:
    """Probability that each row's rationale is another question's, (n,); 0 where the bank cannot say.

    Args:
        questions, rationales: n texts. predicted, target (n, t): cross-fitted prediction of the structure, and the
            structure of the rationale, in rows of at most unit length.
    """
    count = len(questions)
    if count < FEWEST:
        return np.zeros(count)
    from sklearn.linear_model import LogisticRegression

    own = np.arange(count)
    shifts = np.random.default_rng(seed).integers(1, count, PAIRS)
    others = [(own + shift) % count for shift in shifts]
    asked, given = _weighted(questions, rationales)
    length = np.maximum(np.linalg.norm(predicted, axis=1), 1e-9)

    def fit_of(rows: Rows) -> Floats:
        structure = np.einsum("ij,ij->i", predicted, target[rows]) / length
        words = np.asarray(asked.multiply(given[rows]).sum(1)).ravel()
        return np.stack([structure, words, structure**2, words**2, structure * words], 1)

    pairs = np.vstack([fit_of(rows) for rows in (own, *others)])
    pairs /= pairs.std(0) + 1e-9
    model = LogisticRegression().fit(pairs, np.arange(len(pairs)) < count)
    fits = model.decision_function(pairs)
    random = np.sort(fits[count:])
    return _wrong(1 - np.searchsorted(random, fits[:count]) / len(random))


def concluded(wrong: Doubles) -> bool:
    """Whether something is concluded of rows with these probabilities: they are enough, and mostly right."""
    return len(wrong) >= FEWEST and float((wrong >= BET).mean()) <= MOST


def _wrong(p: Doubles) -> Doubles:
    """Local false discovery rate of p-values (n,), where the false ones are those of interest: uniform / density.

    The share of the uniform part is that above `TAIL`, less a standard error, so that a few odd rows are not enough.
    The density falls (Grenander, 1956).
    """
    from sklearn.isotonic import IsotonicRegression

    count, high = len(p), float((p > TAIL).sum())
    share, most = ((high + error) / count / (1 - TAIL) for error in (-(high**0.5), high**0.5))
    if share <= 0 or most > MOST:
        return np.zeros(count)
    edges = np.unique(np.concatenate([[0.0], np.quantile(p, np.linspace(0, 1, BINS + 1)[1:-1]), [1.0]]))
    widths = np.diff(edges)
    places = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, len(widths) - 1)
    density = np.bincount(places, minlength=len(widths)) / count / widths
    bins = np.arange(len(widths))
    falling = IsotonicRegression(increasing=False).fit(bins, density, sample_weight=widths).predict(bins)
    return np.asarray(np.clip(share / np.maximum(falling[places], 1e-9), 0, 1), np.float64)


def _weighted(questions: Sequence[str], rationales: Sequence[str]) -> tuple[Any, Any]:
    """Words that occur on both sides, as unit rows of a sparse matrix weighted by inverse document frequency."""
    from scipy import sparse

    sides = [[_words(text) for text in texts] for texts in (questions, rationales)]
    counts = [Counter(word for words in side for word in words) for side in sides]
    place = {word: i for i, word in enumerate(sorted(counts[0].keys() & counts[1].keys()))}
    matrices = []
    for side, known in zip(sides, counts, strict=True):
        rows = [(i, place[word], np.log(1 + len(side) / known[word])) for i, words in enumerate(side) for word in words
                if word in place]  # fmt: skip
        where, columns, values = zip(*rows, strict=True) if rows else ((), (), ())
        matrix = sparse.csr_matrix((values, (where, columns)), shape=(len(side), max(1, len(place))))
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(1))).ravel()
        matrices.append(sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix)
    return matrices[0].tocsr(), matrices[1].tocsr()


def _words(text: str) -> set[str]:
    """Numbers as they are, the first letters of words, and pairs of letters in scripts that may have no blanks."""
    found = set()
    for word in _WORD.findall(text.lower()):
        if word[0].isdigit():
            found.add(_ZEROS.sub("", word.replace(",", "")))
        elif word.isascii():
            found.add(word[:_STEM])
        else:
            found.update(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    return found
