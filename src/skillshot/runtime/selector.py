"""`Selector`: loads a bundle and picks demonstrations by skill. numpy, onnxruntime and tokenizers only."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common.arrays import Floats, Mask
from skillshot.common.errors import BundleError, InputError
from skillshot.common.record import Record
from skillshot.runtime import prompt as prompts
from skillshot.runtime.diversify import CANDIDATES, spread
from skillshot.runtime.explain import Explanation, explain
from skillshot.runtime.index import ExactIndex, Index
from skillshot.runtime.large import open_index
from skillshot.runtime.layout import MODEL, files_for
from skillshot.runtime.manifest import check_files, read_manifest
from skillshot.runtime.options import LoadOptions
from skillshot.runtime.policy import Policy
from skillshot.runtime.store import BankStore, question_key
from skillshot.runtime.types import Demonstration, Question, parse, parts

Found = tuple[int, Record, float]  # row, what lies there, score

_TRIES = 5  # loads of a bundle that is being changed meanwhile


class Selector:
    """Picks the demonstrations that need the same reasoning skill as a question.

    A question is a text, or a mapping with `question` and optionally `context` and `options`.
    Instances are thread-safe snapshots: they never change, also when their bundle does (see `reload`).
    """

    def __init__(
        self,
        policy: Policy,
        store: BankStore,
        vectors: Floats,
        mode: str,
        facts: Mapping[str, Any],
        index: Index | None = None,
        options: LoadOptions | None = None,
    ) -> None:
        self._policy, self._store, self._vectors = policy, store, vectors
        self._index: Index = index or ExactIndex(vectors)
        self.mode, self.facts, self._options = mode, facts, options
        self._near_tie = float(facts["select"]["near_tie"])

    @classmethod
    def load(
        cls,
        folder: str | PathLike[str],
        mode: str | None = None,
        threads: int = 1,
        *,
        precision: str | None = None,
        check: bool = True,
    ) -> Selector:
        """Open a bundle, checking every file it needs against the manifest.

        Args:
            mode: "full" (text encoder), "lite" (no transformer) or "auto"; None: the bundle's own default.
            threads: of the encoder and policy; more than one pays only on an idle machine.
            precision: of the text encoder, "int8" or "fp32"; None: the bundle's own default.
            check: False compares sizes only, for a large bundle whose digests were checked when it was copied.

        Raises:
            BundleError: the folder is no bundle, damaged, or of another format.
            InputError: an unknown mode or precision.
        """
        options = LoadOptions(Path(folder), mode, precision, threads, check)
        for _ in range(_TRIES):
            manifest = read_manifest(options.folder)
            try:
                return cls._open(options, manifest)
            except (BundleError, OSError):
                # `add` or `remove` may have put another bank in the place of the one that was being opened
                if read_manifest(options.folder) == manifest:
                    raise
        raise BundleError(f"{folder}: changed {_TRIES} times while it was opened; load it again")

    @classmethod
    def _open(cls, options: LoadOptions, manifest: Mapping[str, Any], policy: Policy | None = None) -> Selector:
        folder, mode, precision = options.folder, options.mode_of(manifest), options.precision_of(manifest)
        names = files_for(mode, precision, manifest)
        if policy is not None:  # its files were checked when it was opened
            names = {name for name in names if not name.startswith(f"{MODEL}/")}
        check_files(folder, manifest, names, digests=options.check)
        bank = folder / manifest["bank"]
        vectors = np.asarray(np.load(bank / "skillshot.npy", mmap_mode="r", allow_pickle=False))
        index = open_index(bank, manifest, vectors)
        policy = policy or Policy(folder / MODEL, mode, options.threads, precision)
        return cls(policy, BankStore(bank), vectors, mode, manifest, index, options)

    def reload(self) -> Selector:
        """A Selector on what the bundle holds now: this one when nothing changed; an unchanged model is shared.

        Raises:
            BundleError: as `load`; also when this Selector was not made by `load`.
        """
        options = self._options
        if options is None:
            raise BundleError("reload: this Selector was not loaded from a folder; use Selector.load")
        for _ in range(_TRIES):
            manifest = read_manifest(options.folder)
            if manifest == self.facts:
                return self
            same = options.model_of(manifest) == options.model_of(self.facts)
            try:
                return self._open(options, manifest, self._policy if same else None)
            except (BundleError, OSError):
                if read_manifest(options.folder) == manifest:
                    raise
        raise BundleError(f"{options.folder}: changed {_TRIES} times while it was opened; reload again")

    def __len__(self) -> int:
        return len(self._store)

    @property
    def vectors(self) -> Floats:
        """Skill vectors of the bank, unit rows (n, z), memory-mapped."""
        return self._vectors

    def record(self, row: int) -> Record:
        """Bank record at a row."""
        return self._store[row]

    def recall(self, questions: Sequence[Question], k: int = 4) -> float:
        """Share of the exact k highest scores that the index finds too (recall@k)."""
        exact, shares = ExactIndex(self._vectors), []
        for vector in self._policy([parse(question)[1] for question in questions]):
            _, scores = exact.search(vector, k)
            _, found = self._index.search(vector, k)
            shares.append(np.mean(found >= scores.min() - 1e-5) if len(scores) else 1.0)
        return float(np.mean(shares))

    def select(
        self,
        question: Question,
        k: int = 4,
        *,
        exclude: Collection[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> list[Demonstration]:
        """The k best demonstrations, best first; fewer when fewer remain.

        The question itself (same normalised text) is never among them, nor the same example twice.

        Args:
            exclude: ids that must not be chosen.
            where: field -> value that a demonstration must have, e.g. {"grade": 8}.

        Raises:
            InputError: k below 1, an empty bank field, or an unknown id in `exclude`.
        """
        return self.select_batch([question], k, exclude=exclude, where=where)[0]

    def select_batch(
        self,
        questions: Sequence[Question],
        k: int = 4,
        *,
        exclude: Collection[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> list[list[Demonstration]]:
        """`select` for many questions in one pass of the encoder."""
        return [
            [_demonstration(record, score) for _, record, score in chosen]
            for chosen in self._found(questions, k, exclude, where)
        ]

    async def aselect(self, question: Question, k: int = 4, **filters: Any) -> list[Demonstration]:
        """`select` off the event loop."""
        return await asyncio.to_thread(self.select, question, k, **filters)

    def prompt(self, question: Question, k: int = 4, **filters: Any) -> str:
        """Ready few-shot chain-of-thought prompt, ending with "Answer:"."""
        return prompts.render(self.select(question, k, **filters), *parts(question))

    def messages(self, question: Question, k: int = 4, **filters: Any) -> list[dict[str, str]]:
        """The same as chat messages, for the `openai` client."""
        return prompts.messages(self.select(question, k, **filters), *parts(question))

    def explain(
        self,
        question: Question,
        k: int = 4,
        *,
        exclude: Collection[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> Explanation:
        """Why these demonstrations: which words of the question carry each score."""
        (found,) = self._found([question], k, exclude, where)
        rows = {record.id: row for row, record, _ in found}
        chosen = [_demonstration(record, score) for _, record, score in found]
        return explain(self._policy, self._vectors, rows, parse(question)[1], chosen)

    def _found(
        self, questions: Sequence[Question], k: int, exclude: Collection[str], where: Mapping[str, Any] | None
    ) -> list[list[Found]]:
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise InputError(f"k={k!r}: expected a whole number of at least 1")
        asked = [parse(question) for question in questions]
        if not asked:
            return []
        excluded, allowed = self._excluded(exclude), self._allowed(where)
        vectors = self._policy([text for _, text in asked])
        return [
            self._choose(vector, question, k, excluded, allowed)
            for vector, (question, _) in zip(vectors, asked, strict=True)
        ]

    def _excluded(self, exclude: Collection[str]) -> frozenset[str]:
        names = frozenset([exclude] if isinstance(exclude, str) else exclude)
        for name in names:
            if not self._store.has(name):
                raise InputError(f"exclude: no demonstration has the id {name!r}")
        return names

    def _allowed(self, where: Mapping[str, Any] | None) -> Mask | None:
        masks = [self._store.fields.mask(field, value) for field, value in (where or {}).items()]
        return functools.reduce(np.logical_and, masks) if masks else None

    def _choose(
        self, vector: Floats, question: str, k: int, excluded: frozenset[str], allowed: Mask | None
    ) -> list[Found]:
        """The k best rows, without the question itself, excluded ids and twins within the bank; best first."""
        key = np.uint64(question_key(question))
        width = max(CANDIDATES, k + 1 + len(excluded))
        while True:
            rows, scores = self._index.search(vector, width, allowed)
            other = self._store.keys[rows] != key
            all_seen, rows, scores = len(rows) < width, rows[other], scores[other]
            chosen: dict[tuple[str, str], Found] = {}
            for place in spread(scores, self._vectors, rows, self._near_tie):
                record = self._store[int(rows[place])]
                if record.id not in excluded:
                    found = int(rows[place]), record, float(scores[place])
                    chosen.setdefault((record.question, record.context), found)
                if len(chosen) == k:
                    break
            if len(chosen) == k or all_seen:
                return sorted(chosen.values(), key=lambda found: (-found[2], found[0]))
            width *= 4


def _demonstration(record: Record, score: float) -> Demonstration:
    return Demonstration(
        record.id,
        record.question,
        record.rationale,
        record.answer,
        score,
        record.context,
        record.options,
        record.metadata,
    )
