"""Texts that hold their answer: after `####`, in `\\boxed{}`, after "the answer is", or as "Q: ... A: ..."."""

from __future__ import annotations

import re

from skillshot.bank.normalise import split_hash_answer

_FINAL_ANSWER = re.compile(
    r"(?is)(?:\A|[\n.!?]\s*)[^\n.]{0,40}?\b(?:final\s+)?answer\s*(?:is|:|=)\s*(?::\s*)?(?P<answer>[^\n]{1,200})\Z"
)
_TAIL = 400  # characters in which it is looked for, so that the search is linear


def boxed(text: str) -> str:
    r"""Contents of the last `\boxed{...}` with balanced braces, or the empty string."""
    start = max(text.rfind("\\boxed{"), text.rfind("\\fbox{"))
    if start < 0:
        return ""
    depth, begin = 0, text.index("{", start) + 1
    for i in range(begin - 1, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[begin:i]
    return ""


def split_solution(text: str) -> tuple[str, str]:
    r"""Rationale and answer of a worked solution: `#### 72`, `\boxed{72}`, or a closing "the answer is 72"."""
    rationale, answer = split_hash_answer(text)
    if answer:
        return rationale, answer
    if answer := boxed(text):
        return text, answer
    end = len(text.rstrip())
    while end and (text[end - 1] == "." or text[end - 1].isspace()):
        end -= 1
    if final := _FINAL_ANSWER.search(text, max(0, end - _TAIL), end):
        return text, final["answer"].strip("* ")
    return text, ""


_ASKED = re.compile(r"(?i)\W{0,8}(?:q|question|problem|human|user|input|instruction)\s{0,4}[0-9]{0,4}\s{0,4}:")
_REPLIED = re.compile(r"(?i)\W{0,8}(?:a|answer|assistant|output|response|solution)\s{0,4}:")


def asked_and_answered(text: str) -> tuple[str, str]:
    """Question and answer of a text that holds both ("Q: ...\\nA: ..."); empty texts where it does not."""
    text = text.strip()
    start = _ASKED.match(text)
    if not start:
        return "", ""
    place = start.end()
    for line in text[place:].splitlines(keepends=True)[:10_000]:
        if place > start.end() and (end := _REPLIED.match(line)):
            question, answer = text[start.end() : place].strip(), text[place + end.end() :].strip()
            return (question, answer) if question and answer else ("", "")
        place += len(line)
    return "", ""
