"""A fake language model, and examples for it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from skillshot.common.io import sha256_text
from skillshot.common.record import Record
from skillshot.llm.engine import Capabilities, Completion, Decoding, Scored


class FakeEngine:
    """Answers from a digest of the prompt. Each call takes `pause` seconds and adds a line to `log`."""

    model = "fake/1"

    def __init__(self, scores: bool = True, log: Path | None = None, pause: float = 0.0) -> None:
        self.capabilities = Capabilities(scores, "" if scores else "a fake without scores", batch=7)
        self.calls: list[str] = []
        self._log, self._pause = log, pause

    def complete(self, prompts: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        for i, prompt in enumerate(prompts):
            self._call(f"complete {sha256_text(prompt)}")
            text = f" So.\nThe answer is {int(sha256_text(prompt), 16) % 3}."[: decoding.max_tokens]
            yield i, Completion(text, len(prompt.split()), 5, "stop", self._pause)

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> Iterator[tuple[int, Scored]]:
        for i, (prompt, gold) in reversed(list(enumerate(zip(prompts, continuations, strict=True)))):
            self._call(f"score {sha256_text(prompt + gold)}")
            value = -1 - (int(sha256_text(prompt), 16) % 100) / 100
            yield i, Scored((value,) * len(gold.split()), len(prompt.split()), self._pause)

    def _call(self, what: str) -> None:
        self.calls.append(what)
        time.sleep(self._pause)
        if self._log:
            descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, f"{what}\n".encode())
            os.close(descriptor)


def examples(n: int, start: int = 0) -> list[Record]:
    """Small number problems."""
    return [
        Record(f"e{i}", f"What is {i} and {i}?", f"{i} + {i} = {2 * i}.", str(i % 3), answer_type="number")
        for i in range(start, start + n)
    ]


def some_choices(queries: Sequence[Record]) -> dict[str, list[list[Record]]]:
    """Four selectors with different demonstrations."""
    bank = examples(20, 1000)
    return {
        "zero-shot": [[] for _ in queries],
        "random": [[bank[(7 * i + j) % 20] for j in range(2)] for i in range(len(queries))],
        "question": [[bank[(3 * i + j) % 20] for j in range(2)] for i in range(len(queries))],
        "skillshot": [[bank[i % 5], bank[i % 7 + 5]] for i in range(len(queries))],
    }


def main(folder: Path, pause: float) -> None:
    """Evaluate in a separate process, which a test kills."""
    from skillshot.common.params import EvaluateParams
    from skillshot.evaluation.files import write
    from skillshot.evaluation.run import evaluate
    from skillshot.llm.cache import AnswerCache as Answers

    queries = examples(12)
    engine = FakeEngine(log=folder / "calls.txt", pause=pause)
    result = evaluate(
        engine, Answers(folder / "llm.jsonl"), queries, some_choices(queries), EvaluateParams(bootstrap=200), 3
    )
    write(result, folder, plots=False)


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]), float(sys.argv[2]))
