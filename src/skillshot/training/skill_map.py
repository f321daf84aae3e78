"""Map of a bank's skills: density clusters on a layout of the skill vectors, labelled by their rationales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats
from skillshot.common.record import Record
from skillshot.common.structure import structure_of
from skillshot.training.cluster_labels import cluster_labels

SAMPLE = 2000  # rows that are laid out and clustered; t-SNE takes a minute for them
SMALLEST = 5  # rows of a cluster in a small bank, sqrt(rows) / 2 in a large one; neighbours that make a place dense
NEAREST = 3  # sampled rows between which any other row is placed


@dataclass(frozen=True)
class SkillMap:
    """Clusters of a bank and where its rows are placed.

    cluster: (n,) number of each row's cluster, the largest first; -1 where it is in none.
    labels: by cluster, no two the same.
    place: float32 (n, 2), each coordinate from 0 to 1.
    """

    cluster: npt.NDArray[np.intp]
    labels: list[str]
    place: Floats


def skill_map(bank: Sequence[Record], vectors: Floats, seed: int) -> SkillMap:
    """Clusters as HDBSCAN (Campello et al. 2013) finds them on the t-SNE layout (van der Maaten and Hinton 2008).

    Up to `SAMPLE` rows, drawn by the seed, are laid out and clustered. Any other row joins the cluster of the sampled
    row that is most similar, and is placed in the middle of its `NEAREST` most similar ones in that cluster.

    Args:
        vectors: (n, z), what the model holds of each row's steps and latent.
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    n = len(unit)
    sample = np.sort(np.random.default_rng(seed).permutation(n)[:SAMPLE])
    spots = _layout(unit[sample], seed)
    groups = _groups(spots)
    cluster, place = np.empty(n, np.intp), np.empty((n, 2), np.float32)
    cluster[sample], place[sample] = groups, spots
    others = np.setdiff1d(np.arange(n), sample)
    for rows in np.array_split(others, len(others) // SAMPLE + 1):
        near = np.argsort(-(unit[rows] @ unit[sample].T), axis=1, kind="stable")[:, :NEAREST]
        cluster[rows] = groups[near[:, 0]]
        same = (groups[near] == groups[near[:, :1]])[:, :, None]
        place[rows] = (spots[near] * same).sum(axis=1) / same.sum(axis=1)
    order = np.argsort(-np.bincount(cluster + 1)[1:], kind="stable")
    by_size = np.append(np.argsort(order), -1)
    labels = cluster_labels(structure_of([bank[i] for i in sample]).texts, by_size[groups])
    low, high = place.min(axis=0), place.max(axis=0)
    return SkillMap(by_size[cluster], labels, (place - low) / np.maximum(high - low, 1e-9))


def _layout(unit: Floats, seed: int) -> Floats:
    """Places in two dimensions, (n, 2); on the first two principal components where there are few rows or no spread."""
    from sklearn.manifold import TSNE

    centred = unit - unit.mean(axis=0)
    if len(unit) < 2 * SMALLEST or np.abs(centred).max() < 1e-6:
        axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
        flat: Floats = np.zeros((len(unit), 2), np.float32)
        flat[:, : len(axes)] = centred @ axes.T
        return flat
    perplexity = float(np.clip(len(unit) / 10, 2, 30))
    places: Floats = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(unit)
    return places


def _groups(places: Floats) -> npt.NDArray[np.intp]:
    """Cluster of each place, -1 in none."""
    from sklearn.cluster import HDBSCAN

    if len(places) < 2 * SMALLEST:
        return np.full(len(places), -1, np.intp)
    least = max(SMALLEST, round(len(places) ** 0.5 / 2))
    found = HDBSCAN(min_cluster_size=least, min_samples=SMALLEST, copy=True).fit_predict(places)
    return np.asarray(found, np.intp)
