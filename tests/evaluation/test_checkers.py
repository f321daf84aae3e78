"""Answer checkers against labelled outputs: right and wrong ones, written by people and by the embedded model."""

# ruff: noqa: E501

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.growth import soon
from skillshot.common.errors import InputError
from skillshot.common.numerals import number
from skillshot.common.record import ANSWER_TYPES, Record
from skillshot.evaluation.checkers import check

# gold answer: what the model wrote, right ones first, then wrong ones
NUMBERS: list[tuple[str, list[str], list[str]]] = [
    ("6", [
        " 2 * 3 = 6\nThe answer is 6.", "The answer is 6", "The answer is: 6.", "the answer is 6 .", "The answer is 6.0.",
        "The answer is 6 apples.", "The answer is $6.", "The answer is 6.\nThe answer is 7.", "The answer is 6. The answer is 8.",
        "So he has 6.", "3 + 3 = 6", "The answer is 3 + 3 = 6.", "The answer is 12/2.", "The answer is 6.00 dollars.",
        "The answer is +6.", "The answer is **6**.", "The answer is \\boxed{6}.", "The answer is 6!",
        " The number of herb plants is 3*2 = 6.\nThe answer is 6.", "The answer is six (6).",
    ], [
        "The answer is 7.", "The answer is -6.", "The answer is 60.", "The answer is 0.6.", "The answer is 6/7.", "",
        "The answer is six.", "The answer is .", "I do not know.", "The answer is 66.", "6 + 1 = 7", "The answer is 6,000.",
        "The answer is 7.\nThe answer is 6.", "The answer is 1 6/7.", "The answer is 6.5.", "The answer is 6 / 0.5.",
        "The answer is 3 + 3 = 7.",
    ]),
    ("1,234.5", [
        "The answer is 1234.5.", "The answer is 1,234.5.", "The answer is $1,234.50.", "The answer is 2469/2.",
        "The answer is 1234 1/2.", "The answer is € 1,234.5",
    ], ["The answer is 1234.", "The answer is 1,234.", "The answer is 12345.", "The answer is 1.2345.", "The answer is 234.5."]),
    ("-3", ["The answer is -3.", "The answer is −3.", "The answer is -3 degrees.", "The answer is $-3.", "The answer is -$3."],
     ["The answer is 3.", "The answer is 5-3.", "The answer is --", "The answer is -30."]),
    ("3/4", ["The answer is 3/4.", "The answer is 0.75.", "The answer is 6/8.", "The answer is 75%.", "The answer is 3 / 4 cup."],
     ["The answer is 3.", "The answer is 4/3.", "The answer is 1 3/4.", "The answer is 34.", "The answer is 7.5.", "The answer is 3/0."]),
    ("25%", ["The answer is 25%.", "The answer is 25 percent.", "The answer is 25.", "The answer is 0.25.", "The answer is 1/4."],
     ["The answer is 2.5%.", "The answer is 0.25%.", "The answer is 250.", "The answer is 75%."]),
    ("0", ["The answer is 0.", "The answer is 0.00.", "The answer is 0/5."], ["The answer is 1.", "The answer is zero."]),
    ("1000000", ["The answer is 1,000,000.", "The answer is 1000000.", "The answer is $1,000,000.00."],
     ["The answer is 1.", "The answer is 1,000.", "The answer is 100000."]),
    ("0.333333", ["The answer is 0.333333.", "The answer is 1/3."], ["The answer is 0.3.", "The answer is 3."]),
    (r"\frac{3}{4}", [
        r"The answer is \frac{3}{4}.", "The answer is 3/4.", r"The answer is $\frac{3}{4}$.", "The answer is 0.75.", r"The answer is \dfrac34.",
        r"It is \boxed{\frac{3}{4}}.", r"The answer is \( \tfrac{ 6 }{ 8 } \).", r"Answer: $\boxed{\frac{3}{4}}$",
    ], [r"The answer is \frac{4}{3}.", r"The answer is -\frac{3}{4}.", r"The answer is 1\frac{3}{4}.", "The answer is 34.", r"The answer is \frac{3}{0}."]),
    (r"$-2\frac{1}{2}$", ["The answer is -2.5.", r"The answer is -\frac{5}{2}.", "The answer is −2 1/2."], ["The answer is 2.5.", "The answer is -2."]),
    ("0.75", [r"The answer is \frac{3}{4}.", r"The answer is $\frac{3}{4}$.", "The answer is 3/4.", r"The answer is 75\%."], ["The answer is 75."]),
    ("50%", ["The answer is 0.5.", "The answer is 50 %.", r"The answer is 50\%.", r"The answer is $\frac{1}{2}$."],
     ["The answer is 5.", "The answer is 0.05.", "The answer is 500%."]),
    ("0.5", ["The answer is 50%.", "The answer is 50 percent."], ["The answer is 50.", "The answer is 5%."]),
    ("6e8", ["The answer is 6e8.", "The answer is 600,000,000.", "The answer is 6E+8.", r"The answer is $6 \times 10^{8}$.", "The answer is 6×10^8 m."],
     ["The answer is 6.", "The answer is 6e7.", "The answer is 8.", "The answer is 6e-8.", "The answer is 6e8x."]),
    ("12345", [r"The answer is 12{,}345.", r"The answer is 12\,345.", r"The answer is \$12,345.", "The final answer is 12345 of 99999."], ["The answer is 12."]),
    ("-5", [r"The answer is -\$5.", "Answer: 3 - 8 = -5"], [r"The answer is \$5."]),
    ("2 1/2", ["The answer is 2.5.", "The answer is 5/2.", "The answer is 2 1/2 hours."], ["The answer is 2.", "The answer is 21/2."]),
]  # fmt: skip

