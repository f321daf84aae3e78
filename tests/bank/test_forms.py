"""Rows as published and exported: each form is read as its owner means it, and every row is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skillshot.bank.convert import to_record
from skillshot.bank.examples import raw_rows
from skillshot.bank.intake import GOLD, Intake, Placed, Quarantined
from skillshot.bank.load import load_queries

Rows = list[dict[str, Any]]
CALL = {"name": "get_weather", "arguments": '{"city": "Lyon"}'}
SYSTEM, USER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Lyon?"}
SHOWN = '{"name": "get_weather", "arguments": {"city": "Lyon"}}'
MORE = [f"What is {i} plus 2?" for i in range(8)]

FORMS: dict[str, tuple[Rows, dict[str, Any]]] = {
    "openai chat": (
        [{"messages": [SYSTEM, USER, {"role": "assistant", "content": "Sunny."}]}],
        {"question": "Weather in Lyon?", "answer": "Sunny.", "rationale": "", "system": "Be brief."},
    ),
    "chat with a worked reply": (
        [{"messages": [USER, {"role": "assistant", "content": "2 + 2 = 4.\nThe answer is 4."}]}],
        {"rationale": "2 + 2 = 4.\nThe answer is 4.", "answer": "4"},
    ),
    "several turns": (
        [{"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "1"}, USER,
                       {"role": "assistant", "content": "Sunny."}]}],
        {"question": "Weather in Lyon?", "context": "User: one\nAssistant: 1", "answer": "Sunny."},
    ),
    "a last turn of the user is left out": (
        [{"messages": [USER, {"role": "assistant", "content": "Sunny."}, {"role": "user", "content": "thanks"}]}],
        {"question": "Weather in Lyon?", "answer": "Sunny.", "context": ""},
    ),
    "tool call": (
        [{"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": CALL}]}], "tools": [{"type": "function"}]}],
        {"question": "Weather in Lyon?", "answer": SHOWN, "answer_type": "json", "rationale": ""},
    ),
    "tool call, its result and a reply": (
        [{"messages": [USER, {"role": "assistant", "tool_calls": [{"function": CALL}]},
                       {"role": "tool", "content": "18 C"}, {"role": "assistant", "content": "It is 18 C."}]}],
        {"answer": SHOWN, "answer_type": "json"},
    ),
    "two calls one after the other": (
        [{"messages": [USER, {"role": "assistant", "tool_calls": [{"function": {"name": "find", "arguments": "{}"}}]},
                       {"role": "tool", "content": "id 7"},
                       {"role": "assistant", "tool_calls": [{"function": CALL}]}]}],
        {"answer": SHOWN, "context": 'Assistant: {"name": "find", "arguments": {}}\nTool: id 7'},
    ),
    "calls made at once": (
        [{"messages": [USER, {"role": "assistant", "tool_calls": [{"function": CALL}, {"function": CALL}]}]}],
        {"answer": f"[{SHOWN}, {SHOWN}]"},
    ),
    "legacy function call": (
        [{"messages": [USER, {"role": "assistant", "content": "", "function_call": CALL}]}],
        {"answer": SHOWN, "answer_type": "json"},
    ),
    "anthropic parts": (
        [{"messages": [{"role": "user", "content": [{"type": "text", "text": "Weather in Lyon?"}]},
                       {"role": "assistant", "content": [{"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "x", "name": "get_weather", "input": {"city": "Lyon"}}]}]}],
        {"question": "Weather in Lyon?", "answer": SHOWN},
    ),
    "a message without weight is no answer": (
        [{"messages": [USER, {"role": "assistant", "content": "Rain.", "weight": 0}, USER,
                       {"role": "assistant", "content": "Sunny.", "weight": 1}]}],
        {"answer": "Sunny.", "context": "User: Weather in Lyon?\nAssistant: Rain."},
    ),
    "messages in a cell": (
        [{"messages": json.dumps([USER, {"role": "assistant", "content": "Sunny."}])}],
        {"question": "Weather in Lyon?", "answer": "Sunny."},
    ),
    "reasoning": (
        [{"messages": [USER, {"role": "assistant", "content": "Sunny.", "reasoning_content": "The sky is clear."}]}],
        {"rationale": "The sky is clear.", "answer": "Sunny."},
    ),
    "sharegpt": (
        [{"id": "a_1", "conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "one"},
          {"from": "gpt", "value": "1"}, {"from": "human", "value": "two"},
          {"from": "gpt", "value": "It is \\boxed{2}"}]}],
        {"question": "two", "answer": "2", "rationale": "It is \\boxed{2}", "context": "User: one\nAssistant: 1",
         "system": "Be brief.", "id": "a_1"},
    ),
    "sharegpt function call": (
        [{"conversations": [{"from": "human", "value": "Weather in Lyon?"},
                            {"from": "function_call", "value": json.dumps(CALL)}]}],
        {"answer": SHOWN, "answer_type": "json"},
    ),
    "hermes tags": (
        [{"conversations": [{"from": "human", "value": "Weather in Lyon?"},
          {"from": "gpt", "value": f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>"}]}],
        {"answer": SHOWN, "answer_type": "json"},
    ),
    "prompt and completion as messages": (
        [{"prompt": [USER], "completion": [{"role": "assistant", "content": "Sunny."}]}],
        {"question": "Weather in Lyon?", "answer": "Sunny."},
    ),
    "openai evals": (
        [{"input": [SYSTEM, USER], "ideal": "Sunny"}],
        {"question": "Weather in Lyon?", "answer": "Sunny", "system": "Be brief."},
    ),
    "reward model": (
        [{"prompt": [USER], "reward_model": {"ground_truth": "3", "style": "rule"},
          "extra_info": {"answer": "1 + 2 = 3\n#### 3"}}],
        {"question": "Weather in Lyon?", "answer": "3", "rationale": "1 + 2 = 3"},
    ),
    "alpaca": (
        [{"instruction": "Name a fruit.", "input": "", "output": "Apple"},
         {"instruction": "Add.", "input": "2 and 3", "output": "5"}],
        {"question": "Name a fruit.", "answer": "Apple", "context": ""},
    ),
    "alpaca with an input": (
        [{"instruction": "Add.", "input": "2 and 3", "output": "5", "text": "whole"}],
        {"question": "Add.", "answer": "5", "context": "2 and 3"},
    ),
    "alpaca with one instruction": (
        [{"instruction": "Is it positive?", "input": text, "output": "yes"} for text in MORE],
        {"question": MORE[0], "answer": "yes", "context": "Is it positive?"},
    ),
    "dolly": (
        [{"instruction": "Who wrote it?", "context": "Ann wrote it.", "response": "Ann", "category": "closed_qa"}],
        {"question": "Who wrote it?", "context": "Ann wrote it.", "answer": "Ann", "category": "closed_qa"},
    ),
    "langchain input": ([{"input": "happy", "output": "sad"}], {"question": "happy", "answer": "sad"}),
    "dspy demo": (
        [{"augmented": True, "question": f"How many, {i}?", "reasoning": f"We count to {i}.", "answer": str(i)}
         for i in range(5)],
        {"question": "How many, 0?", "rationale": "We count to 0.", "answer": "0", "augmented": True},
    ),
    "promptfoo": (
        [{"description": "d", "vars": {"question": "How many?", "tone": "dry"},
          "assert": [{"type": "llm-rubric", "value": "is polite"}, {"type": "equals", "value": "4"}]}],
        {"question": "How many?", "answer": "4", "tone": "dry"},
    ),
    "promptfoo with another variable": (
        [{"vars": {"query": text}, "assert": [{"type": "icontains", "value": "x"}]} for text in MORE],
        {"question": MORE[0], "answer": "x"},
    ),
    "langsmith": (
        [{"inputs": {"question": "How many?"}, "outputs": {"answer": "4"}}], {"question": "How many?", "answer": "4"},
    ),
    "big-bench": (
        [{"input": "2 + 2 =", "target": "4"}], {"question": "2 + 2 =", "answer": "4"},
    ),
    "big-bench with several targets": (
        [{"input": "2 + 2 =", "target": ["4", "four"]}], {"answer": "4", "target": ["4", "four"]},
    ),
    "big-bench scores": (
        [{"input": "A pet?", "target_scores": {"rock": 0, "dog": 1, "cloud": 0}}],
        {"question": "A pet?", "options": ["rock", "dog", "cloud"], "answer": "dog", "answer_type": "choice_text"},
    ),
    "flan": (
        [{"inputs": "Is it so?", "targets": "no", "_template_idx": 3}],
        {"question": "Is it so?", "answer": "no", "_template_idx": 3},
    ),
    "svamp": (
        [{"ID": "chal-1", "Body": "Dan had $ 3 left.", "Question": "How much before?", "Equation": "( 4.0 - 3.0 )",
          "Answer": 1.0, "Type": "Subtraction"}],
        {"question": "Dan had $ 3 left. How much before?", "rationale": "( 4.0 - 3.0 )", "answer": "1",
         "Type": "Subtraction"},
    ),
    "mawps": (
        [{"iIndex": 1, "sQuestion": "Joan found 70 shells and 27 more. How many?", "lEquations": ["X=70+27"],
          "lSolutions": [97.0]}],
        {"question": "Joan found 70 shells and 27 more. How many?", "rationale": "X=70+27", "answer": "97"},
    ),
    "asdiv": (
        [{"Body": "Seven apples and two more.", "Question": "How many in all?", "Formula": "7+2=9",
          "Answer": "9 (apples)", "Solution-Type": "Addition"}],
        {"question": "Seven apples and two more. How many in all?", "rationale": "7+2=9", "answer": "9",
         "unit": "apples", "Solution-Type": "Addition"},
    ),
    "spider": (
        [{"db_id": "shop", "query": "SELECT  count(*) FROM head", "query_toks": ["SELECT"], "question": "How many?",
          "question_toks": ["How"], "sql": {"from": {}}}],
        {"question": "How many?", "answer": "SELECT  count(*) FROM head", "answer_type": "sql", "group": "shop"},
    ),
    "bird": (
        [{"question": "How many?", "evidence": "", "SQL": "SELECT COUNT(*) FROM t", "db_id": "shop"}],
        {"answer": "SELECT COUNT(*) FROM t", "answer_type": "sql", "group": "shop"},
    ),
    "sql without a database": (
        [{"question": "How many?", "sql": "SELECT COUNT(*) FROM t"}], {"answer": "SELECT COUNT(*) FROM t"},
    ),
    "gretel": (
        [{"sql_prompt": "How many?", "sql_context": "CREATE TABLE t (a INT)", "sql": "SELECT COUNT(*) FROM t",
          "sql_explanation": "Counts the rows of t."}],
        {"question": "How many?", "context": "CREATE TABLE t (a INT)", "answer": "SELECT COUNT(*) FROM t"},
    ),
    "wikisql": (
        [{"question": "How many?", "table": {"header": ["a"]}, "sql": {"human_readable": "SELECT a FROM t", "sel": 1}}],
        {"answer": "SELECT a FROM t", "answer_type": "sql"},
    ),
    "cogs": (
        [{"sentence": "A rose .", "logical_form": "rose ( x _ 1 )", "type": "in_distribution"}],
        {"question": "A rose .", "answer": "rose ( x _ 1 )", "answer_type": "lf", "type": "in_distribution"},
    ),
    "cogs without names": (
        [{"column_1": f"A {noun} was helped by a dog .",
          "column_2": f"{noun} ( x _ 1 ) AND help . theme ( x _ 3 , x _ 1 )",
          "column_3": "in_distribution"} for noun in ("rose", "girl", "cake", "boy", "box")],
        {"question": "A rose was helped by a dog .", "answer": "rose ( x _ 1 ) AND help . theme ( x _ 3 , x _ 1 )"},
    ),
    "squad": (
        [{"id": "5", "context": "Ann wrote it.", "question": "Who?",
          "answers": {"text": ["Ann"], "answer_start": [0]}}],
        {"question": "Who?", "context": "Ann wrote it.", "answer": "Ann"},
    ),
    "passage": (
        [{"question": f"is it {i}", "passage": f"It is {i}.", "answer": True} for i in range(5)],
        {"context": "It is 0.", "answer_type": "bool"},
    ),
    "equation": (
        [{"question": f"Ann had {i}9 and ate 4?", "equation": f"x={i}9-4", "ans": f"{i}5"} for i in range(1, 6)],
        {"rationale": "x=19-4", "answer": "15"},
    ),
    "math23k": (
        [{"id": "1", "original_text": "小明有3个，又买5个，共几个？", "segmented_text": "小明 有 3 个",
          "equation": "x=3+5", "ans": "8"}],
        {"question": "小明有3个，又买5个，共几个？", "rationale": "x=3+5", "answer": "8"},
    ),
    "math with a final answer": (
        [{"problem": "What?", "solution": "So it is 5 in all, which we show.", "final_answer": "5", "subject": "x"}],
        {"question": "What?", "answer": "5", "rationale": "So it is 5 in all, which we show."},
    ),
    "Q and A in one text": (
        [{"text": f"Q: {text}\nA: We add. {i} + 2 = {i + 2}. The answer is {i + 2}."} for i, text in enumerate(MORE)],
        {"question": MORE[0], "answer": "2", "rationale": "We add. 0 + 2 = 2. The answer is 2."},
    ),
    "answers that are worked solutions": (
        [{"question": text, "answer": f"First we add both numbers. So the answer is {i + 2}."}
         for i, text in enumerate(MORE)],
        {"answer": "2", "rationale": "First we add both numbers. So the answer is 2."},
    ),
    "names in another language": (
        [{"frage": f"Wie viele sind es bei {i}?", "antwort": f"{i * 7}",
          "erklärung": f"Es sind {i} mal sieben, also {i * 7}."}
         for i in (3, 5, 4, 9)],
        {"question": "Wie viele sind es bei 3?", "answer": "21", "rationale": "Es sind 3 mal sieben, also 21."},
    ),
    "a column that counts": (
        [{"no": i, "Aufgabe": f"Wie viel kostet Ware {i}?", "Preis": p} for i, p in enumerate((7, 3, 9, 12), 1)],
        {"question": "Wie viel kostet Ware 1?", "answer": "7"},
    ),
    "intents": (
        [{"text": f"please block card number {i}", "label": "block" if i % 2 else "pin"} for i in range(8)],
        {"question": "please block card number 0", "answer": "pin", "label": "pin"},
    ),
    "code": (
        [{"task_id": i, "text": f"Write a function that adds {i}.", "code": f"def f(x):\n    return x + {i}"}
         for i in (4, 2, 7)],
        {"question": "Write a function that adds 4."},
    ),
    "capitals": ([{"Question": "How many?", "Answer": "2", "Rationale": "1 + 1 = 2"}], {"rationale": "1 + 1 = 2"}),
    "own fields win": (
        [{"problem": "other", "solution": "2 + 3 = \\boxed{6}", "question": "What is 2 + 3?", "answer": "6"}],
        {"question": "What is 2 + 3?", "answer": "6", "rationale": "2 + 3 = \\boxed{6}", "problem": "other"},
    ),
    "a type that is none of ours": (
        [{"question": "2 + 3?", "rationale": "2 + 3 = 5", "answer": "5", "answer_type": "Numerical"}],
        {"answer_type": "number", "source_answer_type": "Numerical"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_read_as_its_owner_means_it(name: str, tmp_path: Path) -> None:
    rows, expected = FORMS[name]
    path = tmp_path / "bank.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for bank in (rows, path):
        found = list(Intake(needs=GOLD).take(raw_rows(bank)))  # checks of the content are tested elsewhere
        assert [item for item in found if isinstance(item, Quarantined)] == [] and len(found) == len(rows)
        assert isinstance(found[0], Placed)
        shown = {"context": "", "rationale": ""} | found[0].record.to_dict()
        assert {key: shown.get(key) for key in expected} == expected
        assert to_record(found[0].record.to_dict()) == found[0].record


def test_queries_keep_a_question_without_reply() -> None:
    turns = [USER, {"role": "assistant", "content": "Sunny."}, {"role": "user", "content": "And in Rome?"}]
    (record,) = load_queries([{"messages": turns}]).records  # type: ignore[arg-type]
    assert (record.question, record.answer) == ("And in Rome?", "")
    assert record.context == "User: Weather in Lyon?\nAssistant: Sunny."


def test_queries_keep_their_label(caplog: pytest.LogCaptureFixture) -> None:
    (record,) = load_queries([{"question": "Why?", "label": "cause"}]).records  # type: ignore[arg-type]
    assert (record.answer, record.metadata) == ("", {"label": "cause"}) and not caplog.messages
