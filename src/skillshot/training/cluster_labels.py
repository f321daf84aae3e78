"""Labels of clusters: the terms by which a rationale is best recognised as one of the cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from skillshot.features.tokens import ngrams, tokenise

LONGEST = 4  # words of a term
TERMS = 3  # of a label
GAIN = 0.05  # of F1 that a further term brings
COMMON = 1 / 3  # a word that more of the other rows have opens and ends no term


def cluster_labels(texts: Sequence[str], cluster: npt.NDArray[np.intp]) -> list[str]:
    """Labels of the clusters 0 to max(cluster), no two the same; -1 is no cluster.

    A label is a rule: a text that holds its terms, runs of up to four words, is taken for one of the cluster. A term is
    added while it raises the rule's F1 by `GAIN` (greedy rule learning as in FOIL, Quinlan 1990, with F1 as the gain).
    Where two clusters have the same rule, each gets the best term that raises its precision, and a number where none
    differs.
    """
    held = [_terms(text) for text in texts]
    whole = Counter(term for terms in held for term in terms)
    rules: list[list[str]] = [[] for _ in range(int(cluster.max(initial=-1)) + 1)]

    def grow(number: int, *, always: bool) -> bool:
        rule, size = rules[number], int((cluster == number).sum())
        pool = [i for i in range(len(held)) if held[i].issuperset(rule)]
        inside = Counter(term for i in pool if cluster[i] == number for term in held[i])
        around = Counter(term for i in pool for term in held[i]) if rule else whole
        own = inside if not rule else Counter(term for i in np.flatnonzero(cluster == number) for term in held[i])
        used = {word for term in rule for word in term.split(" ")}

        def names(term: str) -> bool:
            words = term.split(" ")
            ends = {words[0], words[-1]}
            rare = all(whole[word] - own[word] <= COMMON * (len(held) - size) for word in ends)
            return rare and used.isdisjoint(words)

        f1 = {term: 2 * count / (around[term] + size) for term, count in inside.items()}
        found = sum(cluster[i] == number for i in pool)
        least = 2 * found / (len(pool) + size) + GAIN if rule else 0.0
        better = sorted(
            (-value, -len(term), term)  # the longest of equals reads best
            for term, value in f1.items()
            if value > least or (always and inside[term] * len(pool) > around[term] * found)
        )
        best = next((term for _, _, term in better if names(term)), None)
        if best:  # what separates two of the same rule is read first
            rule.insert(0 if always else len(rule), best)
        return best is not None

    for number in range(len(rules)):
        while len(rules[number]) < TERMS and grow(number, always=False):
            pass
    for number in _repeated(rules):
        grow(number, always=True)
    labels = [" · ".join(rule) or "unnamed" for rule in rules]
    seen: Counter[str] = Counter()
    for number in _repeated(labels):
        seen[labels[number]] += 1
        labels[number] += f" ({seen[labels[number]]})"
    return labels


def _terms(text: str) -> set[str]:
    """Runs of words, none across a number or a sign."""
    runs = (list(run) for is_word, run in groupby(tokenise(text), lambda token: token[0].isalpha()) if is_word)
    return {term for run in runs for term in ngrams(run, LONGEST)}


def _repeated(values: Sequence[Collection[str]]) -> list[int]:
    """Places of the values that occur more than once."""
    counts = Counter(map(tuple, values))
    return [place for place, value in enumerate(values) if counts[tuple(value)] > 1]