OPTIONS = ("6", "18", "24", "36", "48")
CHOICES: list[tuple[str, list[str], list[str]]] = [
    ("C", [
        "The answer is C.", "The answer is (C).", "The answer is C) 24.", "The answer is c.", "The answer is (c) 24",
        "The answer is option C.", "The answer is C, 24.", "The answer is 24.", "The answer is Option (C).", "The answer is C: 24",
        r"\boxed{C}", r"So it is $\boxed{\text{C}}$.", "**C**", "Answer: C", "**Answer:** C", "The final answer is C.", "The answer is **C**.",
        r"The answer is \textbf{(C)}.", "The answer is **C)** 24.", "It fits. So the correct answer is C.", "**Final answer**: (C) 24", r"Answer: $24$",
    ], [
        "The answer is B.", "The answer is (D).", "The answer is 18.", "The answer is .", "", "The answer is Z.", "The answer is 25.",
        "The answer is ABC.", "Could be anything", "The answer is B) 24.",
        r"\boxed{B}", "**D**", "Answer: B", "The final answer is D.", "To find the answer: compare them.", r"\boxed{", "****",
    ]),
]  # fmt: skip

COLOURS = ("the red box", "a blue box", "shop A", "surplus")
CHOICE_TEXTS: list[tuple[str, list[str], list[str]]] = [
    ("surplus", ["The answer is surplus.", "The answer is Surplus", "The answer is (D) surplus.", "The answer is D.",
                 "The answer is a surplus.", 'The answer is "surplus".'],
     ["The answer is shortage.", "The answer is C.", "The answer is not surplus.", "", "The answer is surplus or shortage."]),
    ("the red box", ["The answer is the red box.", "The answer is red box.", "The answer is (A).", "The answer is A) the red box"],
     ["The answer is a blue box.", "The answer is B.", "The answer is box.", "The answer is the red."]),
    ("shop A", ["The answer is shop A.", "The answer is Shop a.", "The answer is C."], ["The answer is shop B.", "The answer is A."]),
]  # fmt: skip

