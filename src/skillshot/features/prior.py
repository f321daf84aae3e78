"""What the rationales of other banks let one expect of a question: a lexical view with a learned projection.

A bank of questions and plain answers shows no reasoning. A prior was fitted on banks that do: n-grams of a question are
projected to directions in which rationales of those banks differ. It is learned by `skillshot.training.prior`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from os import PathLike
from pathlib import Path

from skillshot.common import schema
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
    }
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
    """view: question -> features (n, f), float32. sources: the banks it was learned from."""

    view: LexicalView
    sources: tuple[PriorSource, ...]

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the view and `prior.json`."""
        self.view.save(folder)
        write_json(Path(folder) / ABOUT, {"sources": [asdict(source) for source in self.sources]})

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Prior:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing or damaged.
        """
        about = schema.read_document(Path(folder) / ABOUT, _ABOUT)
        return cls(LexicalView.load(folder), tuple(PriorSource(**source) for source in about["sources"]))


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


@cache
def _packaged() -> Prior:
    return Prior.load(_FOLDER)
