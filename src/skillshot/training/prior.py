"""Learn a prior from banks with rationales: which n-grams of a question go with which reasoning, in any bank.

In each bank a ridge regression predicts the structure of its rationales from the n-grams of its questions. The weights
of all banks, each column times its predictability, are put side by side; their principal directions are the projection.
So the product of two questions' features is the sum, over the banks, of the products of their predicted rationales.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.errors import InputError
from skillshot.features.channels import QUESTION, RATIONALE
from skillshot.features.grams import GramReader, shared
from skillshot.features.lexical import LexicalView
from skillshot.features.prior import Prior
from skillshot.features.tokens import tokenise
from skillshot.training.axes import unit
from skillshot.training.learned import RAREST, structure_view
from skillshot.training.structure_head import Ridges, predictability

BUCKETS, WIDTH = 8192, 64  # with 16,384 and 96 the packaged files are more than twice as large
SKELETON = 128  # columns of the structure of each bank
PENALTY = 0.3
BANKS, TEXTS = 2, 2  # banks that must share a word or an n-gram, and texts of each bank that must have an n-gram
LEAST = 0.002  # mean share of texts from which the share of a word is kept
RARE = 1e-3  # added to the share of texts with an n-gram, whose weight is then at most 7.9
EXPLAINED = 0.02  # least share of its variance by which a column of the structure is predicted

Bank = tuple[Sequence[str], Sequence[str]]  # questions and rationales


def learn_prior(banks: Mapping[str, Bank], seed: int) -> LexicalView:
    """The view of a prior; each bank counts the same in word shares and n-gram weights, whatever its rows.

    Args:
        banks: name -> n questions and n rationales.

    Raises:
        InputError: fewer than two banks.
    """
    if len(banks) < BANKS:
        raise InputError(f"{len(banks)} banks; give at least {BANKS}: a prior is what they share")
    view = _view([questions for questions, _ in banks.values()])
    return _onto(view, [_weights(view, *bank, seed) for bank in banks.values()])


def prior_of(questions: Sequence[str], rationales: Sequence[str], seed: int) -> Prior:
    """The prior of one bank, read with its own words: it is for a bank that is related to it.

    Raises:
        InputError: the questions share no word.
    """
    view = LexicalView.learn(questions, QUESTION, rarest=RAREST, buckets=BUCKETS)
    return Prior((_onto(view, [_weights(view, questions, rationales, seed)]),), ())


def _onto(view: LexicalView, weights: Sequence[Floats]) -> LexicalView:
    """The view onto the principal directions of the weights (buckets, t) of all banks."""
    found = np.hstack(weights).astype(np.float64)
    values, vectors = np.linalg.eigh(found.T @ found)
    first = np.argsort(-values, kind="stable")[:WIDTH]
    return view.onto(np.asarray(found @ vectors[:, first], np.float32))


def _view(texts: Sequence[Sequence[str]]) -> LexicalView:
    """n-grams that banks share; a word of one bank alone is read as its shape, as it will be in a new bank."""
    shares: defaultdict[str, float] = defaultdict(float)
    held: Counter[str] = Counter()
    for of_bank in texts:
        counts = Counter(word for text in of_bank for word in set(tokenise(text)))
        held.update(counts.keys())
        for word, count in counts.items():
            shares[word] += count / len(of_bank) / len(texts)
    vocabulary = tuple(sorted(word for word, count in held.items() if count >= BANKS))
    kept = {word: round(share, 6) for word, share in sorted(shares.items()) if share > LEAST}
    reader = GramReader(QUESTION, kept, vocabulary)
    found = [shared(reader, of_bank, TEXTS) for of_bank in texts]
    codes = np.concatenate([codes for codes, _, _ in found])
    keys, first, times = np.unique(codes, return_index=True, return_counts=True)
    channels = np.concatenate([channel for _, _, channel in found])[first]
    kept_keys, channels = keys[times >= BANKS], channels[times >= BANKS]
    frequency = np.zeros(len(kept_keys))
    for of_bank, (codes, with_it, _) in zip(texts, found, strict=True):
        common = np.isin(codes, kept_keys)
        frequency[kept_keys.searchsorted(codes[common])] += with_it[common] / len(of_bank) / len(texts)
    slots = channels * np.uint32(BUCKETS) + (kept_keys % np.uint64(BUCKETS)).astype(np.uint32)
    signs = np.where(kept_keys >> np.uint64(63), 1.0, -1.0)
    idf = (signs * (np.log(1 / (frequency + RARE)) + 1)).astype(np.float32)
    return LexicalView(QUESTION, BUCKETS, kept, vocabulary, kept_keys, idf, slots)


def _weights(view: LexicalView, questions: Sequence[str], rationales: Sequence[str], seed: int) -> Floats:
    """Weights (buckets, t) of a bank's ridge; a column that its questions do not predict is 0."""
    _, rows = structure_view(rationales, questions, RATIONALE, SKELETON, seed)
    target = unit(rows - rows.mean(0))
    ridges = Ridges(view.sparse(questions), np.zeros((len(questions), 0), np.float32), target)
    predicted = ridges.cross_fitted(PENALTY, False)
    better = np.square(target - predicted).mean(0) < (1 - EXPLAINED) * target.var(0)
    return np.asarray(ridges.weights(PENALTY, False) * (predictability(predicted, target) * better), np.float32)
