"""Learn a bank's kinds of steps, and decide on the bank itself, without labels, what they count.

The structure of a rationale is its skeleton, one vector; a composite rationale is better described by which steps it
has. On banks of composite questions their counts are predicted better than the skeleton; on others they only blur it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skillshot.common.arrays import Doubles, Floats
from skillshot.features.steps import StepNames, StepView, grams, masked, split
from skillshot.features.tokens import MOST, procedural
from skillshot.training.blend import OWN, best, certain
from skillshot.training.crossfit import judged

KINDS = 16  # 8 to 48 were tried: fewer blur, and more are predicted worse
AXES = 64  # principal coordinates of steps in which kinds are found
RAREST, OPERATOR = 3, 2.0  # steps that must share a gram, or rationales a name; weight of an operator
SHARE = 0.3  # of the steps in the structure, where they count at all
EXPLAINED = 0.1  # least share of the counts' variance that questions predict, for steps to count
PROCEDURAL = 0.005  # share of rationales from which a word may count as procedural


def learn_steps(rationales: Sequence[str], questions: Sequence[str], seed: int) -> tuple[StepView | None, Floats]:
    """Kinds of steps by spherical k-means, and what `StepView.transform` gives of the n rationales, (n, u).

    Where steps have too little in common, None and (n, 0).
    """
    from scipy.sparse import csr_matrix
    from sklearn.cluster import KMeans
    from sklearn.utils.extmath import randomized_svd

    words = tuple(procedural(rationales, questions, PROCEDURAL))
    known, read = frozenset(words), [split(text) for text in rationales]
    found = [grams(step, known) for steps in read for step in steps]
    frequency = Counter(gram for step in found for gram in step)
    kept = sorted(gram for gram, n in frequency.items() if RAREST <= n < len(found))
    place = {gram: column for column, gram in enumerate(kept)}
    weight = np.array(
        [
            (OPERATOR if gram.startswith("op ") else 1) * np.log((1 + len(found)) / (1 + frequency[gram])) ** 0.5
            for gram in kept
        ]
    )
    columns = [sorted(place[gram] for gram in step if gram in place) for step in found]
    flat = np.array([column for step in columns for column in step], np.int32)
    rows = csr_matrix((weight[flat], flat, np.cumsum([0, *map(len, columns)])), (len(found), len(kept)))
    rows = rows[rows.getnnz(1) > 0]
    nothing = np.zeros((len(rationales), 0), np.float32)
    if min(rows.shape) < 3:
        return None, nothing
    rows = rows.multiply(1 / np.sqrt(rows.multiply(rows).sum(1))).tocsr()
    _, _, axes = randomized_svd(rows, min(AXES, min(rows.shape) - 1), n_iter=3, random_state=seed)
    near = rows @ axes.T
    near /= np.maximum(np.linalg.norm(near, axis=1, keepdims=True), 1e-9)
    kinds = min(KINDS, len(np.unique(near.round(4), axis=0)))
    centres = KMeans(kinds, n_init=2, random_state=seed).fit(near).cluster_centers_
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
    view = StepView(words, tuple(kept), np.asarray(weight[:, None] * (axes.T @ centres.T), np.float32), ())
    known_steps = iter(found)  # each step is read once
    of = [[view.kind(next(known_steps)) for _ in steps] for steps in read]
    counts = view.counted([[kind for kind in kinds_of if kind is not None] for kinds_of in of])
    several = tuple(
        (kind, times) for kind in range(kinds) for times in range(1, MOST + 1) if (counts[:, kind] >= times).sum() >= 2
    )
    if not several:
        return None, nothing
    unary = replace(view, columns=several).unary(counts)
    rates = tuple(float(rate) for rate in unary.mean(0))
    names = StepNames(several, _names(view, read, of), rates, 0.0)
    return replace(view, columns=several, names=names), unary


def _names(view: StepView, read: Sequence[Sequence[str]], of: Sequence[Sequence[int | None]]) -> tuple[str, ...]:
    """A name for each kind: its step in most rationales (n lists of steps, and of kinds), without the stories' words.

    At least `RAREST` rationales share a name: a row that is removed later must not live on in one. A kind without such
    a step is named by its number.
    """
    known = frozenset(view.words)
    forms: list[Counter[str]] = [Counter() for _ in range(view.centres.shape[1])]
    for steps, kinds in zip(read, of, strict=True):
        found = {(kind, masked(step, known)) for step, kind in zip(steps, kinds, strict=True)}
        for kind, form in found:
            if kind is not None:
                forms[kind][form] += 1
    best = [max(of.items(), key=lambda form: (form[1], form[0]), default=("", 0)) for of in forms]
    names = [form if times >= RAREST else "" for form, times in best]
    return tuple(
        name if name and names.count(name) == 1 else f"{name} (kind {kind})".strip() for kind, name in enumerate(names)
    )


def named(view: StepView, counts: Floats, predicted: Floats) -> StepView:
    """The view with the scale at which cross-fitted predictions (n, u) of the columns are its counts (n, u)."""
    assert view.names is not None
    slope = float((predicted * (counts - counts.mean(0))).sum() / max(float(np.square(predicted).sum()), 1e-9))
    return replace(view, names=replace(view.names, scale=max(0.0, slope)))


def share_of_steps(
    questions: Sequence[str], skeleton: tuple[Floats, Floats], steps: tuple[Floats, Floats], counts: Floats, seed: int
) -> tuple[float, float]:
    """What steps count in the structure, `SHARE` or 0, and the gain in F1 that decides.

    The four best rows by each score are compared by F1 of the union of their steps against the question's own. Steps
    count where that gain is above 0 by two standard errors, and where questions predict steps at all: otherwise the
    gain is that of rows with average steps.

    Args:
        questions: n texts.
        skeleton, steps: targets (n, t) and (n, u), centred, and their cross-fitted predictions.
        counts: unary counts of each row (n, u).
    """
    rows, same = judged(questions, seed)
    explained = 1 - np.square(steps[0] - steps[1]).sum() / max(float(np.square(steps[0]).sum()), 1e-9)
    plain = skeleton[1][rows] @ skeleton[0].T
    both = (1 - SHARE) * plain + SHARE * (steps[1][rows] @ steps[0].T)
    quality: list[Doubles] = []
    for scores in (plain, both):
        scores[same] = OWN
        quality.append(union_f1(counts, best(scores), counts[rows]))
    gain = quality[1] - quality[0]
    return (SHARE if certain(gain) and explained >= EXPLAINED else 0.0), float(gain.mean())


def joined(skeleton: Floats, steps: Floats, share: float) -> Floats:
    """Both parts side by side, (n, t + u), so that products are weighted sums of the parts' products.

    Where steps do not count, the skeleton alone, (n, t).
    """
    if not share:
        return skeleton
    return np.hstack([skeleton * np.float32((1 - share) ** 0.5), steps * np.float32(share**0.5)])


def union_f1(counts: Floats, chosen: np.ndarray, wanted: Floats) -> Doubles:
    """F1 (m,) of the union of the multisets of the rows chosen (m, k) against the multisets wanted (m, u)."""
    union = counts[chosen].max(1)
    both = np.minimum(union, wanted).sum(1)
    return np.asarray(2 * both / np.maximum(union.sum(1) + wanted.sum(1), 1), np.float64)
