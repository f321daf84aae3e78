"""`Selector`: loads a bundle and picks demonstrations by skill. numpy, onnxruntime and tokenizers only."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

from skillshot.common.arrays import Floats
from skillshot.common.errors import BundleError, InputError
from skillshot.common.record import Record
from skillshot.runtime import search
from skillshot.runtime.audit import Audit
from skillshot.runtime.explain import Explanation, explain
from skillshot.runtime.manifest import read_manifest
from skillshot.runtime.opening import OpenBundle, open_bundle
from skillshot.runtime.options import REMOTE, LoadOptions, above
from skillshot.runtime.pickled import restored
from skillshot.runtime.postgres import SCHEMES
from skillshot.runtime.prompt import prompt_template
from skillshot.runtime.types import Demonstration, Filters, Question, parts

if TYPE_CHECKING:
    from skillshot.bank.examples import Examples


class Selector:
    """Picks the demonstrations that need the same reasoning skill as a question.

    A question is a text, or a mapping with `question` and optionally `context` and `options`.
    Instances are thread-safe snapshots: they never change, also when their bundle does. `add`, `remove` and `reload`
    return another snapshot. A copy (`copy.copy`, `copy.deepcopy`) is therefore the instance itself. A pickle holds the
    path of the bundle and the load options; unpickling opens the bundle as it is then.

    Attributes:
        k: demonstrations per question unless a call names another number.
        mode: "full" or "lite".
        facts: the bundle's manifest.
        report: what `skillshot.fit` reports (empty otherwise).
    """

    def __init__(self, bundle: OpenBundle, options: LoadOptions | None = None) -> None:
        self._bundle, self._options = bundle, options
        self.report: dict[str, Any] = {}
        self.mode, self.facts = bundle.mode, bundle.manifest
        self.k = int(self.facts["select"].get("k", 4))
        self._audit = None if options is None or options.audit is None else Audit(options.audit, bundle)

    @classmethod
    def load(
        cls,
        source: str | PathLike[str],
        mode: str | None = None,
        *,
        threads: int = 1,
        precision: str | None = None,
        check: bool = True,
        audit: str | PathLike[str] | None = None,
        bank: str | None = None,
    ) -> Selector:
        """Open a bundle, checking every file it needs against the manifest. `from_pretrained` is the same.

        Args:
            source: a bundle folder, "hf:OWNER/NAME[@REVISION]", "models:/NAME@ALIAS" or "models:/NAME/VERSION". A hub
                address is pulled into a temporary folder that is removed with the last Selector that reads it.
            mode: "full" (text encoder), "lite" (no transformer) or "auto"; None: the bundle's own default.
            threads: of the encoder and policy; more than one pays only on an idle machine.
            precision: of the text encoder, "int8" or "fp32"; None: the bundle's own default.
            check: False compares sizes, shapes and types only, for a large bundle whose digests were checked when it
                was copied.
            audit: file to which each selection is written before it is returned; one that cannot be written is refused.
            bank: "postgresql://USER@HOST/DATABASE": the rows are in this database, where `push_to_hub` has put them.
                Each call reads them as they are then.

        Raises:
            BundleError: the folder is no bundle, damaged, or of another format.
            InputError: an unknown mode or precision, the hub has no such bundle, or the database no bank of it.
            MissingPackageError: the package that reads the hub or the database is not installed.
            DatabaseError: the database does not answer; so also of each call that reads it.
        """
        options = LoadOptions.of(
            source, mode=mode, precision=precision, threads=threads, check=check, audit=audit, bank=bank
        )
        return cls(open_bundle(options), options)

    from_pretrained = load

    def save_pretrained(self, folder: str | PathLike[str]) -> str:
        """Copy the bundle to a folder, checked file by file; an old bundle there is replaced at the end.

        Returns:
            the folder.

        Raises:
            BundleError: the bundle is damaged, or changed since this Selector was loaded.
            InputError: the folder exists and is no bundle.
        """
        if str(folder).startswith(REMOTE):
            raise InputError(f"save_pretrained {str(folder)!r}: expected a folder; use push_to_hub")
        return self._push(str(folder))

    def push_to_hub(self, target: str) -> str:
        """Send the bundle to a Hugging Face repository ("OWNER/NAME[@REVISION]") or registry ("models:/NAME").

        To a database ("postgresql://USER@HOST/DATABASE") the demonstrations alone are sent, once.

        Returns:
            where it went.

        Raises:
            BundleError, InputError: as `save_pretrained`; also when the hub refuses.
            MissingPackageError: the package that writes to the hub is not installed.
        """
        return self._push(target if target.startswith((*REMOTE, *SCHEMES)) else f"hf:{target}")

    def add(self, examples: Examples, *, columns: Mapping[str, str] | None = None) -> Selector:
        """Add demonstrations to the bundle without training; returns a Selector that has them, this one stays.

        The bundle's folder changes in one step, for every process that reads it. Examples pass the checks of `fit`;
        refused ones are logged. Of a bundle that was pulled from a hub, only the local copy changes.

        Args:
            examples: a path, an iterable of mappings, a pandas DataFrame or a `datasets.Dataset`.
            columns: our field -> the examples' column.

        Raises:
            InputError: an id is there already, or the examples cannot be used.
            BundleError: the bundle is damaged, this Selector was not loaded from a folder, or another process has been
                changing the bundle for ten minutes.
            SkillshotError: the disk is full, or the folder cannot be written.
        """
        above("skillshot.bundle.edit").add_examples(self.options.folder, examples, columns, self.options.bank)
        return self._reopened(replace(self.options, source=None))

    def remove(self, ids: str | Iterable[str]) -> Selector:
        """Remove demonstrations from the bundle; returns a Selector without them, this one stays.

        Raises:
            InputError: an id is not there, or nothing would be left.
            BundleError, SkillshotError: as `add`.
        """
        above("skillshot.bundle.edit").remove(
            self.options.folder, [ids] if isinstance(ids, str) else list(ids), self.options.bank
        )
        return self._reopened(replace(self.options, source=None))

    def reload(self) -> Selector:
        """A Selector on what the bundle holds now: this one when nothing changed; an unchanged model is shared.

        A hub address is pulled again, so an alias may give another version.

        Raises:
            BundleError: as `load`; also when this Selector was not loaded from a folder.
        """
        return self._reopened(self.options.again())

    @property
    def options(self) -> LoadOptions:
        """The bundle's folder and how it was loaded.

        Raises:
            BundleError: this Selector was not loaded from a folder.
        """
        if self._options is None:
            raise BundleError("this Selector was not loaded from a folder; use Selector.load")
        return self._options

    def __len__(self) -> int:
        return len(self._bundle.bank)

    @property
    def vectors(self) -> Floats:
        """Skill vectors of the bank, unit rows (n, z), memory-mapped."""
        return self._bundle.vectors

    def record(self, row: int) -> Record:
        """Bank record at a row."""
        return self._bundle.store[row]

    def recall(self, questions: Sequence[Question], k: int = 4) -> float:
        """Share of the exact k highest scores that the index finds too (recall@k)."""
        return search.recall(self._bundle, questions, k)

    def select(
        self,
        question: Question,
        k: int | None = None,
        *,
        exclude: Collection[str] = (),
        where: Mapping[str, Any] | None = None,
        min_score: float | None = None,
        min_confidence: float | None = None,
    ) -> list[Demonstration]:
        """A set of k demonstrations, best first; fewer when fewer remain or are wanted, perhaps none.

        The question itself (same normalised text) is never among them, nor the same example twice.

        Args:
            k: how many; None: what the bundle was fitted with (4 unless set).
            exclude: ids that must not be chosen.
            where: field -> value that a demonstration must have, e.g. {"grade": 8}.
            min_score: score below which a demonstration is left out.
            min_confidence: probability, from 0 to 1, below which a demonstration is left out.

        Raises:
            InputError: k below 1, an unknown id in `exclude` or field in `where`, or a `min_score` or
                `min_confidence` that is no number; the question is empty.
        """
        filters: Filters = {
            "exclude": exclude, "where": where, "min_score": min_score, "min_confidence": min_confidence,
        }  # fmt: skip
        return self.select_batch([question], k, **filters)[0]

    def select_batch(
        self, questions: Sequence[Question], k: int | None = None, **filters: Unpack[Filters]
    ) -> list[list[Demonstration]]:
        """`select` for many questions in one pass of the encoder."""
        found = self._find(questions, self.k if k is None else k, filters)
        return [[Demonstration.of(*one[1:4]) for one in chosen] for chosen in found]

    def confidence(self, question: Question, k: int | None = None, **filters: Unpack[Filters]) -> float:
        """Mean confidence of the demonstrations that `select` chooses, in [0, 1]; 0 where it chooses none.

        It is low for a question that is foreign to the bank, and for one whose procedure the bank does not have.
        """
        (chosen,) = search.find(self._bundle, [question], self.k if k is None else k, **filters)
        return sum(one.confidence for one in chosen) / len(chosen) if chosen else 0.0

    async def aselect(
        self, question: Question, k: int | None = None, **filters: Unpack[Filters]
    ) -> list[Demonstration]:
        """`select` off the event loop."""
        return await asyncio.to_thread(self.select, question, k, **filters)

    def prompt(
        self,
        question: Question,
        k: int | None = None,
        *,
        template: str | None = None,
        system: str | None = None,
        **filters: Unpack[Filters],
    ) -> str:
        """Ready few-shot chain-of-thought prompt, ending with "Answer:".

        Args:
            template: jinja2 text in place of the default (see `skillshot.runtime.prompt.PromptTemplate`).
            system: jinja2 text that stands before the prompt.
        """
        return prompt_template(template, system).render(self.select(question, k, **filters), *parts(question))

    def messages(
        self,
        question: Question,
        k: int | None = None,
        *,
        template: str | None = None,
        system: str | None = None,
        **filters: Unpack[Filters],
    ) -> list[dict[str, str]]:
        """The same as chat messages, for the `openai` client."""
        return prompt_template(template, system).messages(self.select(question, k, **filters), *parts(question))

    def explain(self, question: Question, k: int | None = None, **filters: Unpack[Filters]) -> Explanation:
        """Why these: words of the question, parts of each score, and what question similarity would have chosen."""
        k = self.k if k is None else k
        (found,) = self._find([question], k, filters)
        return explain(self._bundle, question, found, k, filters)

    def _find(self, questions: Sequence[Question], k: int, filters: Filters) -> list[list[search.Found]]:
        questions = list(questions) if isinstance(questions, Iterator) else questions
        found = search.find(self._bundle, questions, k, **filters)
        if self._audit is not None:
            self._audit.write(questions, found)
        return found

    def __copy__(self) -> Selector:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Selector:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        options = replace(self.options, owner=None)
        return restored, (type(self), options, self.facts["data"]["sha256"])

    def _reopened(self, options: LoadOptions) -> Selector:
        bundle = open_bundle(options, self._bundle)
        return self if bundle is self._bundle else type(self)(bundle, options)

    def _push(self, target: str) -> str:
        folder = self.options.folder
        if read_manifest(folder) != self.facts:
            raise BundleError(f"{folder}: changed since this Selector was loaded; save reload() instead")
        return str(above("skillshot.bundle.hub").push(folder, target))
