"""What an endpoint may answer: each field that is read is checked for type and range before it is used.

A field that is wrong makes the answer a broken one, named by its path, as in `choices[0].logprobs.token_logprobs[3]`.
"""

from __future__ import annotations

import json
import math
from typing import Any

from skillshot.common.errors import EngineError
from skillshot.llm.client import BrokenAnswerError
from skillshot.llm.engine import LOWEST, MOST_TOKENS, well_formed

TOKEN_CHARS = 512  # characters of one token; the longest in common vocabularies are runs of 128 blanks
ROUNDING = 1e-6  # a log-probability this little above 0 is a rounded 0


class NoScoresError(EngineError):
    """The endpoint cannot score; the call is not retried."""


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object of a reply's body.

    Raises:
        BrokenAnswerError: not JSON, nested too deep, or no object.
    """
    try:
        reply = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BrokenAnswerError(f"not a JSON answer: {type(error).__name__}: {str(error)[:100]}") from error
    if not isinstance(reply, dict):
        raise BrokenAnswerError(f"not a JSON object: {_shown(reply)}")
    return reply


def text_of(reply: dict[str, Any], *path: str, most: int) -> str:
    """The written text at `choices[0]` and `path`, well formed. most: tokens that were asked for."""
    place, text = _choice(reply, *path)
    if not isinstance(text, str):
        raise _broken(place, "a text", text)
    if len(text) > TOKEN_CHARS * most:
        raise BrokenAnswerError(f"{place}: {len(text):,} characters, though max_tokens is {most}")
    return well_formed(text)


def finish_of(reply: dict[str, Any]) -> str:
    """ "length" where the answer was cut, else "stop"."""
    _, reason = _choice(reply, "finish_reason")
    return "length" if reason == "length" else "stop"


def usage_of(reply: dict[str, Any]) -> tuple[int, int]:
    """Prompt and completion tokens."""
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        raise _broken("usage", "an object", usage)
    return _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")


def gold_of(reply: dict[str, Any], start: int, end: int) -> tuple[float, ...]:
    """Log-probabilities (nats) of the tokens that begin in [start, end) of the sent text.

    Raises:
        NoScoresError: the endpoint does not return the log-probabilities of a given text.
        BrokenAnswerError: it does, but they are damaged.
    """
    place, given = _choice(reply, "logprobs")
    given = given if isinstance(given, dict) else {}
    offsets, values = given.get("text_offset"), given.get("token_logprobs")
    if not isinstance(offsets, list) or not isinstance(values, list):
        raise NoScoresError("the endpoint returns no log-probabilities of a given text (echo)")
    if len(offsets) != len(values):
        raise BrokenAnswerError(f"{place}: {len(values)} log-probabilities for {len(offsets)} tokens")
    before = 0
    for i, offset in enumerate(offsets):
        if type(offset) is not int or offset < before:
            raise _broken(f"{place}.text_offset[{i}]", f"a whole number from {before}", offset)
        before = offset
    gold = [i for i, offset in enumerate(offsets) if start <= offset < end]
    if not gold or offsets[0] != 0 or any(values[i] is None for i in gold):
        raise NoScoresError("the endpoint does not return the prompt's log-probabilities (echo)")
    for i in gold:
        if not _number(values[i]) or not LOWEST <= values[i] <= ROUNDING:
            raise _broken(f"{place}.token_logprobs[{i}]", f"a number from {LOWEST:g} to 0", values[i])
    return tuple(min(float(values[i]), 0.0) for i in gold)


def _choice(reply: dict[str, Any], *path: str) -> tuple[str, Any]:
    """Name and value of what is at `choices[0]` and `path`."""
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices:
        raise _broken("choices", "a list with an answer", choices)
    place, value = "choices[0]", choices[0]
    for name in path:
        if not isinstance(value, dict):
            raise _broken(place, "an object", value)
        place, value = f"{place}.{name}", value.get(name)
    return place, value


def _count(usage: dict[str, Any], name: str) -> int:
    value = usage.get(name)
    if type(value) is not int or not 0 <= value <= MOST_TOKENS:
        raise _broken(f"usage.{name}", f"a whole number from 0 to {MOST_TOKENS:,}", value)
    return value


def _number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _broken(place: str, expected: str, found: Any) -> BrokenAnswerError:
    return BrokenAnswerError(f"{place}: expected {expected}, found {_shown(found)}")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return json.dumps(value[:40] if isinstance(value, str) else value)[:60]