BOOLS: list[tuple[str, list[str], list[str]]] = [
    ("no", ["The answer is no.", "The answer is No", "The answer is false.", "The answer is no, it floats.", "So it is not so.\nNo.",
            "The answer is NO!", "The answer is no."],
     ["The answer is yes.", "The answer is true.", "The answer is maybe.", "", "The answer is yes, not no.", "The answer is nothing."]),
    ("True", ["The answer is TRUE.", "Answer: true", "**True**", r"\boxed{\text{True}}"], ["The answer is False.", "The answer is Unknown."]),
    ("Unknown", ["The answer is Unknown.", "The answer is unknown", "Answer: UNKNOWN", "The answer is **Unknown**."],
     ["The answer is True.", "The answer is no.", "", "The answer is known."]),
    ("true", ["The answer is yes.", "The answer is True.", "The answer is correct.", "Yes"],
     ["The answer is no.", "The answer is untrue.", "The answer is false.", "The answer is ye."]),
]  # fmt: skip

FORMS: list[tuple[str, list[str], list[str]]] = [
    ("roll ( agent = Emma , theme = teacher )", [
        "The answer is roll ( agent = Emma , theme = teacher ).", "The answer is roll(agent=Emma, theme=teacher).",
        "The answer is roll ( agent = Emma,theme = teacher )", "The answer is  roll  ( agent = Emma , theme = teacher ) .",
        " For the verb roll, write it.\nThe answer is roll ( agent = Emma , theme = teacher ).",
        "roll ( agent = Emma , theme = teacher )",
    ], [
        "The answer is roll ( agent = Emma , theme = * teacher ).", "The answer is roll ( theme = teacher , agent = Emma ).",
        "The answer is roll ( agent = emma , theme = teacher ).", "The answer is roll ( agent = Emma ).", "",
        "The answer is roll ( agent = Emma , theme = teacher", "The answer is rolled ( agent = Emma , theme = teacher ).",
        "The answer is roll ( agent = Emma , theme = teacher ) )",
    ]),
    ("* cake", ["The answer is * cake."], ["The answer is cake.", "The answer is *cake."]),
]  # fmt: skip

