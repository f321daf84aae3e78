"""A skill map to look at: a page, and a picture for places that show no page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.io import atomic_write
from skillshot.common.record import Record
from skillshot.common.sinks import label as text_label
from skillshot.common.sinks import one_line
from skillshot.common.templates import render
from skillshot.training.skill_map import SAMPLE, SkillMap

DRAWN = 50_000  # points, 8 bytes each on the page
TEXTS = 1500  # points whose question the page shows; more would make it larger than 3 MB
CHARS, NAME = 160, 60  # of a question, and of a label
# of Okabe and Ito (2008), without those that are pale or black; clusters with the same one are as far apart as can be
COLOURS = ("#e69f00", "#0072b2", "#009e73", "#d55e00", "#56b4e9", "#cc79a7")
OUTSIDE = "#8c959f"
GAP = 0.008  # between a cluster and its label in the PNG


def write_map(path: str | PathLike[str], bank: Sequence[Record], found: SkillMap, label: str | None = None) -> None:
    """The map as one HTML file without outside resources, smaller than 3 MB.

    Args:
        label: field of the records that clusters are compared with.
    """
    n, count = len(bank), len(found.labels)
    spread = _spread(found)
    middles = spread[:, 0]
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
            "box": [round(float(part), 4) for part in (*spread[number, 0], *spread[number, 1:, 1])],
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
        described=_described(found),
        clusters=clusters,
        colours=COLOURS,
        outside_colour=OUTSIDE,
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


def draw_map(path: str | PathLike[str], found: SkillMap) -> None:
    """The map as a PNG, for places that show no page.

    A label that finds no room, or whose script matplotlib's font lacks, is left out.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import findfont, get_font
    from matplotlib.patheffects import withStroke

    n, spread = len(found.cluster), _spread(found)
    shown = np.random.default_rng(0).permutation(n)[:DRAWN]
    colours = np.array([OUTSIDE, *(COLOURS[colour] for colour in _colours(spread[:, 0]))])
    figure = Figure(figsize=(10, 7.5))
    renderer = FigureCanvasAgg(figure).get_renderer()
    axis = figure.add_axes((0.01, 0.01, 0.98, 0.93), xticks=[], yticks=[], xlim=(-0.1, 1.1), ylim=(-0.05, 1.05))
    area = float(np.clip(20_000 / n, 1, 12))
    x, y = found.place[shown].T
    axis.scatter(x, y, s=area, c=colours[found.cluster[shown] + 1], linewidths=0, alpha=0.8)
    font, taken = get_font(findfont("DejaVu Sans")), list[Any]()
    for name, (middle, low, high) in zip(found.labels, spread, strict=True):
        text = text_label(name, 36)
        low, high = low - GAP, high + GAP
        spots = [(middle[0], high[1], "center", "bottom"), (middle[0], low[1], "center", "top"),
                 (high[0], middle[1], "left", "center"), (low[0], middle[1], "right", "center")]  # fmt: skip
        for left, height, across, down in spots if all(font.get_char_index(ord(char)) for char in text) else ():
            drawn = axis.text(
                left, height, text, ha=across, va=down, fontsize=8, weight="bold", family="DejaVu Sans",
                path_effects=[withStroke(linewidth=3, foreground="white")],
            )  # fmt: skip
            box = drawn.get_window_extent(renderer)
            inside = axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            drawn.remove()
    figure.suptitle(f"{n:,} examples, {len(found.labels)} clusters; grey: in none")
    with atomic_write(path, "wb") as handle:
        figure.savefig(handle, format="png", dpi=110, metadata={"Software": "", "Description": _described(found)})


def _spread(found: SkillMap) -> Floats:
    """Of each cluster the median of its places, the 5 % and the 95 % quantile: (clusters, 3, 2)."""
    places = [found.place[found.cluster == number] for number in range(len(found.labels))]
    parts = [np.quantile(part, [0.5, 0.05, 0.95], axis=0) for part in places]
    return np.array(parts, np.float32).reshape(len(parts), 3, 2)


def _described(found: SkillMap) -> str:
    """What a reader who does not see the map is given."""
    sizes = [f"{one_line(name)[:NAME]} ({(found.cluster == i).sum():,})" for i, name in enumerate(found.labels[:5])]
    largest = f", the largest: {', '.join(sizes)}" if sizes else ""
    return f"Map of {len(found.cluster):,} examples in {len(found.labels)} clusters{largest}."


def _colours(middles: Floats) -> list[int]:
    """A colour of each cluster: the one whose clusters so far are furthest away."""
    colours: list[int] = []
    for number, middle in enumerate(middles):
        away = np.linalg.norm(middles[:number] - middle, axis=1)
        nearest = [min(away[np.array(colours) == colour], default=np.inf) for colour in range(len(COLOURS))]
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
