"""The few-shot chain-of-thought prompt, the same for every selector and every engine; or a template of the user's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, Protocol

from skillshot.common.errors import InputError
from skillshot.common.extras import extras_named
from skillshot.common.text import shown

ANSWER_CUE = "The answer is"
# where a text begins a line as the prompt does, behind any character that ends a line, or unseen ones
_OPENING = re.compile(
    "(?<=[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])"
    "(?=[\u200b-\u200f\u2060\ufeff]{0,9}(?:question|answer)[ \t]{0,9}[:\uff1a])",
    re.IGNORECASE,
)


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


class PromptTemplate:
    """How demonstrations and a question become a prompt: the default, or jinja2 texts of the user's own.

    A text sees `demonstrations` (best first; each has `question`, `rationale`, `answer`, `context`, `options`, `id` and
    `metadata`), `question`, `context` and `options` of the question asked, and the filter `choices`, which turns
    options into "(A) 12 (B) 13". The default prompt writes the demonstrations best last: use `demonstrations | reverse`
    for the same order. Texts run in jinja2's sandbox; an unknown variable is an error; nothing is escaped, and braces
    inside a demonstration are data.

    Args:
        text: the whole prompt, or in chat messages the user's message; None: the default.
        system: the message before it; None: none.

    Raises:
        InputError: a text is not jinja2; names the line.
        MissingPackageError: jinja2 is not installed (extra `templates`).
    """

    def __init__(self, text: str | None = None, *, system: str | None = None) -> None:
        self._text = None if text is None else _compiled(text, "template")
        self._system = None if system is None else _compiled(system, "system")

    def render(
        self, demonstrations: Sequence[Example], question: str, context: str = "", options: Iterable[str] = ()
    ) -> str:
        """The prompt as one text; a system message is its first paragraph.

        Raises:
            InputError: a template uses what it does not have.
        """
        seen = _seen(demonstrations, question, context, options)
        body = render(**seen) if self._text is None else _filled(self._text, "template", seen)
        return body if self._system is None else f"{_filled(self._system, 'system', seen)}\n\n{body}"

    def messages(
        self, demonstrations: Sequence[Example], question: str, context: str = "", options: Iterable[str] = ()
    ) -> list[dict[str, str]]:
        """Chat messages for the `openai` client.

        By default one user/assistant pair a demonstration; with a template one user message.

        Raises:
            InputError: a template uses what it does not have.
        """
        seen = _seen(demonstrations, question, context, options)
        if self._text is None:
            turns = messages(**seen)
        else:
            turns = [{"role": "user", "content": _filled(self._text, "template", seen)}]
        first = [] if self._system is None else [{"role": "system", "content": _filled(self._system, "system", seen)}]
        return first + turns


def prompt_template(text: str | None, system: str | None) -> PromptTemplate:
    """The PromptTemplate of two texts, compiled once.

    Raises:
        InputError: as PromptTemplate; also for what is no text.
    """
    for name, value in (("template", text), ("system", system)):
        if value is not None and not isinstance(value, str):
            raise InputError(f"{name}={shown(value)}: expected a jinja2 text, or None")
    return _template(text, system)


@lru_cache(maxsize=32)
def _template(text: str | None, system: str | None) -> PromptTemplate:
    return PromptTemplate(text, system=system)


def render(demonstrations: Sequence[Example], question: str, context: str = "", options: Iterable[str] = ()) -> str:
    """Default prompt, which ends with "Answer:".

    Demonstrations come best first and are written best *last*: the one nearest to the question weighs
    most (measured with the embedded model: -0.620 nats per token last, -0.490 first). A line of a text that begins
    with "Question:" or "Answer:" is indented by a space, so that no text opens another example.
    """
    blocks = [
        _ask(example.question, example.context, example.options) + _closed(continuation(example))
        for example in reversed(demonstrations)
    ]
    return "\n\n".join([*blocks, _ask(question, context, options)])


def continuation(example: Example) -> str:
    """What a perfect model would write after "Answer:": the rationale where there is one, then the answer.

    Both are as they were written. A rationale that is the answer itself, as an SQL query may be, is written once. A
    text that is indented or has several lines begins on a line of its own, and no full stop follows code.
    """
    rationale, answer = example.rationale, example.answer
    if not rationale.strip() or _bare(rationale) == _bare(answer):
        rationale = ""
    opening = "\n" if rationale[:1].isspace() else " "
    gap = "\n" if "\n" in answer else " "
    end = "" if "\n" in answer or answer.endswith((";", "}", "]")) else "."
    return f"{opening}{rationale}{rationale and chr(10)}{ANSWER_CUE}{gap}{answer}{end}"


def _bare(text: str) -> str:
    return " ".join(text.split()).rstrip(" ;.")


def messages(
    demonstrations: Sequence[Example], question: str, context: str = "", options: Iterable[str] = ()
) -> list[dict[str, str]]:
    """Default prompt as chat messages: one user/assistant pair a demonstration."""
    turns: list[dict[str, str]] = []
    for example in reversed(demonstrations):
        turns.append({"role": "user", "content": _body(example.question, example.context, example.options)})
        turns.append({"role": "assistant", "content": continuation(example).strip()})
    return [*turns, {"role": "user", "content": _body(question, context, options)}]


def choices(options: Iterable[str]) -> str:
    """Options by letter: "(A) 12 (B) 13"."""
    return " ".join(f"({chr(65 + i)}) {choice}" for i, choice in enumerate(options))


def _ask(question: str, context: str, options: Iterable[str]) -> str:
    return f"Question: {_closed(_body(question, context, options))}\nAnswer:"


def _closed(text: str) -> str:
    """A text no line of which begins as a part of the prompt does; most texts are as they were."""
    return _OPENING.sub(" ", text)


def _body(question: str, context: str, options: Iterable[str]) -> str:
    return "\n".join(part for part in (context, question, choices(options)) if part)


def _seen(demonstrations: Sequence[Example], question: str, context: str, options: Iterable[str]) -> dict[str, Any]:
    return {"demonstrations": demonstrations, "question": question, "context": context, "options": tuple(options)}


@cache
def _environment() -> Any:
    with extras_named():
        from jinja2 import StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

    # plain text, not HTML: escaping would change the examples
    environment = ImmutableSandboxedEnvironment(autoescape=False, undefined=StrictUndefined)
    environment.filters["choices"] = choices
    return environment


def _compiled(text: str, name: str) -> Any:
    environment = _environment()
    from jinja2 import TemplateSyntaxError

    try:
        return environment.from_string(text)
    except TemplateSyntaxError as error:
        raise InputError(f"{name}: line {error.lineno}: not jinja2: {error.message}") from error


def _filled(template: Any, name: str, seen: dict[str, Any]) -> str:
    from jinja2 import TemplateError

    try:
        text: str = template.render(seen)
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(f"{name}: {error}; it sees {', '.join(seen)}") from error
    return text