SCHEMA = "singer (Singer_ID, Name, Age, Country)\nconcert (concert_ID, Name, Year)\nsinger_in_concert (concert_ID, Singer_ID)"
QUERIES: list[tuple[str, list[str], list[str]]] = [
    ("SELECT name , age FROM singer WHERE age > 20 ORDER BY age DESC", [
        "The answer is SELECT name , age FROM singer WHERE age > 20 ORDER BY age DESC.",
        "The answer is select age, name from singer where age > 30 order by age desc;",
        "The answer is SELECT T1.name, T1.age FROM singer AS T1 WHERE T1.age > 20 ORDER BY T1.age DESC",
        "The answer is SELECT singer.Name, Age\nFROM singer\nWHERE Age > 20\nORDER BY Age DESC",
        "The answer is SELECT `name`, age FROM singer WHERE singer.age > 'x' ORDER BY age DESC",
    ], [
        "The answer is SELECT name FROM singer WHERE age > 20 ORDER BY age DESC.",
        "The answer is SELECT name , age FROM singer WHERE age >= 20 ORDER BY age DESC.",
        "The answer is SELECT name , age FROM singer WHERE age > 20 ORDER BY age.",
        "The answer is SELECT name , age FROM singer WHERE age > 20 ORDER BY age ASC.",
        "The answer is SELECT name , age FROM singer ORDER BY age DESC.",
        "The answer is SELECT name , age FROM concert WHERE age > 20 ORDER BY age DESC.",
        "The answer is SELECT name , age FROM singer WHERE age > 20 ORDER BY age DESC LIMIT 1.", "", "The answer is SELECT .",
        "The answer is name, age.", "The answer is SELECT name , age WHERE age > 20 FROM",
    ]),
    ("SELECT count(*) FROM singer", [
        "The answer is SELECT count(*) FROM singer.", "The answer is SELECT COUNT ( * ) FROM singer", "SELECT count(*) FROM singer",
        "The answer is SELECT COUNT(*) FROM singer AS T1;",
    ], ["The answer is SELECT count(name) FROM singer.", "The answer is SELECT sum(*) FROM singer.", "The answer is SELECT * FROM singer."]),
    ("SELECT T2.name FROM singer_in_concert AS T1 JOIN singer AS T2 ON T1.singer_id = T2.singer_id WHERE T1.concert_id = 1 AND T2.age < 5", [
        "The answer is SELECT T1.name FROM singer AS T1 JOIN singer_in_concert AS T2 ON T1.singer_id = T2.singer_id "
        "WHERE T2.concert_id = 7 AND T1.age < 9",
        "The answer is SELECT singer.name FROM singer JOIN singer_in_concert ON singer.singer_id = singer_in_concert.singer_id "
        "WHERE age < 5 AND concert_id = 1",
    ], [
        "The answer is SELECT T1.name FROM singer AS T1 JOIN concert AS T2 ON T1.singer_id = T2.singer_id WHERE T2.concert_id = 1 AND T1.age < 5",
        "The answer is SELECT T2.name FROM singer_in_concert AS T1 JOIN singer AS T2 ON T1.singer_id = T2.singer_id "
        "WHERE T1.concert_id = 1 OR T2.age < 5",
    ]),
    ("SELECT country FROM singer WHERE age > 40 INTERSECT SELECT country FROM singer WHERE age BETWEEN 3 AND 30", [
        "The answer is SELECT country FROM singer WHERE age > 40 INTERSECT SELECT country FROM singer WHERE age BETWEEN 1 AND 2",
    ], [
        "The answer is SELECT country FROM singer WHERE age > 40 UNION SELECT country FROM singer WHERE age BETWEEN 3 AND 30",
        "The answer is SELECT country FROM singer WHERE age > 40",
    ]),
    ("SELECT name FROM singer WHERE singer_id NOT IN (SELECT singer_id FROM singer_in_concert)", [
        "The answer is SELECT name FROM singer WHERE singer_id NOT IN (SELECT T1.singer_id FROM singer_in_concert AS T1)",
    ], [
        "The answer is SELECT name FROM singer WHERE singer_id IN (SELECT singer_id FROM singer_in_concert)",
        "The answer is SELECT name FROM singer WHERE singer_id NOT IN (SELECT concert_id FROM singer_in_concert)",
    ]),
    ("SELECT country , count(*) FROM singer GROUP BY country HAVING count(*) > 2", [
        "The answer is SELECT count(*), country FROM singer GROUP BY country HAVING count(*) > 5",
        "The answer is SELECT DISTINCT country, count(*) FROM singer GROUP BY singer.country HAVING count(*) > 2",
    ], [
        "The answer is SELECT country , count(*) FROM singer GROUP BY name HAVING count(*) > 2",
        "The answer is SELECT country , count(*) FROM singer GROUP BY country",
    ]),
]  # fmt: skip

TEXTS: list[tuple[str, list[str], list[str]]] = [
    ("(B)", ["The answer is (B).", "The answer is (B) 05/01/2021.", "**B**", "Answer: B"], ["The answer is (A).", "The answer is Bob.", ""]),
    ("A", ["The answer is A.", "The answer is (a)"], ["The answer is B.", "The answer is a dog."]),
    (r"\frac{\sqrt{3}}{2}", [r"The answer is $\frac{\sqrt{3}}{2}$."], [r"The answer is \frac{\sqrt{2}}{2}."]),
    ("] ] )", ["The answer is ] ] ).", "The answer is ]])"], ["The answer is ] ].", "The answer is ) ] ]."]),
    ("0.75", ["The answer is 3/4."], ["The answer is 3/5."]),  # declared as text
    ("Seoul", ["The answer is Seoul.", "The answer is seoul", "The answer is 'Seoul'.", "The answer is the Seoul.", "Answer: Seoul", r"\boxed{\text{Seoul}}", "**Seoul**"],

     ["The answer is Busan.", "Answer: Busan", r"\boxed{Busan}", "", "The answer is .", "The answer is Seoul, Korea."]),
    ("Unknown", ["The answer is unknown.", "The answer is UNKNOWN"], ["The answer is True."]),
    ("오전 9시", ["The answer is 오전 9시.", "The answer is: 오전 9시"], ["The answer is 오후 9시.", "The answer is 9시."]),
    ("10:30 A.M.", ["The answer is 10:30 A.M.", "The answer is 10:30 a.m.."], ["The answer is 10:30 P.M.", "The answer is 10:31 A.M."]),
]  # fmt: skip

