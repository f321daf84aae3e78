"""How each published form is read: which columns, or parts of them, become which fields (`bank.formats` knows when)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from skillshot.bank.chat import LISTS, called, exchange, turns_of
from skillshot.bank.columns import filled
from skillshot.bank.normalise import split_hash_answer
from skillshot.bank.sheet import Sheet
from skillshot.bank.worked import boxed, split_solution
from skillshot.common.structure import is_procedure

CHATS = (*LISTS, "prompt", "input")  # columns that may hold a conversation
_COUNTED = re.compile(r"([-+]?[0-9][0-9.,/]{0,40}|[^()]{1,80}?)\s*\(([^()]{1,80})\)")  # "9 (apples)"
_ASSERTED = ("equals", "icontains", "contains", "starts-with", "is-json", "contains-any", "contains-all", "similar",
             "factuality", "model-graded-factuality", "regex")  # fmt: skip


def read_gsm8k(sheet: Sheet) -> None:
    """The answer ends in `#### 72`."""
    sheet.row["rationale"], sheet.row["answer"] = split_hash_answer(sheet.row["answer"])
    source = sheet.sources.get("answer", "answer")
    sheet.sources |= {"rationale": f"{source}, before ####", "answer": f"{source}, after ####"}
    sheet.type("number")


def read_aqua(sheet: Sheet) -> None:
    """AQuA-RAT and MathQA: `correct` is a letter."""
    sheet.take("question", "problem")
    if sheet.take("answer", "correct"):
        sheet.type("choice")


def read_tabmwp(sheet: Sheet) -> None:
    """TabMWP: `solution`, `table`, `choices`."""
    for field, column in (("rationale", "solution"), ("context", "table"), ("options", "choices")):
        sheet.take(field, column)


def read_strategyqa(sheet: Sheet) -> None:
    """StrategyQA: facts are the rationale."""
    facts = sheet.get("facts")
    steps = "\n".join(map(str, facts)) if isinstance(facts, list) else facts
    if isinstance(steps, str) and sheet.put("rationale", steps, "facts"):
        sheet.drop("facts")
    sheet.type("bool")


def read_spider(sheet: Sheet) -> None:
    """Spider: questions on one database form a group."""
    sheet.put("group", sheet.get("db_id"), "db_id")
    read_sql(sheet)


def read_sql(sheet: Sheet) -> None:
    """Any question with `query` or `sql`."""
    for name in ("query", "sql"):
        value = sheet.get(name)
        if isinstance(value, Mapping):  # WikiSQL; Spider's `sql` is a parsed tree, which has no text
            if sheet.put("answer", value.get("human_readable"), f"{name}.human_readable"):
                sheet.type("sql")
        elif isinstance(value, str) and sheet.take("answer", name):
            sheet.type("sql")


def read_gretel(sheet: Sheet) -> None:
    """Questions with the statements that create their tables."""
    for field, column in (("question", "sql_prompt"), ("context", "sql_context"), ("rationale", "sql_explanation")):
        sheet.take(field, column)
    read_sql(sheet)


def read_math(sheet: Sheet) -> None:
    """MATH: the answer is in the solution, unless a column holds it."""
    sheet.take("question", "problem")
    sheet.take("answer", "final_answer", "expected_answer")
    if sheet.take("rationale", "solution") and isinstance(rationale := sheet.row["rationale"], str):
        answer = boxed(rationale) or split_solution(rationale)[1]
        sheet.put("answer", answer, f"{sheet.sources['rationale']}, at its end")


def read_cogs(sheet: Sheet) -> None:
    """COGS and other pairs of a sentence and what it means."""
    sheet.take("question", "sentence", "source")
    formal = sheet.take("answer", "logical_form")
    if formal or (sheet.take("answer", "target") and is_procedure(str(sheet.row["answer"]))):
        sheet.type("lf")


def read_story(sheet: Sheet) -> None:
    """SVAMP and ASDiv: the question stands behind its story."""
    if "question" not in sheet.closed:
        parts = [str(sheet.row["question"]).strip()]
        body = str(sheet.get("body") or "").strip()
        if body and not parts[0].startswith(body):
            parts.insert(0, body)
        sheet.row["question"] = " ".join(parts)
        sheet.sources["question"] = f"{sheet.names['body']} + {sheet.sources.get('question', 'question')}"
        sheet.drop("body")
    sheet.take("rationale", "equation", "formula")
    match = _COUNTED.fullmatch(answer.strip()) if isinstance(answer := sheet.row.get("answer"), str) else None
    if match and "answer" not in sheet.closed and sheet.free("unit"):
        sheet.row["answer"], sheet.row["unit"] = match[1].strip(), match[2].strip()
        sheet.sources["unit"] = sheet.sources.get("answer", "answer")


def read_mawps(sheet: Sheet) -> None:
    """MAWPS: equations and solutions are lists."""
    sheet.take("question", "s_question")
    for field, column, joint in (("rationale", "l_equations", "\n"), ("answer", "l_solutions", ", ")):
        value = sheet.get(column)
        texts = [_number(part) for part in value] if isinstance(value, list) else value
        if sheet.put(field, joint.join(texts) if isinstance(texts, list) else texts, sheet.names.get(column, column)):
            sheet.drop(column)


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read_bigbench(sheet: Sheet) -> None:
    """BIG-bench: a target, several, or a score for each option."""
    sheet.take("question", "input", "inputs")
    scores, target = sheet.get("target_scores", "multiple_choice_scores"), sheet.get("target", "targets")
    if isinstance(scores, Mapping) and scores and all(isinstance(score, int | float) for score in scores.values()):
        best = max(scores, key=lambda option: scores[option])
        sheet.put("options", [str(option) for option in scores], "target_scores")
        sheet.put("answer", str(best), "target_scores, the best one")
    if isinstance(target, list):
        if sheet.put("answer", target[0] if target else None, "target, the first one") and len(target) == 1:
            sheet.drop("target", "targets")
    else:
        sheet.take("answer", "target", "targets")
    if isinstance(scores, Mapping):
        sheet.drop("target_scores")


def read_promptfoo(sheet: Sheet) -> None:
    """promptfoo: variables, and assertions of which the strictest holds the answer."""
    tests = sheet.get("assert")
    wanted = sorted(
        (test for test in (tests if isinstance(tests, list) else [tests]) if isinstance(test, Mapping)),
        key=lambda test: _ASSERTED.index(kind) if (kind := test.get("type")) in _ASSERTED else len(_ASSERTED),
    )
    for test in wanted[:1]:
        value = test.get("value")
        value = value[0] if isinstance(value, list) and value else value
        if test.get("type") in _ASSERTED and isinstance(value, str | int | float | bool):
            sheet.put("answer", value, f"assert, {test['type']}")
    _flatten(sheet, "vars")


def read_nested(sheet: Sheet) -> None:
    """LangSmith: `inputs` and `outputs` are objects."""
    _flatten(sheet, "inputs", "outputs", "reference_outputs")


def _flatten(sheet: Sheet, *columns: str) -> None:
    for column in columns:
        value = sheet.get(column)
        if isinstance(value, Mapping):
            name = sheet.names[column]
            sheet.drop(column)
            for key, part in value.items():
                sheet.row.setdefault(str(key), part)
            sheet.refresh()
            sheet.sources |= {f: f"{name}.{f}" for f in ("question", "answer") if f in value}


def read_squad(sheet: Sheet) -> None:
    """SQuAD: the first of several answers."""
    texts = sheet.get("answers")["text"]
    sheet.put("answer", texts[0] if isinstance(texts, list) and texts else texts, "answers.text, the first one")


def read_verl(sheet: Sheet) -> None:
    """A prompt of messages with a reward model's ground truth, as reinforcement learning on answers has it."""
    read_chat(sheet, "prompt")
    reward, extra = sheet.get("reward_model"), sheet.get("extra_info")
    if isinstance(reward, Mapping):
        sheet.put("answer", reward.get("ground_truth"), "reward_model.ground_truth")
    if isinstance(extra, Mapping) and isinstance(extra.get("answer"), str):
        sheet.put("rationale", split_solution(extra["answer"])[0], "extra_info.answer")


