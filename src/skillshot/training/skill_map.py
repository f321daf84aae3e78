"""Map of a bank's skills: density clusters on a layout of the skill vectors, labelled by their rationales."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats
from skillshot.common.io import atomic_write
from skillshot.common.record import Record
from skillshot.common.sinks import one_line
from skillshot.common.structure import structure_of
from skillshot.common.templates import render
from skillshot.training.cluster_labels import cluster_labels

SAMPLE = 2000  # rows that are laid out and clustered; t-SNE takes a minute for them
SMALLEST = 5  # rows of a cluster, in a small bank; sqrt(rows) / 3 in a large one
NEAREST = 3  # sampled rows between which any other row is placed
DRAWN = 50_000  # points on the page, 8 bytes each
TEXTS = 1500  # points whose question the page shows; more would make it larger than 3 MB
CHARS, NAME = 160, 60  # of a question, and of a label
COLOURS = 6  # of the page; clusters with the same one are as far apart as can be


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


def write_map(path: str | PathLike[str], bank: Sequence[Record], found: SkillMap, label: str | None = None) -> None:
    """The map as one HTML file without outside resources, smaller than 3 MB.

    Args:
        label: field of the records that clusters are compared with.
    """
    n, count = len(bank), len(found.labels)
    spread = [np.quantile(found.place[found.cluster == number], [0.5, 0.05, 0.95], axis=0) for number in range(count)]
    middles = np.array([part[0] for part in spread]).reshape(count, 2)
    central = [
        int(np.argmin(np.where(found.cluster == number, np.linalg.norm(found.place - middle, axis=1), np.inf)))
        for number, middle in enumerate(middles)
    ]
    rest = np.setdiff1d(np.arange(n), central)
    shown = [*central, *np.random.default_rng(0).permutation(rest)[: DRAWN - count].tolist()]
    points = np.column_stack([found.place[shown] * 65_535, found.cluster[shown] + 1]).round().astype("<u2")
    field = [one_line(bank[i].metadata.get(label, ""))[:NAME] for i in shown[:TEXTS]] if label else []
    sizes = np.bincount(found.cluster + 1, minlength=count + 1).tolist()
    clusters = [
        {
            "label": one_line(name)[:NAME],
            "size": sizes[number + 1],
            "colour": colour,
            "example": one_line(bank[central[number]].question)[:CHARS],
            "box": [round(float(part), 4) for part in (*spread[number][0], *spread[number][1:, 1])],
        }
        for number, (name, colour) in enumerate(zip(found.labels, _colours(middles), strict=True))
    ]
    page = render(
        "skillshot.training",
        "skill_map.html.j2",
        rows=n,
        sampled=min(n, SAMPLE),
        drawn=len(shown),
        outside=sizes[0],
        clusters=clusters,
        agreement=_agreement(bank, found, label),
        data={
            "points": base64.b64encode(points.tobytes()).decode(),
            "texts": [one_line(bank[i].question)[:CHARS] for i in shown[:TEXTS]],
            "field": field,
            "clusters": [[part["label"], part["colour"], *part["box"]] for part in clusters],
        },
    )
    with atomic_write(path) as handle:
        handle.write(page)


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
    least = max(SMALLEST, round(len(places) ** 0.5 / 3))
    return np.asarray(HDBSCAN(min_cluster_size=least, copy=True).fit_predict(places), np.intp)


def _colours(middles: Floats) -> list[int]:
    """A colour of each cluster: the one whose clusters so far are furthest away."""
    colours: list[int] = []
    for number, middle in enumerate(middles):
        away = np.linalg.norm(middles[:number] - middle, axis=1)
        nearest = [min(away[np.array(colours) == colour], default=np.inf) for colour in range(COLOURS)]
        colours.append(int(np.argmax(nearest)))
    return colours


def _agreement(bank: Sequence[Record], found: SkillMap, label: str | None) -> dict[str, Any] | None:
    """How clusters agree with a field of the records; rows in no cluster count as one more cluster."""
    from sklearn.metrics import adjusted_rand_score, homogeneity_score

    if label is None:
        return None
    values = [str(record.metadata.get(label, "")) for record in bank]
    return {
        "field": label,
        "values": len(set(values)),
        "rand": float(adjusted_rand_score(values, found.cluster)),
        "homogeneity": float(homogeneity_score(values, found.cluster)),
    }