OBJECT = '{"name": "book", "arguments": {"city": "Oslo", "nights": 2}}'
OBJECTS: list[tuple[str, list[str], list[str]]] = [
    (OBJECT, [
        f"The answer is {OBJECT}.", OBJECT, f"```json\n{OBJECT}\n```", f"The answer is:\n```\n{OBJECT}\n```\nI hope it helps.",
        'The answer is {"arguments": {"nights": 2.0, "city": "Oslo"}, "name": "book"}', f"We call it.\n\nThe answer is\n{OBJECT}",
        'The answer is\n{\n  "name": "book",\n\n  "arguments": {"city": "Oslo", "nights": 2}\n}', f"The answer is {OBJECT}\nThe answer is 4.",
        'The answer is {"name": "book", "arguments": "{\\"city\\": \\"Oslo\\", \\"nights\\": 2}"}',
        "The answer is {'name': 'book', 'arguments': {'city': 'Oslo', 'nights': 2}}.", f"The answer is {OBJECT}\n\nQuestion: next?",
    ], [
        'The answer is {"name": "book", "arguments": {"city": "Oslo", "nights": 3}}.', 'The answer is {"name": "book"}', "", "The answer is book.",
        'The answer is {"name": "book", "arguments": {"city": "oslo", "nights": 2}}', 'The answer is {"name": "book", "arguments": {"city": "Oslo", "nights": "2"}}',
        "The answer is {", "The answer is [].",
    ]),
    ("[1, 2]", ["The answer is [1, 2].", "The answer is [1.0,2]", "[1, 2]", "The answer is 1, 2."], ["The answer is [2, 1].", "The answer is [1, 2, 3]"]),
]  # fmt: skip

PROGRAM = "def f(xs):\n    t = sum(xs)\n\n    return t / len(xs)"
PROGRAMS: list[tuple[str, list[str], list[str]]] = [
    (PROGRAM, [
        f"The answer is\n{PROGRAM}", PROGRAM, f"```python\n{PROGRAM}\n```", f"Here it is:\n```py\n{PROGRAM}\n```\nIt divides.",
        "The answer is:\ndef f(xs):\n  t = sum( xs )  # all of them\n  return (t / len(xs))", f"The answer is\n{PROGRAM}\n\nQuestion: Another?",
    ], ["The answer is f.", "", PROGRAM.replace("/", "*"), PROGRAM.replace("f(", "g("), f"{PROGRAM}\n    return 0", "I do not know."]),
    ("xs.filter(x => x > 0);", ["The answer is xs.filter( x => x>0 ) ;", "xs.filter(x => x > 0);."], ["The answer is xs.filter(x => x < 0);", "xs"]),
]  # fmt: skip

TABLES = {
    "number": (NUMBERS, {}),
    "choice": (CHOICES, {"options": OPTIONS}),
    "choice_text": (CHOICE_TEXTS, {"options": COLOURS}),
    "bool": (BOOLS, {}),
    "lf": (FORMS, {}),
    "sql": (QUERIES, {"context": SCHEMA}),
    "json": (OBJECTS, {}),
    "code": (PROGRAMS, {}),
    "text": (TEXTS, {}),
}
CASES = [
    (kind, gold, text, right, fields)
    for kind, (table, fields) in TABLES.items()
    for gold, rights, wrongs in table
    for right, texts in ((True, rights), (False, wrongs))
    for text in texts
]


