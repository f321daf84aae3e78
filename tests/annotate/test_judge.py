"""Which answers are kept, and why the others are not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.growth import soon
from skillshot.annotate.judge import judge
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record
from skillshot.llm.engine import Completion

LIMITS = ValidateParams()
NUMBER = Record("n", "Tom has 3 pens and buys 4. How many?", "", "7", answer_type="number")
CHOICE = Record("c", "Which one barks?", "", "B", options=("cat", "dog"), answer_type="choice")
NAMED = Record("t", "Which one barks?", "", "dog", options=("cat", "dog"), answer_type="choice_text")
YES = Record("b", "Is water wet?", "", "yes", answer_type="bool")
TEXT = Record("x", "Who wrote it?", "", "Jane Austen", answer_type="text")
SQL = Record(
    "s", "Names of old people?", "", "SELECT name FROM person WHERE age > 60", "person (id, name, age)",
    answer_type="sql",
)  # fmt: skip
FORM = Record("l", "The boy slept .", "", "sleep ( agent = * boy )", answer_type="lf")


def judged(text: str, record: Record, finish: str = "stop") -> tuple[str, str]:
    found = judge(Completion(text, 1, 1, finish), record, LIMITS)
    assert not (found.rationale and found.reason) and (found.rationale or found.reason)
    return found.rationale, found.kind


@pytest.mark.parametrize(
    ("record", "text", "kept"),
    [
        (NUMBER, " He has 3 + 4 = 7 pens.\nThe answer is 7.", "He has 3 + 4 = 7 pens."),
        (NUMBER, "3 + 4 = 7\n\nSo, the answer is: 7 pens", "3 + 4 = 7"),
        (NUMBER, "1. He has 3.\n2. He buys 4: 3 + 4 = 7.\n3. **The answer is** **7**.",
         "1. He has 3.\n2. He buys 4: 3 + 4 = 7."),
        (NUMBER, "3 + 4 = 7, so the answer is 7.", "3 + 4 = 7"),
        (NUMBER, "3 + 4 = 7.\nThe answer is 7.\nThe answer is 7.", "3 + 4 = 7."),
        (NUMBER, "    indented = 7\nStep 2: therefore, the answer is 7", "indented = 7"),
        (NUMBER, r"It is 3 + 4 = 7." "\n" r"The answer is \boxed{7}.", "It is 3 + 4 = 7."),
        (NUMBER, "<think>3 + 4 = 8? The answer is 8?</think>\n\n3 + 4 = 7.\nThe answer is 7.", "3 + 4 = 7."),
        (CHOICE, "A cat meows; a dog barks.\nThe answer is (B).", "A cat meows; a dog barks."),
        (NAMED, "A cat meows; a dog barks.\nThe answer is dog.", "A cat meows; a dog barks."),
        (YES, "Water wets things.\nThe answer is yes.", "Water wets things."),
        (TEXT, "It is Emma.\nThe answer is Jane Austen.", "It is Emma."),
        (SQL, "Old means age > 60.\nThe answer is SELECT name FROM person WHERE age > 60.", "Old means age > 60."),
        (SQL, "Old means age.\nThe answer is\n```sql\nselect name\nfrom person where age > 60;\n```", "Old means age."),
        (FORM, "Who sleeps is the boy: agent = * boy.\nThe answer is sleep(agent = * boy).",
         "Who sleeps is the boy: agent = * boy."),
    ],
)  # fmt: skip
def test_right_answers_are_kept_without_the_answer_line(record: Record, text: str, kept: str) -> None:
    assert judged(text, record) == (kept, "")


@pytest.mark.parametrize(
    ("record", "text", "reason"),
    [
        (NUMBER, "", "blank"),
        (NUMBER, " \n\t ", "blank"),
        (NUMBER, "3 + 4 = 7", "malformed"),
        (NUMBER, "3 + 4 = 7\nThe answer is", "malformed"),
        (NUMBER, "3 + 4 = 7\x1b[2J\nThe answer is 7.", "malformed"),
        (NUMBER, "3 + 4 = 7\ufffd\nThe answer is 7.", "malformed"),
        (NUMBER, "3 + 4 = \u202e7\nThe answer is 7.", "malformed"),
        (NUMBER, "3 + 4 = 8\nThe answer is 8.", "another answer"),
        (NUMBER, "3 + 4 = 8\nThe answer is 7.", "wrong equation"),
        (NUMBER, "3 + 4 = 7\nThe answer is 7.\nOr the answer is 8.", "contradicts itself"),
        (NUMBER, "So the answer is 8. No: 3 + 4 = 7.\nThe answer is 7.", "contradicts itself"),
        (NUMBER, "The answer is 7.", "no steps"),
        (NUMBER, "7\nThe answer is 7.", "no steps"),
        (NUMBER, "Tom has 3 pens and buys 4. How many?\nThe answer is 7.", "no steps"),
        (NUMBER, "He buys some.\nThe answer is 7.", "refused by a check of banks"),
        (NUMBER, "3 + 4 = 7\n" * 70 + "The answer is 7.", "over-long"),
        (NUMBER, "3 + 4 = 7 " * 2000 + "\nThe answer is 7.", "over-long"),
        (CHOICE, "A dog barks.\nThe answer is (A).", "another answer"),
        (YES, "It is not.\nThe answer is no.", "another answer"),
        (TEXT, "It is Emma.\nThe answer is Emma.", "another answer"),
        (SQL, "Old means age > 60.\nThe answer is SELECT id FROM person WHERE age > 60.", "another answer"),
        (SQL, "Old means age > 60.\nThe answer is SELECT nothing at all from.", "another answer"),
        (SQL, "select name from person where age > 60\nThe answer is SELECT name FROM person WHERE age > 60",
         "no steps"),
        (SQL, "I like cheese a lot.\nThe answer is SELECT name FROM person WHERE age > 60",
         "steps about something else"),
        (FORM, "The boy sleeps: agent = boy.\nThe answer is sleep(agent = * boy)",
         "a part that the answer does not have"),
        (FORM, "The singer does it: agent = * singer.\nThe answer is sleep ( agent = * boy )", "no steps"),
    ],
)  # fmt: skip
def test_other_answers_are_rejected_with_a_reason(record: Record, text: str, reason: str) -> None:
    assert judged(text, record) == ("", reason)


def test_a_cut_answer_is_rejected_unless_only_what_follows_it_is_cut() -> None:
    assert judged("3 + 4 = 7\nThe answ", NUMBER, "length") == ("", "cut")
    assert judged("3 + 4 = 7\nThe answer is 7", NUMBER, "length") == ("", "cut"), "it may have gone on: 75"
    assert judged("3 + 4 = 7\nThe answer is 7.\nQues", NUMBER, "length") == ("3 + 4 = 7", "")
    assert judged("3 + 4 = 7\nThe answer is 7.\nThe answer is", NUMBER, "length") == ("3 + 4 = 7", "")


@pytest.mark.parametrize(
    ("kind", "gold", "claim", "right"),
    [
        ("json", '{"a": 1, "b": [2]}', '```json\n{"b": [2],\n\n "a": 1}\n```', True),
        ("json", '{"a": 1}', '{"a": 2}', False),
        ("json", '{"a": 1}', "[" * 100_000, False),
        ("code", "def add(a):\n    return a + 1", "\n```python\ndef add(a):\n    return  a + 1\n```\nIt adds.", True),
        ("code", "def add(a):\n    return a + 1", "def add(a):\nreturn a + 1", False),
    ],
)
def test_code_and_json_are_compared_as_what_they_are(kind: str, gold: str, claim: str, right: bool) -> None:
    record = Record("r", "Add one.", "", gold, answer_type=kind)
    text, reason = judged(f"To add one to a means a + 1.\nThe answer is {claim}", record)
    assert (bool(text), reason == "another answer" or reason == "over-long") == (right, not right)


def test_html_is_text() -> None:
    assert judged("<script>3</script> + 4 = 7\nThe answer is 7.", NUMBER)[0] == "<script>3</script> + 4 = 7"


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.sampled_from("37 +=.\n*#The answer isSo,()\\{}\x1b\ud800é"), max_size=80),
    st.sampled_from(["stop", "length"]),
)
def test_no_text_breaks_the_judge_and_what_it_keeps_is_right(text: str, finish: str) -> None:
    for record in (NUMBER, CHOICE, SQL, FORM):
        rationale, _ = judged(text, record, finish)
        if rationale:
            assert judge(
                Completion(f"{rationale}\nThe answer is {record.answer}.", 1, 1, "stop"), record, LIMITS
            ).rationale


@pytest.mark.parametrize(
    "unit", ["the answer is ", "so, ", "3 + ", "3 + 4 = ", "* ", "```", "\n", "(", "a.b ", "1,000", "a"]
)
def test_the_time_is_linear_in_the_length(unit: str) -> None:
    with soon():
        for record in (NUMBER, SQL, FORM):
            judge(Completion((unit * 16_000)[:15_900] + "\nThe answer is 7.", 1, 1, "stop"), record, LIMITS)
