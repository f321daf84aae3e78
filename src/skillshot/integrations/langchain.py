"""LangChain: an example selector for `FewShotPromptTemplate`."""

from __future__ import annotations

from os import PathLike
from typing import Any

from langchain_core.example_selectors import BaseExampleSelector

from skillshot.runtime.selector import Selector


class SkillshotExampleSelector(BaseExampleSelector):  # type: ignore[misc]
    """Examples chosen by skill; each is a dict with question, rationale, answer, context, id and score.

    Args:
        bundle: a bundle folder or a loaded Selector.
        input_key: variable of the prompt that holds the question (None: the only one, or `question`).
        best_last: best example nearest to the question, as skillshot's own prompts have it.
    """

    def __init__(
        self, bundle: str | PathLike[str] | Selector, k: int = 4, input_key: str | None = None, best_last: bool = True
    ) -> None:
        self.selector = bundle if isinstance(bundle, Selector) else Selector.load(bundle)
        self.k, self.input_key, self.best_last = k, input_key, best_last

    def select_examples(self, input_variables: dict[str, str]) -> list[dict[str, Any]]:
        """Examples for the question among the variables.

        Raises:
            KeyError: there are several variables and none is `input_key` or `question`.
        """
        return self._rows(self.selector.select(self._question(input_variables), self.k))

    async def aselect_examples(self, input_variables: dict[str, str]) -> list[dict[str, Any]]:
        """`select_examples` off the event loop."""
        return self._rows(await self.selector.aselect(self._question(input_variables), self.k))

    def add_example(self, example: dict[str, str]) -> Any:
        """Refused: a bundle is changed by `skillshot add`, so that its manifest stays true."""
        raise NotImplementedError("a loaded bundle does not change; use `skillshot add BUNDLE FILE` and load it again")

    def _question(self, variables: dict[str, str]) -> str:
        if self.input_key is not None:
            return variables[self.input_key]
        return next(iter(variables.values())) if len(variables) == 1 else variables["question"]

    def _rows(self, chosen: list[Any]) -> list[dict[str, Any]]:
        rows = [demonstration.to_json() for demonstration in chosen]
        return rows[::-1] if self.best_last else rows
