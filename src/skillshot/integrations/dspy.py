"""DSPy: usable where `dspy.KNN` is, also inside `KNNFewShot`-like code."""

from __future__ import annotations

from os import PathLike
from typing import Any

import dspy

from skillshot.runtime.selector import Selector


class SkillshotRetriever:
    """Callable like `dspy.KNN`: keyword inputs in, a list of `dspy.Example` (best first) out.

    Args:
        bundle: a bundle folder or a loaded Selector.
        input_key: name of the input field that holds the question.
    """

    def __init__(self, bundle: str | PathLike[str] | Selector, k: int = 4, input_key: str = "question") -> None:
        self.selector = bundle if isinstance(bundle, Selector) else Selector.load(bundle)
        self.k, self.input_key = k, input_key

    def __call__(self, **kwargs: Any) -> list[Any]:
        """Examples for `kwargs[input_key]`; raises KeyError when it is not there."""
        chosen = self.selector.select(kwargs[self.input_key], self.k)
        return [dspy.Example(**demonstration.to_json()).with_inputs(self.input_key) for demonstration in chosen]
