"""Logs of conversations: OpenAI's `messages`, ShareGPT's `conversations`, prompts that are lists of messages.

The last answered question is the example. Earlier turns become its context, the system prompt is metadata, and a tool
call is the answer as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skillshot.bank.columns import filled
from skillshot.bank.literals import literal

ROLES = {
    "user": "user", "human": "user", "prompter": "user", "question": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant", "chatgpt": "assistant",
    "ai": "assistant", "answer": "assistant", "function_call": "call", "tool_call": "call",
    "system": "system", "developer": "system",
    "tool": "tool", "function": "tool", "observation": "tool", "function_response": "tool", "tool_response": "tool",
}  # fmt: skip
LISTS = ("messages", "conversations", "conversation", "dialogue", "dialog", "chat", "turns")
_NAMES = {"user": "User", "assistant": "Assistant", "tool": "Tool", "call": "Assistant"}
_TAG = "<tool_call>"


@dataclass(frozen=True)
class Turn:
    """One message: who, what, the calls it makes, and what it thought before."""

    role: str
    text: str
    calls: tuple[Any, ...] = ()
    thought: str = ""
    learned: bool = True  # False where the log gives the message no weight

    @property
    def shown(self) -> str:
        """The turn as a line of a context."""
        parts = [self.text] if self.text else []
        parts += [_json(call) for call in self.calls]
        return f"{_NAMES.get(self.role, self.role)}: {' '.join(parts)}"


@dataclass(frozen=True)
class Exchange:
    """A question of a conversation with its reply."""

    question: str | None
    reply: str | None
    calls: tuple[Any, ...]
    thought: str
    context: str
    system: str


def turns_of(value: Any) -> list[Turn] | None:
    """The turns of a list of messages, also as text in a cell; None where it is no such list."""
    if isinstance(value, str) and value.lstrip()[:1] == "[" and "{" in value[:20]:
        value = literal(value)
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    turns = [_turn(message) for message in value if isinstance(message, Mapping)]
    known = [turn for turn in turns if turn is not None]
    return known or None


def exchange(turns: Sequence[Turn], answered: bool = False) -> Exchange:
    """The last question and its reply.

    Args:
        answered: turns after the last reply are left out; otherwise a last turn of the user is a question without one.
    """
    system = "\n".join(turn.text for turn in turns if turn.role == "system")
    talk = [turn for turn in turns if turn.role != "system"]
    replies = [
        i for i, turn in enumerate(talk) if turn.role == "assistant" and turn.learned and (turn.text or turn.calls)
    ]
    asked = [i for i, turn in enumerate(talk) if turn.role == "user"]
    if answered and replies:
        asked = [i for i in asked if i < replies[-1]] or asked[:1]
    question = asked[-1] if asked else None
    replies = [i for i in replies if question is None or i > question]
    calling = [i for i in replies if talk[i].calls]
    reply = calling[-1] if calling else replies[-1] if replies else None
    before = [turn for i, turn in enumerate(talk[:reply]) if i != question]
    found = talk[reply] if reply is not None else None
    return Exchange(
        talk[question].text if question is not None else None,
        found.text if found else None,
        found.calls if found else (),
        found.thought if found else "",
        "\n".join(turn.shown for turn in before),
        system,
    )


def called(calls: Sequence[Any]) -> str:
    """Calls as an answer: JSON of one, or of the list of several that were made at once."""
    return _json(calls[0] if len(calls) == 1 else list(calls))


def _turn(message: Mapping[str, Any]) -> Turn | None:
    name = next((message[key] for key in ("role", "from", "speaker", "author") if filled(message.get(key))), None)
    name = name.get("role") if isinstance(name, Mapping) else name
    role = ROLES.get(str(name).strip().casefold()) if isinstance(name, str) else None
    if role is None:
        return None
    content = next((message[key] for key in ("content", "value", "text", "message") if key in message), None)
    text, parts = _texts(content)
    calls = [_call(call) for call in message.get("tool_calls") or () if isinstance(call, Mapping)]
    if isinstance(message.get("function_call"), Mapping):
        calls.append(_call(message["function_call"]))
    calls += [_call(part) for part in parts]
    if role == "call":
        role, calls, text = "assistant", [_call(_parsed(text))], ""
    elif role == "assistant" and not calls and _TAG in text:
        text, calls = _tagged(text)
    thought = next((message[key] for key in ("reasoning_content", "reasoning") if filled(message.get(key))), "")
    return Turn(role, text, tuple(calls), thought if isinstance(thought, str) else "", message.get("weight") != 0)


def _texts(content: Any) -> tuple[str, list[Any]]:
    """The text of a message, whose content may be parts, and the parts that are calls."""
    if isinstance(content, Mapping) and isinstance(content.get("parts"), list):
        content = content["parts"]
    if isinstance(content, list):
        texts = [
            part if isinstance(part, str) else part.get("text") for part in content if isinstance(part, str | Mapping)
        ]
        calls = [part for part in content if isinstance(part, Mapping) and part.get("type") == "tool_use"]
        return "\n".join(text for text in texts if isinstance(text, str)), calls
    return (content if isinstance(content, str) else ""), []


def _call(call: Any) -> Any:
    """Name and arguments of a call."""
    function = call.get("function") if isinstance(call, Mapping) and isinstance(call.get("function"), Mapping) else call
    if not isinstance(function, Mapping) or "name" not in function:
        return call
    arguments: Any = next(
        (function[key] for key in ("arguments", "input", "args", "parameters") if key in function), {}
    )
    return {"name": function["name"], "arguments": _parsed(arguments)}


def _tagged(text: str) -> tuple[str, list[Any]]:
    """Calls in a text, as `<tool_call>{...}</tool_call>`."""
    head, *parts = text.split(_TAG, 100)
    return head.strip(), [_call(_parsed(part.partition("</tool_call>")[0].strip())) for part in parts]


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _json(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return str(value)[:2000]
