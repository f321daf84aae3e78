"""DSPy: demonstrations by skill where `dspy.KNN` would be, saved and loaded with the program."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from typing import Any

import dspy
from dspy.predict.parameter import Parameter

from skillshot.common.errors import InputError
from skillshot.integrations.fields import ASKED, FieldNames, without
from skillshot.runtime.selector import Selector

FIELDS = {"rationale": "reasoning"}  # the name that `dspy.ChainOfThought` reads


class SkillshotKNN(Parameter):  # type: ignore[misc]  # dspy is not followed
    """Callable like `dspy.KNN`: keyword inputs in, a list of `dspy.Example` (best first) out.

    An attribute of a `dspy.Module` that holds one is saved by `program.save` and loaded by `program.load`: the state is
    the bundle's address and the settings, not its files.

    Args:
        k: examples per question.
        bundle: a Selector, what `Selector.load` takes, or a trainset of `dspy.Example`, on which a Selector is fitted
            (with rationales under `reasoning` or what `fields` says); then the trainset's own examples come out.
        input_key: the input that holds the question (None: the only one, or the one named like the question).
        fields: our field -> the signature's, e.g. {"question": "problem", "rationale": "steps", "answer": "result"};
            the rationale is `reasoning` unless named.
        where, exclude, min_score, min_confidence: as `Selector.select`.

    Raises:
        InputError: as `Selector.load` or `skillshot.fit`.
    """

    def __init__(
        self,
        k: int,
        bundle: str | PathLike[str] | Selector | Sequence[dspy.Example],
        *,
        input_key: str | None = None,
        fields: Mapping[str, str] | None = None,
        where: Mapping[str, Any] | None = None,
        exclude: Collection[str] = (),
        min_score: float | None = None,
        min_confidence: float | None = None,
    ) -> None:
        self.k, self.input_key = k, input_key
        self.fields = FieldNames(FIELDS | dict(fields or {}))
        self.where, self.exclude = where, exclude
        self.min_score, self.min_confidence = min_score, min_confidence
        self.trainset: list[dspy.Example] = []
        if isinstance(bundle, Selector):
            self.selector = bundle
        elif isinstance(bundle, str | PathLike):
            self.selector = Selector.load(bundle)
        else:
            self.trainset = list(bundle)
            self.selector = self._fitted()

    def __call__(self, **kwargs: Any) -> list[dspy.Example]:
        """Examples for the inputs; each has the asked fields as its `inputs()`.

        Raises:
            InputError: none of several inputs fits; or as `Selector.select`.
        """
        key, question = self.fields.question(kwargs, self.input_key, "input_key")
        chosen = self.selector.select(
            question, self.k, where=self.where, exclude=self.exclude, min_score=self.min_score,
            min_confidence=self.min_confidence,
        )  # fmt: skip
        if self.trainset:
            return [self.trainset[int(demonstration.id)] for demonstration in chosen]
        name = self.fields.of("question")
        rows = [self.fields.row(demonstration) for demonstration in chosen]
        # the question goes by the name that it was asked under
        rows = [{key: row[name], **without(row, (name, key))} for row in rows]
        return [dspy.Example(**row).with_inputs(*(field for field in kwargs if field in row)) for row in rows]

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:  # noqa: ARG002  # all of it is JSON
        """The bundle's address and the settings.

        Raises:
            BundleError: the Selector was not loaded from a folder.
            InputError: the bundle is temporary, so the state would outlive it.
        """
        options = self.selector.options
        if options.owner is not None and options.source is None:
            raise InputError(
                "dump_state: the bundle is a temporary folder; fit with `out`, or save_pretrained and load"
            )
        return {
            "bundle": options.source or str(options.folder), "mode": options.mode, "precision": options.precision,
            "k": self.k, "input_key": self.input_key, "fields": self.fields.names, "where": self.where,
            "exclude": list(self.exclude), "min_score": self.min_score, "min_confidence": self.min_confidence,
        }  # fmt: skip

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Settings of a saved program; its bundle is opened again.

        Raises:
            BundleError: the bundle is not where it was.
        """
        settings = dict(state)
        bundle, mode, precision = (settings.pop(name) for name in ("bundle", "mode", "precision"))
        selector = Selector.load(bundle, mode, precision=precision)
        SkillshotKNN.__init__(self, settings.pop("k"), selector, **settings)

    def reset(self) -> None:
        """Nothing is learned here, so there is nothing to reset."""

    def _fitted(self) -> Selector:
        from skillshot.api import fit

        rows = []
        for place, example in enumerate(self.trainset):
            row = self.fields.back(example.toDict())
            inputs = list(example.inputs()) if example._input_keys else []
            if "question" not in row and (self.input_key or len(inputs) == 1):
                row["question"] = row.pop(self.input_key or inputs[0])
            rows.append({field: row[field] for field in (*ASKED, "rationale", "answer") if row.get(field)})
            rows[-1]["id"] = str(place)
        return fit(rows)


class SkillshotRetriever(SkillshotKNN):
    """`SkillshotKNN` with the bundle first."""

    def __init__(self, bundle: str | PathLike[str] | Selector, k: int = 4, **settings: Any) -> None:
        super().__init__(k, bundle, **settings)
