"""Map of the latent space: clusters of skills, named by their rationales, on a two-dimensional map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Floats
from skillshot.common.io import atomic_write
from skillshot.common.record import Record
from skillshot.common.sinks import label as text_label
from skillshot.common.templates import render
from skillshot.features.tokens import tokenise

POINTS = 1500  # drawn on the map; more cannot be distinguished
TERMS = 3  # words in a cluster's name


@dataclass(frozen=True)
class SkillMap:
    """Clusters of a bank and where a sample of it is placed.

    cluster: (n,) of every record; names: by cluster; shown: (m,) record numbers; place: float32 (m, 2).
    """

    cluster: npt.NDArray[np.intp]
    names: list[str]
    shown: npt.NDArray[np.intp]
    place: Floats


def skill_map(bank: Sequence[Record], vectors: Floats, seed: int) -> SkillMap:
    """Cluster the bank's unit vectors (n, z) by k-means, k = sqrt(n / 4) up to 24, and place a sample by t-SNE."""
    from sklearn.cluster import KMeans
    from sklearn.manifold import TSNE

    n = len(bank)
    clusters = int(np.clip(np.sqrt(n / 4), 2, 24))
    cluster = KMeans(clusters, n_init=2, random_state=seed).fit_predict(vectors)
    shown = np.sort(np.random.default_rng(seed).permutation(n)[:POINTS])
    perplexity = float(np.clip(len(shown) / 10, 2, 30))
    place = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors[shown])
    return SkillMap(cluster, cluster_names([r.rationale for r in bank], cluster), shown, place.astype(np.float32))


def cluster_names(rationales: Sequence[str], cluster: npt.NDArray[np.intp]) -> list[str]:
    """Top terms of each cluster: words whose share of its rationales is high against the bank's."""
    held = [{t for t in tokenise(text) if t[0].isalpha() and len(t) > 2} for text in rationales]
    whole = Counter(term for terms in held for term in terms)
    names = []
    for number in range(int(cluster.max()) + 1):
        members = np.flatnonzero(cluster == number)
        inside = Counter(term for i in members for term in held[i])
        # how much likelier, weighted by how common inside: rare oddities make no name
        value = {t: c / len(members) * np.log(c / len(members) * len(held) / whole[t]) for t, c in inside.items()}
        top = sorted(value, key=lambda term: (-value[term], term))[:TERMS]
        names.append(" · ".join(top) or f"skill {number}")
    return names


def draw_map(path: str | PathLike[str], bank: Sequence[Record], found: SkillMap, label: str | None = None) -> None:
    """The map as a PNG, coloured by cluster and, where records carry the field `label`, by label next to it."""
    import matplotlib.pyplot as plt

    labels = _labels(bank, found, label)
    figure, axes = plt.subplots(1, 2 if labels else 1, figsize=(17 if labels else 11, 7.5), squeeze=False)
    colours = [plt.get_cmap("tab20")(i % 20) for i in range(len(found.names))]
    mine = found.cluster[found.shown]
    axis = axes[0][0]
    for number, name in enumerate(found.names):
        here = found.place[mine == number]
        if len(here):
            axis.scatter(here[:, 0], here[:, 1], s=7, color=colours[number], label=text_label(f"{number} {name}"))
            middle = np.median(here, axis=0)
            axis.text(*middle, str(number), weight="bold", ha="center", va="center", fontsize=9)
    axis.legend(fontsize=6.5, loc="upper left", bbox_to_anchor=(1.0, 1.0), markerscale=2)
    axis.set_title("skills found (k-means, named by their rationales)")
    if labels:
        _draw_labels(axes[0][1], found, labels, str(label))
    for axis in axes[0]:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.tight_layout()
    with atomic_write(path, "wb") as handle:
        figure.savefig(handle, format="png", dpi=110, metadata={"Software": ""})
    plt.close(figure)


def write_map(path: str | PathLike[str], bank: Sequence[Record], found: SkillMap, label: str | None = None) -> None:
    """The map as one HTML file without outside resources: hover for the question, click a name to single it out."""
    low, high = found.place.min(0), found.place.max(0)
    place = (found.place - low) / np.maximum(high - low, 1e-9)
    labels = _labels(bank, found, label) or [""] * len(found.shown)
    points = [
        [round(float(x), 4), round(float(y), 4), int(found.cluster[i]), bank[i].question[:160], name]
        for (x, y), i, name in zip(place, found.shown, labels, strict=True)
    ]
    sizes = np.bincount(found.cluster, minlength=len(found.names))
    names = [f"{name} ({size})" for name, size in zip(found.names, sizes, strict=True)]
    title = f"Skill map: {len(bank):,} examples, {len(names)} skills"
    with atomic_write(path) as handle:
        handle.write(
            render("skillshot.training", "skill_map.html.j2", title=title, data={"points": points, "names": names})
        )


def _labels(bank: Sequence[Record], found: SkillMap, label: str | None) -> list[str]:
    if label is None:
        return []
    return [str(bank[i].metadata.get(label, "")) for i in found.shown]


def _draw_labels(axis: object, found: SkillMap, labels: list[str], field: str) -> None:
    import matplotlib.pyplot as plt

    common = [name for name, _ in Counter(labels).most_common(19) if name]
    for i, name in enumerate([*common, ""]):
        here = found.place[[(x == name if name else x not in common) for x in labels]]
        colour = plt.get_cmap("tab20")(i) if name else (0.8, 0.8, 0.8, 1.0)
        axis.scatter(here[:, 0], here[:, 1], s=7, color=colour, label=text_label(name, 40) or "others")  # type: ignore[attr-defined]
    axis.legend(fontsize=6.5, loc="upper left", bbox_to_anchor=(1.0, 1.0), markerscale=2)  # type: ignore[attr-defined]
    axis.set_title(f"the same, coloured by {text_label(field)} (never read in training)")  # type: ignore[attr-defined]
