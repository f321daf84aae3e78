"""A bundle opened for evaluation: every selector's scores for a batch of queries, no torch needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from skillshot.common import schema
from skillshot.common.arrays import Floats, Keys
from skillshot.common.errors import BundleError, InputError
from skillshot.common.io import sha256_text
from skillshot.common.packed import SUFFIX
from skillshot.common.progress import tracked
from skillshot.common.record import Record
from skillshot.common.structure import learned, text_of
from skillshot.features.bm25 import BM25
from skillshot.features.lexical import LexicalView
from skillshot.features.rationale import RationaleView
from skillshot.runtime.grid import read_rows
from skillshot.runtime.layout import MODEL, POLICY, QUESTION_VIEW, RATIONALE_VIEW, is_slim
from skillshot.runtime.manifest import check_files, read_manifest
from skillshot.runtime.network import LiteNetwork
from skillshot.runtime.onnx import Session, TextEncoder
from skillshot.runtime.scoring import Scoring
from skillshot.runtime.store import BankStore, question_key
from skillshot.selectors.registry import find

NOT_FITTED = "not fitted; skillshot fit --baselines"
SLIM = "not in a slim bundle; measure the one that it was made from"
NO_ENCODER = "the bundle has no text encoder; fit again without --lite"


class Pool:
    """Bank and model of a bundle. `scores(name, queries)` is (queries, bank), higher is better.

    Args:
        files: names in the manifest to check, where not all of them will be read.

    Raises:
        BundleError: the bundle is damaged or of another format.
    """

    def __init__(
        self, folder: str | PathLike[str], seed: int = 0, threads: int = 2, *, files: set[str] | None = None
    ) -> None:
        folder = Path(folder)
        manifest = read_manifest(folder)
        check_files(folder, manifest, files)
        self._model, self._bank = folder / MODEL, folder / manifest["bank"]
        self.seed, self._threads = seed, threads
        # skillshot is evaluated as the bundle serves it; its rivals and the bank get full precision
        self._served = str(manifest["select"]["precision"])
        self._encoders: dict[str, TextEncoder] = {}
        self._score, self.source = manifest["score"], str(manifest["structure"])
        self.ours = "skillshot" if "full" in self._score else "lite"
        self._folder = folder
        self._slim = is_slim(manifest)
        self._names = frozenset(name.removesuffix(SUFFIX) for name in manifest["files"])
        self._views: dict[str, LexicalView | RationaleView] = {}
        self._sessions: dict[str, Session | LiteNetwork] = {}
        self._vectors: dict[str, Floats] = {}
        self._texts: dict[str, dict[str, Floats]] = {}
        self._bm25: BM25 | None = None

    @cached_property
    def _store(self) -> BankStore:  # not opened to make rows of new records: a bank in a database has no folder
        return BankStore(self._bank)

    @property
    def keys(self) -> Keys:
        """Of the demonstrations' questions, (n,)."""
        return self._store.keys

    @cached_property
    def records(self) -> list[Record]:
        """The demonstrations, in the order of the rows."""
        return list(self._store)

    def scores(self, name: str, queries: Sequence[Record]) -> Floats:
        """Scores of every bank row for every query, float32 (q, n).

        Raises:
            InputError: an unknown selector, or an oracle asked about a query without a rationale.
        """
        spec = find(name, llm=False)
        if spec.needs_rationale and (missing := [q.id for q in queries if not q.rationale]):
            raise InputError(f"selector {name}: query {missing[0]!r} has no rationale; leave {name} out")
        if name == "random":
            return self._random(queries)
        if name == "bm25":
            if self._bm25 is None:
                self._bm25 = BM25([record.text for record in self.records])
            return self._bm25.scores([query.text for query in queries])
        return self.query_vectors(name, queries) @ self.vectors(spec.vectors).T

    def query_vectors(self, name: str, queries: Sequence[Record]) -> Floats:
        """Query side of a vector selector, float32 (q, z)."""
        questions, rationales = [q.text for q in queries], [learned(q) for q in queries]
        if name == "question":
            return self.embed(questions)
        if name == "oracle":
            return self.embed(rationales)
        if name == "oracle_features":
            return self._run("skillshot_posterior", queries) * self.scoring("full" if self.encoder else "lite").weights
        return self._run(name, queries)

    @property
    def encoder(self) -> bool:
        """Whether the bundle has a text encoder."""
        return self.ours == "skillshot"

    def scoring(self, mode: str) -> Scoring:
        """How the bundle scores in a mode, "full" or "lite"."""
        return Scoring.of(self._score, mode)

    def bank_vectors(self, name: str, records: Sequence[Record]) -> Floats:
        """Bank side of a vector selector for new records, unit rows float32 (n, z)."""
        if name in ("question", "rationale"):
            texts = [r.text if name == "question" else text_of(r, self.source) for r in records]
            return self.embed(texts)
        return self._run(f"{name}_posterior", records)

    def _run(self, graph: str, records: Sequence[Record]) -> Floats:
        if graph not in self._sessions:
            self._sessions[graph] = self._open(graph)
        session = self._sessions[graph]
        questions, rationales = [r.text for r in records], [text_of(r, self.source) for r in records]
        makers: dict[str, Callable[[], Floats]] = {
            "sentence_embedding": lambda: self._embed(questions, self._served if graph == "skillshot" else "fp32"),
            "question_embedding": lambda: self.embed(questions),
            "rationale_embedding": lambda: self.embed(rationales),
            "lexical": lambda: self._view(QUESTION_VIEW).transform(questions),
            "question_lexical": lambda: self._view(QUESTION_VIEW).transform(questions),
            "rationale_lexical": lambda: self._view(RATIONALE_VIEW).transform(rationales),
        }
        if unknown := set(session.inputs) - makers.keys():
            raise BundleError(f"{graph}.onnx: has an input {min(unknown)[:80]!r}; fit the bank again")
        return session.run({name: makers[name]() for name in session.inputs})

    def _open(self, graph: str) -> Session | LiteNetwork:
        if self._slim and graph == "lite":
            return LiteNetwork.load(self._model / POLICY, self.scoring("lite"))
        return Session(self._model / f"{graph}.onnx", self._threads)

    def vectors(self, name: str) -> Floats:
        """Bank side of a vector selector, unit rows float32 (n, z)."""
        if name not in self._vectors and name == "rationale" and not self.has(name):
            self._vectors[name] = self.embed([text_of(record, self.source) for record in self.records])
        if name not in self._vectors:
            path = self._bank / f"{name}.npy"
            rows = read_rows(path, len(self._store), None).astype(np.float32, copy=False)
            schema.check_unit(rows, path)
            self._vectors[name] = rows
        return self._vectors[name]

    def has(self, name: str) -> bool:
        """Whether the bundle holds vectors of this name; a baseline is there only if it was fitted."""
        return f"{self._bank.name}/{name}.npy" in self._names

    def without(self, names: Sequence[str]) -> dict[str, str]:
        """Those of the named selectors that the bundle cannot serve, each with the reason and the fix."""
        specs = {name: find(name) for name in names}
        blind = {name: NO_ENCODER for name, spec in specs.items() if spec.encoder and not self.encoder}
        if self._slim:
            blind = {name: SLIM for name, spec in specs.items() if name in blind or name == "oracle_features"}
        return {
            name: NOT_FITTED for name, spec in specs.items() if spec.baseline and not self.has(spec.vectors)
        } | blind

    def check(self, names: Sequence[str]) -> None:
        """Refuse selectors that need a text encoder where there is none.

        Raises:
            InputError: naming the first.
        """
        for name in names:
            if self._slim and name in self.without([name]):
                raise InputError(f"selector {name} on {self._folder}: {SLIM}, or leave {name} out")
            if find(name).encoder and not self.encoder:
                raise InputError(f"selector {name} on {self._folder}: {NO_ENCODER}, or leave {name} out")

    def allowed(self, queries: Sequence[Record]) -> npt.NDArray[np.bool_]:
        """(q, n): all demonstrations but those whose normalised question is the query's."""
        keys = np.array([question_key(query.question) for query in queries], np.uint64)
        different: npt.NDArray[np.bool_] = self.keys[None, :] != keys[:, None]
        return different

    def embed(self, texts: Sequence[str]) -> Floats:
        """Sentence embeddings in full precision, each distinct text computed once in the life of the pool."""
        return self._embed(texts, "fp32")

    def _embed(self, texts: Sequence[str], precision: str) -> Floats:
        if precision not in self._encoders:  # a tenth of a second each, so only those that are asked
            self._encoders[precision] = TextEncoder(self._model, self._threads, precision)
        encoder, kept = self._encoders[precision], self._texts.setdefault(precision, {})
        new = sorted({text for text in texts if text not in kept}, key=lambda text: (-len(text), text))
        size = 64
        starts = range(0, len(new), size)
        for start in starts if len(starts) < 2 else tracked(starts, "embed queries", "batch", len(starts)):
            batch = new[start : start + size]
            kept.update(zip(batch, encoder.encode(batch), strict=True))
        if not texts:
            return np.zeros((0, encoder.dimension), np.float32)
        return np.stack([kept[text] for text in texts])

    def _view(self, name: str) -> LexicalView | RationaleView:
        if name not in self._views:
            kind = RationaleView if name == RATIONALE_VIEW else LexicalView
            self._views[name] = kind.load(self._model / name)
        return self._views[name]

    def _random(self, queries: Sequence[Record]) -> Floats:
        # seeded by the query's own text: the same draw whatever the batch or the order of queries
        rows = [
            np.random.default_rng([self.seed, int(sha256_text(query.text)[:8], 16)]).random(
                len(self.records), np.float32
            )
            for query in queries
        ]
        return np.array(rows, np.float32).reshape(len(queries), len(self.records))
