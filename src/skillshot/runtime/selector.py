"""`Selector`: loads a bundle and picks demonstrations by skill. numpy, onnxruntime and tokenizers only."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.bank.record import Record, question_text
from skillshot.errors import InputError
from skillshot.runtime import prompt as prompts
from skillshot.runtime.demonstration import Demonstration
from skillshot.runtime.explain import Explanation, explain
from skillshot.runtime.index import top_k
from skillshot.runtime.layout import MODEL, MODES, files_for, resolve_mode
from skillshot.runtime.manifest import check_files, read_manifest
from skillshot.runtime.onnx import Floats
from skillshot.runtime.policy import Policy
from skillshot.runtime.store import Store, question_key

Question = str | Mapping[str, Any]


class Selector:
    """Picks the demonstrations that need the same reasoning skill as a question.

    A question is a text, or a mapping with `question` and optionally `context` and `options`.
    Instances are thread-safe and never change.
    """

    def __init__(self, policy: Policy, store: Store, vectors: Floats, mode: str, facts: Mapping[str, Any]) -> None:
        self._policy, self._store, self._vectors = policy, store, vectors
        self._columns: dict[str, list[Any]] = {}
        self.mode, self.facts = mode, facts

    @classmethod
    def load(cls, folder: str | PathLike[str], mode: str | None = None, threads: int = 1) -> Selector:
        """Open a bundle, checking every file it needs against the manifest.

        Args:
            mode: "full" (text encoder), "lite" (no transformer) or "auto"; None: the bundle's own default.
            threads: of the encoder and policy; more than one pays only on an idle machine.

        Raises:
            BundleError: the folder is no bundle, damaged, or of another format.
            InputError: an unknown mode.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        mode = mode or str(manifest["select"]["mode"])
        if mode not in MODES:
            raise InputError(f"mode {mode!r}: choose one of {', '.join(MODES)}")
        mode = resolve_mode(mode, manifest)
        check_files(folder, manifest, files_for(mode, manifest))
        bank = folder / manifest["bank"]
        vectors = np.load(bank / "skillshot.npy", mmap_mode="r", allow_pickle=False)
        return cls(Policy(folder / MODEL, mode, threads), Store(bank), vectors, mode, manifest)

    def __len__(self) -> int:
        return len(self._store)

    @property
    def vectors(self) -> Floats:
        """Skill vectors of the bank, unit rows (n, z), memory-mapped."""
        return self._vectors

    @functools.cached_property
    def _ids(self) -> dict[str, int]:
        # read when first asked for: a large bank is not walked through just to be opened
        return {record_id: row for row, record_id in enumerate(self._store.column("id"))}

    def record(self, row: int) -> Record:
        """Bank record at a row."""
        return self._store[row]

    def recall(self, questions: Sequence[Question], k: int = 4) -> float:
        """Share of the exact k highest scores that `select_batch` returns too (recall@k of the index)."""
        found = self.select_batch(questions, k)
        exact = self._policy([_parse(question)[1] for question in questions]) @ self._vectors.T
        pools = (self._store.keys != np.uint64(question_key(_parse(q)[0])) for q in questions)
        shares = [
            np.mean([d.score >= scores[top_k(scores, k, pool)].min() - 1e-5 for d in chosen] or [1.0])
            for chosen, scores, pool in zip(found, exact, pools, strict=True)
        ]
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
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise InputError(f"k={k!r}: expected a whole number of at least 1")
        asked = [_parse(question) for question in questions]
        if not asked:
            return []
        allowed = self._allowed(exclude, where)
        vectors = self._policy([text for _, text in asked])
        return [
            self._choose(vector, question, k, allowed) for vector, (question, _) in zip(vectors, asked, strict=True)
        ]

    async def aselect(self, question: Question, k: int = 4, **filters: Any) -> list[Demonstration]:
        """`select` off the event loop."""
        return await asyncio.to_thread(self.select, question, k, **filters)

    def prompt(self, question: Question, k: int = 4, **filters: Any) -> str:
        """Ready few-shot chain-of-thought prompt, ending with "Answer:"."""
        return prompts.render(self.select(question, k, **filters), *_parts(question))

    def messages(self, question: Question, k: int = 4, **filters: Any) -> list[dict[str, str]]:
        """The same as chat messages, for the `openai` client."""
        return prompts.messages(self.select(question, k, **filters), *_parts(question))

    def explain(self, question: Question, k: int = 4, **filters: Any) -> Explanation:
        """Why these demonstrations: which words of the question carry each score."""
        return explain(self._policy, self._vectors, self._ids, _parse(question)[1], self.select(question, k, **filters))

    def _allowed(
        self, exclude: Collection[str], where: Mapping[str, Any] | None
    ) -> np.ndarray[Any, np.dtype[np.bool_]]:
        allowed = np.ones(len(self), bool)
        for name in [exclude] if isinstance(exclude, str) else exclude:
            if name not in self._ids:
                raise InputError(f"exclude: no demonstration has the id {name!r}")
            allowed[self._ids[name]] = False
        for field, value in (where or {}).items():
            if field not in self._columns:
                self._columns[field] = self._store.column(field)
            column = self._columns[field]
            if all(found is None for found in column):
                raise InputError(f"where: no demonstration has a field {field!r}")
            allowed &= np.fromiter((found == value for found in column), bool, len(column))
        return allowed

    def _choose(
        self, vector: Floats, question: str, k: int, allowed: np.ndarray[Any, np.dtype[np.bool_]]
    ) -> list[Demonstration]:
        scores = self._vectors @ vector
        pool = allowed & (self._store.keys != np.uint64(question_key(question)))
        width = k
        while True:
            # twins within the bank are skipped, so more than k rows may have to be looked at
            rows = top_k(scores, width, pool)
            found = ((row, self._store[int(row)]) for row in rows)
            distinct = {(record.question, record.context): (row, record) for row, record in reversed(list(found))}
            if len(distinct) >= k or len(rows) < width:
                best = sorted(distinct.values(), key=lambda pair: (-scores[pair[0]], pair[0]))[:k]
                return [_demonstration(record, float(scores[row])) for row, record in best]
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


def _parts(question: Question) -> tuple[str, str, tuple[str, ...]]:
    if isinstance(question, str):
        return question, "", ()
    if not isinstance(question, Mapping) or not isinstance(question.get("question"), str):
        shown = json.dumps(question, default=str)[:80]
        raise InputError(f"question {shown}: expected a text, or a mapping with a text under 'question'")
    options: Iterable[Any] = question.get("options") or ()
    return question["question"], str(question.get("context") or ""), tuple(str(option) for option in options)


def _parse(question: Question) -> tuple[str, str]:
    asked, context, options = _parts(question)
    return asked, question_text(asked, context, options)