def test_there_are_at_least_two_hundred_labelled_cases_of_every_type() -> None:
    assert len(CASES) >= 200
    assert {kind for kind, *_ in CASES} == set(ANSWER_TYPES)


@pytest.mark.parametrize(("kind", "gold", "text", "right", "fields"), CASES)
def test_verdict(kind: str, gold: str, text: str, right: bool, fields: dict[str, object]) -> None:
    record = Record("q", "?", answer=gold, answer_type=kind, **fields)  # type: ignore[arg-type]
    assert check(text, record).correct is right


@pytest.mark.parametrize(
    ("kind", "text", "valid"),
    [
        ("number", "The answer is 4.", True),
        ("number", "4", False),
        ("number", "The answer is many.", False),
        ("bool", "The answer is yes.", True),
        ("bool", "The answer is perhaps.", False),
        ("choice", "The answer is (B).", True),
        ("choice", "The answer is .", False),
        ("choice", "The answer is **B**.", True),
        ("choice", "Answer: B", False),
        ("bool", "The answer is Unknown.", True),
        ("sql", "The answer is WITH a AS (SELECT 1) SELECT * FROM a.", True),
        ("sql", "The answer is SELECT 1.", True),
        ("sql", "The answer is unknown.", False),
        ("text", "The answer is x.", True),
        ("lf", "x ( y = z )", False),
    ],
)
def test_valid_means_the_cue_and_an_answer_of_the_type(kind: str, text: str, valid: bool) -> None:
    assert check(text, Record("q", "?", answer="4", answer_type=kind)).valid is valid


@pytest.mark.parametrize(
    "text", ["1" * 9000, "1/" + "1" * 9000, "\\frac{" * 9000, " " * 9000 + "*", "\\boxed{" * 9000, "answer " * 9000]
)
def test_a_long_answer_is_wrong_in_good_time(text: str) -> None:
    with soon():
        for kind in ANSWER_TYPES:
            assert not check(text, Record("q", "?", answer="7", answer_type=kind)).correct
            assert not check(f"The answer is {text}", Record("q", "?", answer="7", answer_type=kind)).correct


def test_a_verdict_on_code_states_what_it_compared() -> None:
    assert check("x = f(1)", Record("q", "?", answer="x = f(1)", answer_type="code")).basis == "text of the programs"
    assert check("1", Record("q", "?", answer="1", answer_type="number")).basis == ""


@pytest.mark.parametrize(
    ("gold", "text"), [("(b)", "The answer is B."), ("B. 18", "The answer is 18."), ("18", "The answer is (B)")]
)
def test_a_choice_as_it_is_written_is_read(gold: str, text: str) -> None:
    assert check(text, Record("q", "?", answer=gold, options=OPTIONS, answer_type="choice")).correct


def test_unknown_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"q: answer_type 'poem' is unknown; use one of number"):
        check("The answer is 4.", Record("q", "?", answer="4", answer_type="poem"))


@given(st.integers(-(10**12), 10**12))
def test_an_integer_is_read_however_it_is_grouped(value: int) -> None:
    assert number(f"{value:,} units") == number(f"{value} units") == (value, False)


@example(text=";", kind="sql")
@given(st.text(max_size=80), st.sampled_from(ANSWER_TYPES))
def test_any_text_gets_a_verdict_and_an_empty_gold_is_never_right(text: str, kind: str) -> None:
    assert check(text, Record("q", "?", answer="", answer_type=kind)).correct is False


@given(st.sampled_from([gold for gold, *_ in QUERIES]))
def test_every_query_matches_itself(query: str) -> None:
    assert check(f"The answer is {query}.", Record("q", "?", answer=query, answer_type="sql", context=SCHEMA)).correct
