"""storyskills: numbers follow from the program, texts are clean, the draw is reproducible."""

import re
import string
import unicodedata
from collections import Counter
from fractions import Fraction

import pytest

from skillshot.common.record import normalise_question
from skillshot.sources.storyskills import SKILLS, THEMES, generate, stream
from skillshot.sources.storyskills import draw as draw_module
from skillshot.sources.storyskills.dsl import OPERATORS, number, variants
from skillshot.sources.storyskills.korean import particles
from skillshot.sources.storyskills.languages import ENGLISH, KOREAN, articles

EQUATION = re.compile(r": (ceil\()?([\d.]+)( [-+*/] | mod |% of )([\d.]+)\)? = ([\d.]+)\.$")
NAMES = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "mod": "remainder", "% of": "percent"}
VALUES = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "remainder": lambda a, b: a % b,
    "percent": lambda a, b: a * b / 100,
    "round_up": lambda a, b: -(-a // b),
}


@pytest.fixture(scope="module")
def records():
    return generate(3000, seed=5)


def test_size_of_the_tables():
    assert len(SKILLS) >= 40
    assert len(THEMES) >= 30
    assert len(KOREAN.themes) >= 12
    assert len(KOREAN.skills) >= 15
    assert {operator.name for operator in OPERATORS.values()} == set(VALUES)


def test_equations_recompute_to_the_answer_and_to_the_labels(records):
    for record in records:
        steps = []
        for line in record.rationale.split("\n"):
            match = EQUATION.search(line)
            assert match, line
            rounded, a, symbol, b, c = match.groups()
            steps.append("round_up" if rounded else NAMES[symbol.strip()])
            assert VALUES[steps[-1]](Fraction(a), Fraction(b)) == Fraction(c), line
        assert c == record.answer
        assert steps == record.metadata["steps"] == SKILLS[record.metadata["skill"]].steps


def test_every_given_number_is_in_the_question(records):
    """Each operand is in the question, an earlier result, or a constant of the program."""
    for record in records:
        known = {Fraction(n) for n in re.findall(r"\d+(?:\.\d+)?", record.question)}
        known |= {
            Fraction(word)
            for line in SKILLS[record.metadata["skill"]].program
            for word in line.split()
            if word.isdigit()
        }
        for line in record.rationale.split("\n"):
            a, b, c = (Fraction(EQUATION.search(line)[i]) for i in (2, 4, 5))
            assert {a, b} <= known, (record.question, line)
            known.add(c)


def test_answers_are_positive_and_written_plainly(records):
    for record in records:
        assert re.fullmatch(r"[1-9]\d*|\d+\.\d{0,1}[1-9]", record.answer), record.answer
        assert record.answer_type == "number"


def test_questions_are_distinct_and_ids_follow_the_index(records):
    assert len({normalise_question(record.question) for record in records}) == len(records)
    assert [record.id for record in records] == [f"story-5-{i}" for i in range(len(records))]


def test_a_repeated_question_is_drawn_again(monkeypatch):
    draw, calls = draw_module._draw, []

    def twice_the_same(seed, index, attempt):
        calls.append((index, attempt))
        return draw(seed, 0, 0) if attempt == 0 else draw(seed, index, attempt)

    monkeypatch.setattr(draw_module, "_draw", twice_the_same)
    questions = [record.question for record in generate(3, 1)]
    assert len(set(questions)) == 3
    assert calls == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)]


def test_words_are_clean(records):
    for record in records:
        for text in (record.question, record.rationale, record.unit):
            assert not re.search(r"[{}|]|  | [.,?]|\(를\)|\(가\)|\(는\)|\(와\)", text), text
            assert unicodedata.is_normalized("NFC", text)
            assert not re.search(r"\ba [aeio]|\ban (?!hour|[aeiou8]|11\b|18\b)|\ba (8|11|18)\b|\bA [aeio]", text), text
            assert text == text.strip()
        assert record.question[-1] in ".?"
        if record.metadata["language"] == "en":
            assert not re.search(r"[.?!] [a-z]|^[a-z]|\n[a-z]", record.question + "\n" + record.rationale)
            assert not re.search(r"[가-힣]", record.question)
        else:
            assert re.search(r"[가-힣]", record.question)


@pytest.mark.parametrize("language", [ENGLISH, KOREAN], ids=lambda language: language.code)
def test_templates_name_known_slots_and_vary(language):
    slots = {"A", "B", "C", "item", "items", "other", "others", "box", "boxes", "worker", "workers"}
    slots |= {"vehicle", "patch", "tank", "stuff", "stuff2", "money"}
    for name, wording in language.wordings.items():
        skill = SKILLS[name]
        assert len(set(wording.ask)) >= 4, name
        assert len(wording.why) == len(skill.program) <= 4, name
        assert all(len(set(variants(line))) >= 3 for line in wording.why), name
        for template in wording.ask:
            used = {field for _, field, _, _ in string.Formatter().parse(template) if field}
            assert used <= slots | set(skill.draw), (name, template)
            assert set(skill.draw) <= used, (name, template)
        for template in wording.why:
            used = {field for _, field, _, _ in string.Formatter().parse(template) if field}
            assert used <= slots, (name, template)


def test_themes_are_distinct_and_rich():
    for language in (ENGLISH, KOREAN):
        assert len({theme.name for theme in language.themes}) == len(language.themes)
        for theme in language.themes:
            assert len(set(theme.people)) >= 4
            assert len(set(theme.items)) >= 4
            assert len(set(theme.opening)) >= 2
            assert len(set(theme.aside)) > 1
    openings = [line for theme in THEMES.values() for line in theme.opening]
    assert len(set(openings)) == len(openings)


def test_stream_is_lazy_and_a_prefix_of_every_size():
    first = generate(20, seed=9)
    assert first == generate(40, seed=9)[:20]
    assert [next(records).id for records in [stream(9)]] == ["story-9-0"]
    assert not {record.question for record in first} & {record.question for record in generate(20, seed=10)}


def test_near_duplicates_share_a_group_and_groups_stay_small(records):
    for record in records:
        assert record.metadata["skill"] in record.group
        assert record.metadata["theme"] in record.group
    sizes = Counter(record.group for record in records)
    assert max(sizes.values()) < len(records) / 100


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a apple", "an apple"),
        ("A ice axe", "An ice axe"),
        ("a unicorn", "a unicorn"),
        ("a 8", "an 8"),
        ("a 80%", "an 80%"),
    ],
)
def test_articles(text, right):
    assert articles(text) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("사과을(를)", "사과를"),
        ("귤을(를)", "귤을"),
        ("민수이(가) 3은(는)", "민수가 3은"),
        ("2은(는) 별과(와)", "2는 별과"),
    ],
)
def test_particles(text, right):
    assert particles(text) == right


@pytest.mark.parametrize(
    ("value", "text"), [(12, "12"), (Fraction(5, 2), "2.5"), (Fraction(1, 20), "0.05"), (Fraction(7, 3), "7/3")]
)
def test_number(value, text):
    assert number(value) == text
