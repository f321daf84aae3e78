"""What the rationales of other banks let one expect of a question: a lexical view with a learned projection.

A bank of questions and plain answers shows no reasoning. A prior was fitted on banks that do: n-grams of a question are
projected to directions in which rationales of those banks differ. It is learned by `skillshot.training.prior`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import count, islice
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common import schema
from skillshot.common.arrays import Floats
from skillshot.common.errors import InputError
from skillshot.common.io import write_json
from skillshot.features.lexical import LexicalView

ABOUT = "prior.json"
NONE, PACKAGED = "none", "packaged"
_FOLDER = Path(__file__).with_name(PACKAGED)
_ABOUT = schema.fields(
    {
        "sources": schema.listed(
            schema.fields(
                {
                    "name": schema.text(),
                    "rows": schema.whole(1, 10**9),
                    "licence": schema.text(),
                    "origin": schema.text(),
                    "sha256": schema.text(),
                }
            ),
            1000,
        )
    },
    {"views": schema.whole(1, 8)},
)


@dataclass(frozen=True)
class PriorSource:
    """A bank that a prior was learned from.

    rows: examples that were read. origin: who published it. sha256: of the file.
    """

    name: str
    rows: int
    licence: str
    origin: str
    sha256: str


@dataclass(frozen=True)
class Prior:
    """What is expected of a question: the features of its views, side by side.

    sources: the banks it was learned from.
    """

    views: tuple[LexicalView, ...]
    sources: tuple[PriorSource, ...]

    @property
    def width(self) -> int:
        """Number of features, f."""
        return sum(view.width for view in self.views)

    def transform(self, questions: Sequence[str]) -> Floats:
        """Features of questions, float32 (n, f); their products are sums of the views' products."""
        return np.hstack([view.transform(questions) for view in self.views])

    def joined(self, other: Prior) -> Prior:
        """Both side by side."""
        return Prior(self.views + other.views, self.sources + other.sources)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `prior.json` and the first view; further ones go into folders next to it, `FOLDER_2` and so on."""
        for view, place in zip(self.views, _places(Path(folder)), strict=False):
            view.save(place)
        about: dict[str, Any] = {"sources": [asdict(source) for source in self.sources]}
        if len(self.views) > 1:
            about["views"] = len(self.views)
        write_json(Path(folder) / ABOUT, about)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Prior:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing or damaged.
        """
        about = schema.read_document(Path(folder) / ABOUT, _ABOUT)
        views = islice(_places(Path(folder)), about.get("views", 1))
        return cls(tuple(map(LexicalView.load, views)), tuple(PriorSource(**source) for source in about["sources"]))


def prior_named(name: str) -> Prior | None:
    """The prior of a setting `train.prior`: "none", "packaged", or a folder.

    Raises:
        InputError: there is no such folder.
        BundleError: a file is missing or damaged.
    """
    if name == NONE:
        return None
    if name == PACKAGED:
        return _packaged()
    if not (Path(name) / ABOUT).exists():
        raise InputError(
            f"prior {name}: no {ABOUT} there; give none, packaged, or a folder that scripts/learn_prior.py wrote"
        )
    return Prior.load(name)


def _places(folder: Path) -> Iterator[Path]:
    yield folder
    yield from (folder.with_name(f"{folder.name}_{number}") for number in count(2))


@cache
def _packaged() -> Prior:
    return Prior.load(_FOLDER)
