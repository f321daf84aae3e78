"""Weighted n-grams that keep word order, projected to a dense vector. Reading needs numpy alone."""

from __future__ import annotations

import dataclasses
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from skillshot.errors import BundleError, InputError
from skillshot.features.channels import Channel
from skillshot.features.tokens import tokenise
from skillshot.io import atomic_write, read_json, write_json

Floats = npt.NDArray[np.float32]

BUCKETS = 4096  # n-grams are hashed with a sign into this many (count sketch: dot products keep their mean)
RAREST = 2  # texts that must share an n-gram
COMMON = 0.01  # words in a smaller share of texts need no share of their own


@dataclass(frozen=True)
class LexicalView:
    """Channels of weighted n-grams, hashed into buckets, times a projection.

    shares: word -> share of the bank's texts that hold it; weights: n-gram (its channel's number in front) ->
    inverse document frequency; projection: float32 (buckets, f), None: the buckets themselves.
    """

    channels: tuple[Channel, ...]
    shares: dict[str, float]
    weights: dict[str, float]
    projection: Floats | None = None

    @property
    def width(self) -> int:
        """Number of features, f."""
        return BUCKETS if self.projection is None else int(self.projection.shape[1])

    @classmethod
    def learn(cls, texts: Sequence[str], channels: tuple[Channel, ...]) -> LexicalView:
        """Learn word shares and n-gram weights from a bank's texts; no projection yet.

        Raises:
            InputError: no n-gram is shared by two texts.
        """
        held = Counter(word for text in texts for word in set(tokenise(text)))
        shares = {word: n / len(texts) for word, n in sorted(held.items()) if n > max(2, COMMON * len(texts))}
        bare = cls(channels, shares, {})
        spread = Counter(gram for text in texts for part in bare._grams(text) for gram in part)
        if max(spread.values(), default=0) < RAREST:
            raise InputError(f"{len(texts)} texts share no word: nothing to learn a lexical view from")
        kept = ((gram, n) for gram, n in sorted(spread.items()) if n >= RAREST)
        weights = {gram: float(np.float32(np.log((1 + len(texts)) / (1 + n)) + 1)) for gram, n in kept}
        return cls(channels, shares, weights)

    def onto(self, projection: Floats) -> LexicalView:
        """The same view with a projection (buckets, f)."""
        return dataclasses.replace(self, projection=np.ascontiguousarray(projection, np.float32))

    def _grams(self, text: str) -> Iterator[list[str]]:
        for i, channel in enumerate(self.channels):
            yield [f"{i}{gram}" for gram in channel.grams(text, self.shares)]

    @cached_property
    def _table(self) -> dict[str, tuple[int, float]]:
        """n-gram -> bucket and signed weight; CRC-32 is the same everywhere."""
        table = {}
        for gram, weight in self.weights.items():
            code = zlib.crc32(gram.encode("utf-8", "surrogatepass"))
            table[gram] = (code % BUCKETS, weight if code & 0x80000000 else -weight)
        return table

    def _row(self, text: str) -> tuple[npt.NDArray[np.intp], Floats]:
        """Buckets and values of one text: each channel as long as its weight, together of length 1."""
        look, buckets, values = self._table, [], []
        for channel, grams in zip(self.channels, self._grams(text), strict=True):
            known = [look[gram] for gram in grams if gram in look]
            if known:
                part = np.array([value for _, value in known], np.float32)
                buckets += [bucket for bucket, _ in known]
                values.append(part * (channel.weight / np.sqrt(part @ part)))
        if not values:
            return np.zeros(0, np.intp), np.zeros(0, np.float32)
        joined = np.concatenate(values)
        return np.array(buckets, np.intp), joined / np.sqrt(joined @ joined)

    def transform(self, texts: Sequence[str]) -> Floats:
        """Features of texts, float32 (n, f); a text without a known n-gram is a row of zeros."""
        out = np.zeros((len(texts), self.width), np.float32)
        for i, text in enumerate(texts):
            buckets, values = self._row(text)
            if self.projection is None:
                out[i] = np.bincount(buckets, values, BUCKETS)
            else:
                out[i] = values @ self.projection[buckets]
        return out

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `lexical.json`, `weights.npy` and `projection.npy`.

        Raises:
            ValueError: the view has no projection.
        """
        if self.projection is None:
            raise ValueError("a view without a projection is not saved")
        folder = Path(folder)
        channels = [dataclasses.asdict(channel) for channel in self.channels]
        write_json(folder / "lexical.json", {"channels": channels, "shares": self.shares, "ngrams": list(self.weights)})
        weights = np.fromiter(self.weights.values(), np.float32, len(self.weights))
        for name, array in (("weights", weights), ("projection", self.projection)):
            with atomic_write(folder / f"{name}.npy", "wb") as handle:
                np.save(handle, array, allow_pickle=False)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> LexicalView:
        """Read what `save` wrote.

        Raises:
            BundleError: the parts do not fit together.
        """
        folder = Path(folder)
        about = read_json(folder / "lexical.json")
        weights, projection = (
            np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("weights", "projection")
        )
        if len(weights) != len(about["ngrams"]):
            raise BundleError(
                f"{folder}: {len(about['ngrams'])} n-grams but {len(weights)} weights; fit the bank again"
            )
        if projection.ndim != 2 or len(projection) != BUCKETS:
            raise BundleError(
                f"{folder}: projection of shape {projection.shape}, not ({BUCKETS}, f); fit the bank again"
            )
        channels = tuple(Channel(**channel) for channel in about["channels"])
        return cls(channels, about["shares"], dict(zip(about["ngrams"], weights.tolist(), strict=True)), projection)
