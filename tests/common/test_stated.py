"""What a rationale states as its answer, and whether that contradicts the gold one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshot.common.record import ANSWER_TYPES, Record
from skillshot.common.stated import contradicts, stated_answer


@pytest.mark.parametrize(
    ("rationale", "stated"),
    [
        ("We look.\nSo the answer is (A).", "(A)"),
        ("Therefore, the answer is yes.", "yes"),
        ("It is so.\n#### 72", "72"),
        (r"so \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        ("The final answer: 5", "5"),
        ("3*8 = 24", "24"),
        ("It is 3*8 = 24 apples.", "24"),
        ("The answer is 3.5.", "3.5"),
        ("**Answer**: B", "B"),
        ("So the correct option is C", "C"),
        ('The answer is {"a": 1}', '{"a": 1}'),
        ("The answer is [1, 2]. It is short.", "[1, 2]"),
        ("So the answer is [ ] ( ).", "[ ] ( )"),
        ("The answer is {1, 2}.", "{1, 2}"),
        ("The answer is:\n```python\nprint(1)\n```", "```python\nprint(1)\n```"),
        ("Final Answer: The final answer is $5$. I hope it is correct.", "$5$"),
        ("Answer: SELECT a FROM b WHERE c = 'x. Y'", "SELECT a FROM b WHERE c = 'x. Y'"),
        ("So the answer is ] ] ).", "] ] )"),
        ("The answer to the question is no.", "no"),
        ("The answer is 4. Wait, no. The answer is 5.", "5"),
        ("So the answer is valid.", "valid"),
        ("The result is 12. Then 12 + 3 is 15.", None),  # of a step
        ("The answer is not 5 but we cannot know.", None),
        ("To find the answer we add.", None),
        ("No claim here.", None),
        ("", None),
    ],
)
def test_what_is_stated(rationale: str, stated: str | None) -> None:
    assert stated_answer(rationale) == stated


OPTIONS = ("24 m", "25 m", "a dog")


@pytest.mark.parametrize(
    ("kind", "gold", "rationale", "wrong"),
    [
        ("text", "(B)", "So the answer is (A).", True),
        ("text", "(B)", "So the answer is (B) 05/01/2021.", False),
        ("text", "(A)", "So the answer is (A).", False),
        ("text", "A", "The answer is B.", True),
        ("text", "valid", "So the answer is invalid.", True),
        ("text", "the dog", "So the answer is Dog.", False),
        ("text", "dog", "So the answer is the dog, which barks.", False),
        ("text", "Paris", "The answer is London.", True),
        ("text", "burn cat dog zoo", "So the answer is burn dog cat zoo.", True),  # an order
        ("text", "he went home by train", "The answer is that he went home on the train.", False),
        ("text", "] ] )", "So the answer is ] ].", True),
        ("text", "] ] )", "So the answer is ] ] ).", False),
        ("choice", "B", "The answer is (A).", True),
        ("choice", "B", "The answer is 24 m.", True),
        ("choice", "B", "The answer is 25 m.", False),
        ("choice", "(b)", "**Answer**: b", False),
        ("choice", "B", "The answer is a matter of taste.", False),
        ("choice", "C", "The answer is a dog.", False),
        ("choice_text", "24 m", "The answer is (B).", True),
        ("choice_text", "24 m", "The answer is (A).", False),
        ("bool", "True", "So the answer is no.", True),
        ("bool", "True", "So the answer is yes.", False),
        ("bool", "yes", "So the answer is Unknown.", True),
        ("bool", "yes", "So the answer is that it floats.", False),
        ("number", "24", "The answer is 25 apples.", True),
        ("number", "24", "The answer is 3 * 8 = 24.", False),
        ("number", "24", "The answer is 3 * 8.", False),
        ("number", "24", "The answer is the sum of 3 and 8.", False),
        ("number", "0.5", "The answer is 50%.", False),
        ("number", "3/4", r"\boxed{\frac{3}{4}}", False),
        ("number", "33.33", "The answer is 33.3.", False),
        ("number", "24", "12 * 2 = 25", False),  # an equation alone states nothing
        ("number", "24", "#### 25", True),
        ("json", '{"a": 1, "b": 2}', 'The answer is {"b": 2, "a": 1.0}', False),
        ("json", '{"a": 1}', 'The answer is {"a": 2}', True),
        ("json", "[1, 2]", "The answer is [1, 3]. It is short.", True),
        ("code", "x = f(1)\nprint(x)", "The answer is:\n```\nx = f(2)\nprint(x)\n```", True),
        ("sql", "SELECT a FROM b", "The answer is SELECT c FROM b", True),
        ("sql", "SELECT a FROM b", "The answer is a list of names.", False),
        ("number", "24", "", False),
    ],
)
def test_a_contradiction(kind: str, gold: str, rationale: str, wrong: bool) -> None:
    options = OPTIONS if kind.startswith("choice") else ()
    assert contradicts(Record("i", "q", rationale, gold, options=options, answer_type=kind)) is wrong


@given(st.text(max_size=60), st.text(max_size=20), st.sampled_from(ANSWER_TYPES))
def test_no_text_is_a_traceback(rationale: str, gold: str, kind: str) -> None:
    contradicts(Record("i", "q", f"The answer is {rationale}", gold, options=("a", "b"), answer_type=kind))


@given(st.from_regex(r"[A-Za-z0-9]{1,12}( [A-Za-z0-9]{1,12}){0,3}", fullmatch=True), st.sampled_from(["text", "lf"]))
def test_the_gold_answer_does_not_contradict_itself(gold: str, kind: str) -> None:
    assert not contradicts(Record("i", "q", f"So the answer is {gold}.", gold, answer_type=kind))
