"""LangChain: an example selector for `FewShotPromptTemplate` and `FewShotChatMessagePromptTemplate`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from os import PathLike
from typing import Any

from langchain_core.example_selectors import BaseExampleSelector
from langchain_core.prompts import FewShotPromptTemplate
from langchain_core.prompts.few_shot_with_templates import FewShotPromptWithTemplates

from skillshot.common.errors import InputError
from skillshot.integrations.fields import FieldNames
from skillshot.runtime.selector import Selector

_FRAMES = 8  # up to the template that asks


class SkillshotExampleSelector(BaseExampleSelector):  # type: ignore[misc]  # langchain-core is not followed
    """Examples chosen by skill; each is a dict with question, rationale, answer, context, options, id and score.

    The metadata of a demonstration stands under `metadata`, and each of its fields also under its own name.

    `FewShotPromptTemplate` formats the text of its examples a second time, so braces inside an example (`\\mathrm{m}`)
    would be taken for variables. Where such a template asks, braces are escaped, so that the prompt has them as they
    are; `select_examples` itself and chat templates get the values unchanged.

    Args:
        bundle: a Selector, or what `Selector.load` takes.
        k: examples per question; None: the bundle's own.
        input_key: variable of the prompt that holds the question (None: the only one, or the one named like the
            question). Variables named like context and options are read too.
        fields: our field -> the template's variable, e.g. {"question": "input", "answer": "output"}. `add_example`
            reads the same names.
        best_last: best example nearest to the question, as skillshot's own prompts have it.
        where, exclude, min_score, min_confidence: as `Selector.select`.
    """

    def __init__(
        self,
        bundle: str | PathLike[str] | Selector,
        k: int | None = None,
        *,
        input_key: str | None = None,
        fields: Mapping[str, str] | None = None,
        best_last: bool = True,
        where: Mapping[str, Any] | None = None,
        exclude: Collection[str] = (),
        min_score: float | None = None,
        min_confidence: float | None = None,
    ) -> None:
        self.selector = bundle if isinstance(bundle, Selector) else Selector.load(bundle)
        self.k, self.input_key, self.best_last = k, input_key, best_last
        self.fields = FieldNames(fields or {})
        self.where, self.exclude = where, exclude
        self.min_score, self.min_confidence = min_score, min_confidence

    def select_examples(self, input_variables: dict[str, str]) -> list[dict[str, Any]]:
        """Examples for the question among the variables.

        Raises:
            InputError: none of several variables fits; or as `Selector.select`.
        """
        return self._select(input_variables, _template())

    async def aselect_examples(self, input_variables: dict[str, str]) -> list[dict[str, Any]]:
        """`select_examples` off the event loop."""
        import asyncio

        return await asyncio.to_thread(self._select, input_variables, _template())

    def add_example(self, example: dict[str, Any]) -> str:
        """Add an example, under the template's names, to the bundle; returns its id.

        The bundle's folder changes for all its readers; this selector sees the example at once.

        Raises:
            InputError: the example has no question, rationale or answer, or is there already.
        """
        try:
            self.selector = self.selector.add([self.fields.back(example)])
        except InputError as error:
            raise InputError(f"{error}\n`fields` maps question, rationale and answer to the example's names") from error
        return self.selector.record(len(self.selector) - 1).id

    def _select(self, variables: Mapping[str, Any], template: Any) -> list[dict[str, Any]]:
        _, question = self.fields.question(variables, self.input_key, "input_key")
        chosen = self.selector.select(
            question, self.k, where=self.where, exclude=self.exclude, min_score=self.min_score,
            min_confidence=self.min_confidence,
        )  # fmt: skip
        rows = [self.fields.row(demonstration) for demonstration in chosen]
        if template is not None:
            rows = [{key: _escaped(value, template.template_format) for key, value in row.items()} for row in rows]
        return rows[::-1] if self.best_last else rows


def _template() -> Any:
    """The template that formats the examples' text twice, where one is among the callers; otherwise None."""
    frame: Any = sys._getframe(2)
    for _ in range(_FRAMES):
        if frame is None:
            break
        caller = frame.f_locals.get("self")
        if isinstance(caller, FewShotPromptTemplate | FewShotPromptWithTemplates):
            return caller
        frame = frame.f_back
    return None


def _escaped(value: Any, template_format: str) -> Any:
    """A value whose braces survive a second formatting; a list or mapping that has some becomes text."""
    text = value if isinstance(value, str) else str(value)
    if "{" not in text and "}" not in text:
        return value
    if template_format == "jinja2":
        return text.replace("{", "{{ '{' }}")
    return text.replace("{", "{{").replace("}", "}}")
