"""Column maps of well-known published formats, recognised by the columns of a row.

Each preset converts a raw row to the field names of a record. All other columns are kept as metadata.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from skillshot.bank.normalise import split_hash_answer

Row = dict[str, Any]
Preset = Callable[[Row], Row]

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


def _gsm8k(row: Row) -> Row:
    row["rationale"], row["answer"] = split_hash_answer(row["answer"])
    return {"answer_type": "number", **row}


def _aqua(row: Row) -> Row:
    row["answer"] = row.pop("correct")
    return {"answer_type": "choice", **row}


def _tabmwp(row: Row) -> Row:
    row["rationale"], row["context"], row["options"] = row.pop("solution"), row.pop("table"), row.pop("choices")
    return row


def _spider(row: Row) -> Row:
    row["answer"] = row.pop("query")
    return {"answer_type": "sql", "group": row.get("db_id"), **row}


def _strategyqa(row: Row) -> Row:
    facts = row.pop("facts")
    row["rationale"] = "\n".join(map(str, facts)) if isinstance(facts, list) else facts
    return {"answer_type": "bool", **row}


def _math(row: Row) -> Row:
    row["question"], row["rationale"] = row.pop("problem"), row.pop("solution")
    if "answer" not in row:
        row["answer"] = boxed(row["rationale"]) if isinstance(row["rationale"], str) else None
    return row


def _cogs(row: Row) -> Row:
    for name in ("sentence", "source"):
        if name in row:
            row["question"] = row.pop(name)
    for name in ("logical_form", "target"):
        if name in row:
            row["answer"] = row.pop(name)
    return {"answer_type": "lf", **row}


def _messages(row: Row) -> Row:
    turns = [turn for turn in row.pop("messages") if isinstance(turn, Mapping)]
    user = [turn for turn in turns if turn.get("role") == "user"]
    assistant = [turn for turn in turns if turn.get("role") == "assistant"]
    system = [turn for turn in turns if turn.get("role") == "system"]
    row["question"] = _content(user[-1]) if user else None
    reply = _content(assistant[-1]) if assistant else None
    reasoning = (assistant[-1].get("reasoning_content") or assistant[-1].get("reasoning")) if assistant else None
    if isinstance(reasoning, str):
        row["rationale"], answer = reasoning, split_solution(reply or "")[1] or reply
    else:
        row["rationale"], answer = split_solution(reply or "")
    row.setdefault("answer", answer)
    if system:
        row.setdefault("system", _content(system[0]))
    return row


def _content(turn: Mapping[str, Any]) -> str | None:
    content = turn.get("content")
    if isinstance(content, list):  # a list of typed parts
        content = "\n".join(str(p.get("text", "")) for p in content if isinstance(p, Mapping))
    return content if isinstance(content, str) else None


def preset_of(row: Mapping[str, Any]) -> str | None:
    """Name of the published format of a row, or None where it uses the field names of a record or unknown ones."""
    has = row.keys()
    if isinstance(row.get("messages"), list):
        return "messages"
    if has >= {"question", "answer"} and "rationale" not in has:
        if isinstance(row["answer"], str) and "####" in row["answer"]:
            return "gsm8k"
        if has >= {"solution", "table", "choices"}:
            return "tabmwp"
        if "facts" in has:
            return "strategyqa"
    if has >= {"question", "options", "rationale", "correct"} and "answer" not in has:
        return "aqua_rat"
    if has >= {"question", "query", "db_id"} and "answer" not in has:
        return "spider"
    if has >= {"problem", "solution"} and "question" not in has:
        return "math"
    if "question" not in has and (has >= {"sentence", "logical_form"} or has >= {"source", "target"}):
        return "cogs"
    return None


PRESETS: dict[str, Preset] = {
    "gsm8k": _gsm8k,
    "aqua_rat": _aqua,
    "tabmwp": _tabmwp,
    "spider": _spider,
    "strategyqa": _strategyqa,
    "math": _math,
    "cogs": _cogs,
    "messages": _messages,
}