def chat_column(sheet: Sheet) -> str:
    """The column that holds a conversation; "" where none does."""
    found = (name for name in CHATS if name in sheet.names and turns_of(sheet.get(name)))
    return next(found, "")


def read_chat(sheet: Sheet, column: str) -> None:
    """A conversation: the last question, its reply or tool call; earlier turns are the context."""
    turns = turns_of(sheet.get(column)) or []
    after = next((found for name in ("completion", "response", "chosen") if (found := turns_of(sheet.get(name)))), None)
    if after:
        turns = [*turns, *after] if len(after) < 2 or after[: len(turns)] != turns else list(after)
    name = sheet.names[column]
    last = exchange(turns, sheet.answered and not sheet.own("answer"))
    sheet.drop(column, *(n for n in ("completion", "response", "chosen") if after and turns_of(sheet.get(n))))
    sheet.put("question", last.question, f"{name}, the last turn of the user")
    sheet.put("context", last.context, f"{name}, the earlier turns")
    if last.system and not filled(sheet.row.get("system")):
        sheet.row["system"] = last.system
    if isinstance(sheet.row.get("id"), Mapping | list) and "id" not in sheet.closed:
        sheet.row["source_id"] = sheet.row.pop("id")  # of a log: no text
    sheet.take("answer", "ideal", "ground_truth")
    if last.calls:
        if sheet.put("answer", called(last.calls), f"{name}, the last tool call"):
            sheet.type("json")
        sheet.put("rationale", last.thought, f"{name}, the reasoning")
        return
    reply = last.reply or ""
    rationale, answer = split_solution(reply)
    if last.thought:
        rationale, answer = last.thought, answer or reply
    if filled(answer) or sheet.own("answer"):
        sheet.put("rationale", rationale, f"{name}, the last reply")
        sheet.put("answer", answer, f"{name}, the end of the last reply")
    else:  # nothing marks an answer: the reply is it
        sheet.put("answer", reply, f"{name}, the last reply")
