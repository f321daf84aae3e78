"""Weighted n-grams that keep word order, projected to a dense vector. Reading needs only numpy."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common import schema
from skillshot.common.arrays import Doubles, Floats
from skillshot.common.errors import BundleError, InputError
from skillshot.common.io import atomic_write, write_json
from skillshot.features.channels import LETTERS, Channel, spelled
from skillshot.features.grams import Codes, GramReader, shared
from skillshot.features.table import GramTable
from skillshot.features.tokens import JOINT, foreign, letters, procedural, tokenise

BUCKETS = 4096  # n-grams are hashed with a sign into this many (count sketch: dot products keep their mean)
RAREST = 2  # texts that must share a word, and by default an n-gram
COMMON = 0.01  # the share of a word is stored only above this share of texts
PROCEDURAL = 0.005  # share of texts from which a word may count as procedural
BATCH = 64  # texts that are read at once: a few MB
TINY = 1e-30  # avoids zero divided by zero
ARRAYS = ("keys", "weights", "slots", "projection")
LONGEST = 32  # tokens of an n-gram; a run of channels allocates memory for each length
_WORD = schema.text(r"(?s:.+)", "a text of at least one character")
_ABOUT = schema.fields(
    {
        "buckets": schema.whole(1, 65_536),
        "channels": schema.listed(
            schema.fields(
                {
                    "name": schema.text(),
                    "longest": schema.whole(1, LONGEST),
                    "least": schema.number(0, 1),
                    "weight": schema.number(0, 1e6),
                    "part": schema.one_of("all", "head", "rest", "equations", *LETTERS),
                }
            ),
            64,
        ),
        "shares": schema.mapped(schema.text(), schema.number(0, 1)),
        "vocabulary": schema.listed(_WORD),
    },
    {"scale": schema.listed(schema.number(0, 1e6), 65_536)},
)


@dataclass(frozen=True)
class LexicalView:
    """Channels of weighted n-grams, hashed into buckets, times a projection.

    shares: word -> share of the bank's texts that contain it, 1 for a word that is never masked.
    vocabulary: tokens of at least two texts.
    keys: uint64 (n,), sorted codes of the n-grams that enough texts share.
    weights: float32 (n,), inverse document frequency with the sign of the hash.
    slots: uint32 (n,), channel * buckets + bucket.
    projection: float32 (buckets, f), or None where the features are the buckets themselves. That of a prior is float16,
        that of a slim bundle int8.
    scale: of the columns of an int8 projection, float64 (f,).
    """

    channels: tuple[Channel, ...]
    buckets: int
    shares: dict[str, float]
    vocabulary: tuple[str, ...]
    keys: Codes
    weights: Floats
    slots: npt.NDArray[np.uint32]
    projection: Floats | None = None
    scale: Doubles | None = None

    @property
    def width(self) -> int:
        """Number of features, f."""
        return self.buckets if self.projection is None else int(self.projection.shape[1])

    @classmethod
    def learn(
        cls,
        texts: Sequence[str],
        channels: tuple[Channel, ...],
        questions: Sequence[str] | None = None,
        *,
        buckets: int = BUCKETS,
        rarest: int = RAREST,
    ) -> LexicalView:
        """Learn word shares and n-gram weights from a bank's texts; the view has no projection yet.

        Args:
            channels: texts of another writing than English are read by letters too (`foreign`, `spelled`).
            questions: the question of each text, where the texts are rationales. Words that rarely come from it are
                never masked.
            buckets: at most 65,536.
            rarest: number of texts that must share an n-gram.

        Raises:
            InputError: no n-gram is shared by that many texts.
        """
        counts = Counter(word for text in texts for word in set(tokenise(text)))
        shares = {word: n / len(texts) for word, n in sorted(counts.items()) if n > max(2, COMMON * len(texts))}
        if questions is not None:
            shares |= dict.fromkeys(procedural(texts, questions, PROCEDURAL), 1.0)
        if foreign(counts):
            channels = spelled(channels)
            counts.update(token for text in texts for token in set(letters(text)) if token.endswith(JOINT))
        vocabulary = tuple(sorted(word for word, n in counts.items() if n >= RAREST))
        reader = GramReader(channels, shares, counts)  # every token, because all unknown words of a shape are equal
        keys, frequency, channel = shared(reader, texts, rarest)
        if not len(keys):
            raise InputError(
                f"{len(texts)} texts share no word, so no lexical view can be learned from them\ngive a larger bank"
            )
        # codes are uniform: the lowest bits are the bucket, the highest bit is the sign
        slots = channel * np.uint32(buckets) + (keys % np.uint64(buckets)).astype(np.uint32)
        signs = np.where(keys >> np.uint64(63), 1.0, -1.0)
        weights = (signs * (np.log((1 + len(texts)) / (1 + frequency)) + 1)).astype(np.float32)
        return cls(channels, buckets, shares, vocabulary, keys, weights, slots)

    def onto(self, projection: Floats) -> LexicalView:
        """The same view with a projection (buckets, f)."""
        return dataclasses.replace(self, projection=np.ascontiguousarray(projection, np.float32))

    def columns(self, part: slice) -> LexicalView:
        """The same view onto some columns of its projection.

        Raises:
            ValueError: the view has no projection.
        """
        if self.projection is None:
            raise ValueError("a view without a projection has no columns to choose from; add one with `onto`")
        scale = None if self.scale is None else self.scale[part]
        return dataclasses.replace(self, projection=np.ascontiguousarray(self.projection[:, part]), scale=scale)

    def rows(self, buckets: npt.NDArray[np.uint16]) -> Floats:
        """Rows of the projection (n, f) for n-grams by their buckets (n,)."""
        if self.projection is None:
            raise ValueError("a view without a projection has no rows; add one with `onto`")
        found: Floats = self.projection.take(buckets, 0)
        return found if self.scale is None else (found * self.scale).astype(np.float32)

    def grams(self, text: str) -> tuple[Codes, npt.NDArray[np.uint16], Floats]:
        """Codes, buckets and values of a text's known n-grams, which may repeat a bucket.

        Each channel is scaled to its weight, and all channels together to length 1.
        """
        found = self._table.find(self.reader.read(text))
        values, channels, buckets = found["weight"], found["channel"], found["bucket"]
        squares = np.bincount(channels, values * values, len(self.channels))
        lengths = self._lengths * (squares > 0)  # a channel without a known n-gram has no length
        scale = lengths / np.sqrt(np.maximum(squares, TINY) * max(float(lengths @ lengths), TINY))
        return found["key"], buckets, values * scale.astype(np.float32)[channels]

    def _each(self, texts: Sequence[str]) -> Iterator[tuple[int, npt.NDArray[np.uint16], Floats]]:
        """Place, buckets and values of each text, as `grams` gives them, bit for bit; short texts first."""
        if len(texts) < BATCH:
            yield from ((i, *self.grams(text)[1:]) for i, text in enumerate(texts))
            return
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            codes, counts = self.reader.batch([texts[i] for i in places])
            found, known = self._table.known(codes)
            owner = np.repeat(np.arange(len(places)), counts)[known]
            values, at = found["weight"], owner * len(self.channels) + found["channel"]
            squares = np.bincount(at, values * values, len(places) * len(self.channels)).reshape(len(places), -1)
            lengths = self._lengths * (squares > 0)
            whole = np.array([[float(row @ row)] for row in lengths])
            scale = lengths / np.sqrt(np.maximum(squares, TINY) * np.maximum(whole, TINY))
            values = values * scale.astype(np.float32).ravel()[at]
            ends = np.cumsum(np.bincount(owner, minlength=len(places)))[:-1]
            yield from zip(places, np.split(found["bucket"], ends), np.split(values, ends), strict=True)

    def transform(self, texts: Sequence[str]) -> Floats:
        """Features of texts, float32 (n, f); a text without a known n-gram is a row of zeros."""
        out = np.zeros((len(texts), self.width), np.float32)
        for i, buckets, values in self._each(texts):
            if self.projection is None:
                out[i] = np.bincount(buckets, values, self.buckets)
            elif self.scale is None:
                np.matmul(values, self.projection.take(buckets, 0), out=out[i])
            else:  # whole numbers times float32: the sum is exact in float64, so every machine has the same
                whole = self.projection.take(buckets, 0).astype(np.float64)
                out[i] = (values.astype(np.float64) @ whole) * self.scale
        return out

    def sparse(self, texts: Sequence[str]) -> Any:
        """The buckets of texts as a scipy CSR matrix, float32 (n, buckets), for learning."""
        from scipy.sparse import csr_matrix

        found = [(buckets, values) for _, buckets, values in sorted(self._each(texts), key=itemgetter(0))]
        ends = np.cumsum([0, *(len(buckets) for buckets, _ in found)])
        columns = np.concatenate([buckets for buckets, _ in found]).astype(np.int32)
        rows = csr_matrix((np.concatenate([v for _, v in found]), columns, ends), (len(texts), self.buckets))
        rows.sum_duplicates()
        return rows

    @cached_property
    def reader(self) -> GramReader:
        """Reads the codes of a text's n-grams, also of those that the view does not know."""
        return GramReader(self.channels, self.shares, self.vocabulary)

    @cached_property
    def _table(self) -> GramTable:
        return GramTable(self.keys, self.weights, self.slots, self.buckets)

    @cached_property
    def _lengths(self) -> npt.NDArray[np.float64]:
        return np.array([channel.weight for channel in self.channels])

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `lexical.json` and one `.npy` file for each array.

        Raises:
            ValueError: the view has no projection.
        """
        if self.projection is None:
            raise ValueError("a view without a projection cannot be saved; add one with `onto`")
        folder = Path(folder)
        channels = [dataclasses.asdict(channel) for channel in self.channels]
        about = {
            "channels": channels,
            "buckets": self.buckets,
            "shares": self.shares,
            "vocabulary": list(self.vocabulary),
        } | ({} if self.scale is None else {"scale": self.scale.tolist()})
        write_json(folder / "lexical.json", about)
        for name in ARRAYS:
            values = getattr(self, name)
            if name == "slots" and self.scale is not None:  # the bucket is in the code
                values = (values // self.buckets).astype(np.uint8)
            with atomic_write(folder / f"{name}.npy", "wb") as handle:
                np.save(handle, values, allow_pickle=False)

    @classmethod
    def load(cls, folder: str | PathLike[str], check: bool = True) -> LexicalView:
        """Read what `save` wrote; the projection stays on disk, memory-mapped, unless it is compressed.

        Args:
            check: False checks dtypes, shapes and `lexical.json`, but reads no array for that.

        Raises:
            BundleError: a file is damaged, or the parts do not fit together.
        """
        folder = Path(folder)
        about = schema.read_document(folder / "lexical.json", _ABOUT)
        buckets = about["buckets"]
        shapes = ((None,), (None,), (None,), (buckets, None))
        whole = "scale" in about
        dtypes: list[list[type[np.generic]]] = [[np.uint64], [np.float32], [np.uint32], [np.float32, np.float16]]
        if whole:
            dtypes[2:] = [np.uint8], [np.int8]
        keys, weights, slots, projection = (
            schema.read_array(folder / f"{name}.npy", kinds, shape)
            for name, kinds, shape in zip(ARRAYS, dtypes, shapes, strict=True)
        )
        if not len(keys) == len(weights) == len(slots) > 0:
            raise BundleError(
                f"{folder}: {len(keys)} n-grams, {len(weights)} weights, {len(slots)} slots; fit the bank again"
            )
        scale = np.array(about["scale"], np.float64) if whole else None
        if scale is not None:
            slots = slots * np.uint32(buckets) + (keys % np.uint64(buckets)).astype(np.uint32)
            if len(scale) != projection.shape[1]:
                raise BundleError(f"{folder}: {len(scale)} scales for {projection.shape[1]} columns; slim it again")
        with schema.door(folder / "lexical.json"):
            channels = tuple(Channel(**channel) for channel in about["channels"])
        if int(slots.max()) >= buckets * len(channels):
            raise BundleError(f"{folder}: slots.npy names a channel that lexical.json lacks; fit the bank again")
        if check:
            schema.check_rising(keys, folder / "keys.npy")
            schema.check_finite(weights, folder / "weights.npy")
            schema.check_finite(np.asarray(projection, np.float32), folder / "projection.npy")
        words = tuple(about["vocabulary"])
        return cls(channels, buckets, about["shares"], words, keys, weights, slots, projection, scale)
