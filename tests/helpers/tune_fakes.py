"""A language model whose likes are known, for tests of tuning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from helpers.llm_fakes import FakeEngine
from skillshot.common.io import hash64
from skillshot.llm.engine import Scored
from skillshot.tune.questions import BankQuestions


class Liking(FakeEngine):
    """Finds a set as useful as its mean similarity to the question, by each part of the score, times `likes`.

    noise: standard deviation of what depends on the prompt alone, by `seed`.
    """

    def __init__(self, questions: BankQuestions, likes: Sequence[float], noise: float = 0.05, seed: int = 0) -> None:
        super().__init__()
        self.model = f"liking/{seed}"
        self._questions, self._likes, self._noise, self._seed = questions, np.array(likes), noise, seed
        self._row = {record.question: row for row, record in enumerate(questions.records)}
        self._place = {int(row): place for place, row in enumerate(questions.rows)}
        self.fail(0)

    def fail(self, share: float, seed: int = 0) -> None:
        """End the run at a share of the calls."""
        self._fails, self._chance = share, np.random.default_rng(seed)

    def score(self, prompts: Sequence[str], _: Sequence[str]) -> Iterator[tuple[int, Scored]]:
        for i, prompt in enumerate(prompts):
            if self._chance.random() < self._fails:
                raise KeyboardInterrupt
            self._call(prompt)
            yield i, Scored((-self._nll(prompt),), len(prompt.split()), 0.25)

    def _nll(self, prompt: str) -> float:
        asked = [block.split("\nAnswer:")[0] for block in prompt.removeprefix("Question: ").split("\n\nQuestion: ")]
        *shown, question = [self._row[text] for text in asked]
        luck = np.random.default_rng([self._seed, hash64(prompt)]).normal() * self._noise
        like = self._likes @ self._questions.parts(self._place[question], shown) if shown else 0.0
        return float(max(0.01, 5 - like + luck))
