"""The query policy of a slim bundle in numpy: the function of `lite.onnx`, in float64 and with 8-bit weights.

Only sums, products, quotients and square roots are used, so another implementation has the same values but for the last
bits, and the same rows after they are rounded to the grid (`skillshot.runtime.grid`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from skillshot.common import schema
from skillshot.common.arrays import Doubles, Floats
from skillshot.common.errors import BundleError
from skillshot.runtime.grid import on_grid
from skillshot.runtime.scoring import Scoring

_NUMBERS = schema.listed(schema.number(-1e6, 1e6), 65_536)
_LAYER = schema.fields(
    {
        "weight": schema.text(r"[A-Za-z0-9+/]*={0,2}", "base64"),  # of int8 (in, out), row by row
        "scale": _NUMBERS,
        "bias": _NUMBERS,
    }
)
_LATENT = schema.fields(
    {"centre": _NUMBERS, "scale": _NUMBERS, "leak": schema.number(0, 1), "layers": schema.listed(_LAYER, 64)}
)
_ABOUT = schema.fields(dict.fromkeys(("words", "structure", "sentence"), _NUMBERS), {"latent": _LATENT})


@dataclass(frozen=True)
class Latent:
    """Structure (n, t) to the mean of the latent (n, z); see `skillshot.model.arrays.LatentNet`.

    layers: weight (in, out), whole numbers from -127 to 127, with the scale (out,) of its columns, and bias (out,).
    """

    centre: Doubles
    scale: Doubles
    layers: tuple[tuple[Doubles, Doubles, Doubles], ...]
    leak: float

    def __call__(self, structure: Doubles) -> Doubles:
        """The latent of each row."""
        rows = (structure - self.centre) / self.scale
        for number, (weight, scale, bias) in enumerate(self.layers):
            if number:
                rows = np.where(rows < 0, rows * self.leak, rows)
            rows = (rows @ weight) * scale + bias
        return rows

    def fits(self, structure: int, latent: int) -> bool:
        """Whether all arrays fit together and have these widths at both ends."""
        width, right = structure, len(self.centre) == len(self.scale) == structure and bool((self.scale > 0).all())
        for weight, scale, bias in self.layers:
            right = right and len(weight) == width and len(scale) == len(bias)
            width = len(bias)
        return right and width == latent and latent > 0


@dataclass(frozen=True)
class LiteNetwork:
    """Lexical features (n, f) to rows (n, row) on the grid. The features are words, structure and sentence.

    words, structure, sentence: what is added to each. latent: None where it does not count.
    """

    inputs: ClassVar[tuple[str, ...]] = ("lexical",)
    scoring: Scoring
    words: Doubles
    structure: Doubles
    sentence: Doubles
    latent: Latent | None

    @classmethod
    def load(cls, path: Path, scoring: Scoring) -> LiteNetwork:
        """Read the policy of a slim bundle.

        Raises:
            BundleError: the file is damaged, or does not fit the widths of the score.
        """
        about = schema.read_document(path, _ABOUT)
        with schema.door(path):
            network = cls.of(about, scoring)
        if not network.fits:
            raise BundleError(f"{path}: does not fit the widths {scoring.widths} of the manifest; slim it again")
        return network

    @classmethod
    def of(cls, about: Mapping[str, Any], scoring: Scoring) -> LiteNetwork:
        """From the content of a file."""
        arrays = {name: np.array(about[name], np.float64) for name in ("words", "structure", "sentence")}
        return cls(scoring, **arrays, latent=_latent(about["latent"]) if "latent" in about else None)

    @property
    def fits(self) -> bool:
        """Whether all arrays have the widths of the score."""
        t, z, e, w = self.scoring.widths
        inner = self.latent
        own = (len(self.words), len(self.structure), len(self.sentence)) == (w, t, e)
        return own and (z == 0 if inner is None else inner.fits(t, z))

    @property
    def width(self) -> int:
        """Of a row."""
        return self.scoring.row

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """Rows (n, row) of `lexical` (n, f), as `Session.run`."""
        features = feeds["lexical"].astype(np.float64)
        t, _, e, w = self.scoring.widths
        shares = [2 * share for share in self.scoring.shares]
        words = _unit(features[:, :w] + self.words, 1e-12)
        structure = features[:, w : w + t] + self.structure
        certain = _unit(structure, 1)
        blocks = [certain * shares[0]]
        if self.latent is not None:
            length = np.sqrt(np.square(certain).sum(1, keepdims=True))
            blocks.append(_unit(self.latent(structure), 1e-12) * length * shares[1])
        blocks.append(_unit(features[:, w + t : w + t + e] + self.sentence, 1) * shares[2])
        blocks.append(words * shares[3])
        return on_grid(np.hstack([*blocks, np.zeros((len(features), 1))]))


def _latent(about: Mapping[str, Any]) -> Latent:
    layers = tuple(
        (
            _whole(layer["weight"], len(layer["bias"])),
            np.array(layer["scale"], np.float64),
            np.array(layer["bias"], np.float64),
        )
        for layer in about["layers"]
    )
    return Latent(np.array(about["centre"], np.float64), np.array(about["scale"], np.float64), layers, about["leak"])


def _whole(text: str, columns: int) -> Doubles:
    return np.frombuffer(base64.b64decode(text), np.int8).reshape(-1, columns).astype(np.float64)


def _unit(rows: Doubles, least: float) -> Doubles:
    """Rows divided by their length, or by `least` where they are shorter."""
    return np.asarray(rows / np.maximum(np.sqrt(np.square(rows).sum(1, keepdims=True)), least), np.float64)
