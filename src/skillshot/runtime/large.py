"""Search in a bank of hundreds of thousands: an inverted file of 8-bit vectors (faiss), re-ranked by exact scores.

It was chosen by measurement at 1,000,000 vectors (docs/results/runtime.md): compared with HNSW it is built in seconds,
has a quarter of the vectors' size, and supports filters.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common import schema
from skillshot.common.arrays import Floats, Mask, Rows
from skillshot.common.errors import BundleError, SkillshotError
from skillshot.runtime.index import ExactIndex, Index, top_k
from skillshot.runtime.layout import LARGE

PROBES = 16  # lists read per question: recall@4 is 1.000 at 1,000,000 vectors; 8 lists give .996
FILTERED = 2 * PROBES  # with a filter: what it leaves may be spread over more lists than what is nearest
SHORTLIST = 32  # least number of candidates that are re-ranked by their exact scores
DENSE = 50_000  # a filter that leaves fewer rows is searched exactly
_MOST = 4096  # candidates above which a full scan is as fast
_TRAIN = 64  # training vectors of k-means per list


def open_index(bank: Path, manifest: Mapping[str, Any], vectors: Floats, weights: Floats) -> Index:
    """The index of a bank: the large one where the bundle has one, otherwise exact search.

    Args:
        weights: (z,) of each coordinate in a score, which `ExactIndex` reads first.

    Raises:
        BundleError: the file of the large index is damaged or of another bank.
        SkillshotError: the bundle has a large index, but faiss is not installed.
    """
    if f"{bank.name}/{LARGE}" not in manifest["files"]:
        return ExactIndex(vectors, weights)
    return LargeIndex(bank / LARGE, vectors)


class LargeIndex:
    """Approximate search with exact scores; thread-safe."""

    def __init__(self, path: Path, vectors: npt.NDArray[np.floating]) -> None:
        faiss = _faiss(f"{path}: this bundle has an index for a large bank")
        self._faiss, self._vectors = faiss, vectors
        with schema.door(path, more=(RuntimeError,)):
            schema.regular(path)
            self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
            if not isinstance(self._index, faiss.IndexIVFScalarQuantizer):
                raise TypeError(f"faiss reads a {type(self._index).__name__}, not an inverted file of 8-bit vectors")
        self._path = path
        if (self._index.ntotal, self._index.d) != vectors.shape:
            raise BundleError(
                f"{path}: {self._index.ntotal} vectors of width {self._index.d}, the bank has {vectors.shape}; "
                "build the bundle again"
            )

    def search(self, vector: Floats, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Rows and exact scores of about the k nearest, best first; ties go to the lower row."""
        wanted = max(4 * k, SHORTLIST)
        if allowed is not None and np.count_nonzero(allowed) <= DENSE:
            return self._ranked(np.flatnonzero(allowed), vector, k)
        if wanted > _MOST:
            rows = np.arange(len(self._vectors)) if allowed is None else np.flatnonzero(allowed)
            return self._ranked(rows, vector, k)
        probes = PROBES if allowed is None else self._lists(vector, allowed)
        while True:
            found = self._probe(vector, wanted, min(probes, self._index.nlist), allowed)
            if len(found) >= k or probes >= self._index.nlist:
                return self._ranked(found, vector, k)
            probes *= 4

    def _lists(self, vector: Floats, allowed: Mask) -> int:
        """How many lists, the nearest first, hold as many of the allowed rows as `FILTERED` lists hold of all.

        A filter may leave out just the rows near the query; a number of lists by its share alone would then miss many.
        """
        query = np.ascontiguousarray(vector[None], np.float32)
        _, nearest = self._index.quantizer.search(query, self._index.nlist)
        lists, held, wanted = self._index.invlists, 0, FILTERED * len(allowed) / self._index.nlist
        for count, number in enumerate(nearest[0].tolist(), 1):
            if size := lists.list_size(number):
                rows = self._faiss.rev_swig_ptr(lists.get_ids(number), size)
                held += int(np.count_nonzero(allowed.take(rows, mode="clip")))
            if held >= wanted:
                return count
        return int(self._index.nlist)

    def _probe(self, vector: Floats, wanted: int, probes: int, allowed: Mask | None) -> Rows:
        settings: dict[str, Any] = {"nprobe": probes}
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            settings["sel"] = self._faiss.IDSelectorBitmap(bits)
        query = np.ascontiguousarray(vector[None], np.float32)
        _, rows = self._index.search(query, wanted, params=self._faiss.SearchParametersIVF(**settings))
        found: Rows = np.sort(rows[0][rows[0] >= 0])
        if len(found) and (found[-1] >= len(self._vectors) or len(np.unique(found)) < len(found)):
            raise BundleError(f"{self._path}: names rows that the bank lacks, or one twice; build the bundle again")
        return found

    def _ranked(self, rows: Rows, vector: Floats, k: int) -> tuple[Rows, Floats]:
        scores = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), DENSE):  # bounded memory
            part = slice(start, start + DENSE)
            scores[part] = self._vectors[rows[part]].astype(np.float32, copy=False) @ vector
        best = top_k(scores, k)
        return rows[best], scores[best]


def build(vectors: npt.NDArray[np.floating], path: Path) -> None:
    """Write the large index of unit rows (n, z), with about sqrt(n) lists from k-means on a sample."""
    faiss = _faiss("a bank of this size needs an index")
    count, width = vectors.shape
    lists = max(1, min(round(count**0.5), count // _TRAIN))
    coarse = faiss.IndexFlatIP(width)
    index = faiss.IndexIVFScalarQuantizer(
        coarse, width, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter = 10
    sample = np.sort(np.random.default_rng(0).permutation(count)[: _TRAIN * lists])
    index.train(np.ascontiguousarray(vectors[sample], np.float32))
    _append(index, vectors)
    faiss.write_index(index, str(path))


def change(old: Path, new: Path, kept: Rows, added: npt.NDArray[np.floating]) -> None:
    """Write the index of a changed bank without training: rows `kept` of the old one in order, then `added` (m, z)."""
    faiss = _faiss(f"{old}: this bundle has an index for a large bank")
    index = faiss.read_index(str(old))
    place = np.full(index.ntotal, -1, np.int64)
    place[kept] = np.arange(len(kept))
    lists = faiss.ArrayInvertedLists(index.nlist, index.code_size)
    for number in range(index.nlist):
        size = index.invlists.list_size(number)
        if not size:
            continue
        ids = place[faiss.rev_swig_ptr(index.invlists.get_ids(number), size)]
        codes = faiss.rev_swig_ptr(index.invlists.get_codes(number), size * index.code_size)
        left = np.ascontiguousarray(codes.reshape(size, index.code_size)[ids >= 0])
        ids = np.ascontiguousarray(ids[ids >= 0])
        lists.add_entries(number, len(ids), faiss.swig_ptr(ids), faiss.swig_ptr(left))
    index.replace_invlists(lists, False)
    index.ntotal = len(kept)
    _append(index, added)
    faiss.write_index(index, str(new))


def _append(index: Any, vectors: npt.NDArray[np.floating]) -> None:
    for start in range(0, len(vectors), DENSE):
        index.add(np.ascontiguousarray(vectors[start : start + DENSE], np.float32))


def _faiss(why: str) -> Any:
    try:
        import faiss
    except ImportError as error:
        raise SkillshotError(f"{why}, and faiss is not installed: pip install 'skillshot[large]'") from error
    return faiss
