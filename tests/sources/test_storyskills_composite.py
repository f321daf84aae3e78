"""Composite questions: each skill receives the result of the one before; the default draw is untouched."""

import hashlib
import itertools
import json
import os
import random
import re
import string
import subprocess
import sys
from collections import Counter
from fractions import Fraction

import pytest

from skillshot.common.record import normalise_question
from skillshot.sources.storyskills import SKILLS, composites, generate
from skillshot.sources.storyskills.dsl import number
from skillshot.sources.storyskills.links import LINKS, followers

DIGEST = """
import hashlib, json
from skillshot.sources.storyskills import composites
print(hashlib.sha256(json.dumps([r.to_dict() for r in composites(30, 3)]).encode()).hexdigest())
"""
RESULT = re.compile(r"([\d.]+)\.$")


@pytest.fixture(scope="module")
def records():
    return composites(240, seed=5)


def test_skills_are_two_to_four_in_equal_shares_and_can_follow_each_other(records):
    assert Counter(len(record.metadata["skills"]) for record in records) == {2: 80, 3: 80, 4: 80}
    for record in records:
        names = record.metadata["skills"]
        assert len(set(names)) == len(names)
        for name, after in itertools.pairwise(names):
            assert after in followers(name)
            assert LINKS[after].takes == LINKS[name].gives != ""
    assert {name for record in records for name in record.metadata["skills"]} == set(LINKS)


def test_the_result_of_a_skill_is_an_operand_of_the_next_and_the_last_is_the_answer(records):
    for record in records:
        lines, names = record.rationale.split("\n"), record.metadata["skills"]
        assert record.metadata["steps"] == [step for name in names for step in SKILLS[name].steps]
        at, before = 0, None
        for name in names:
            own = lines[at : at + len(SKILLS[name].program)]
            at += len(own)
            if before is not None:
                assert any(re.search(rf"(?<![\d.]){before}(?![\d.])", line) for line in own), (before, own)
            before = RESULT.search(own[-1]).group(1)
        assert at == len(lines)
        assert before == record.answer


def test_operands_are_in_the_question_an_earlier_line_or_the_program(records):
    for record in records:
        known = {Fraction(text) for text in re.findall(r"\d+(?:\.\d+)?", record.question)}
        for name in record.metadata["skills"]:
            known |= {Fraction(word) for line in SKILLS[name].program for word in line.split() if word.isdigit()}
        for line in record.rationale.split("\n"):
            left, result = line.rsplit(" = ", 1)
            operands = [Fraction(text) for text in re.findall(r"\d+(?:\.\d+)?", left.rsplit(": ", 1)[1])]
            assert len(operands) == 2
            assert set(operands) <= known, (record.question, line)
            known.add(Fraction(result.rstrip(".")))


def test_intermediate_results_are_not_in_the_question_by_name(records):
    """Each further skill receives a result in words: its number would make the chain unnecessary."""
    for record in records:
        for name in record.metadata["skills"][1:]:
            assert LINKS[name].slot
        assert "{" not in record.question + record.rationale + record.unit
        assert not re.search(r"[.?!] [a-z]|^[a-z]|\n[a-z]|  ", record.question + "\n" + record.rationale)
        assert re.fullmatch(r"[1-9]\d*|\d+\.\d{0,1}[1-9]", record.answer)
    assert len({normalise_question(record.question) for record in records}) == len(records)


def test_links_name_the_numbers_and_words_that_their_skill_has():
    words = {"A", "B", "item", "items", "others", "box", "boxes", "worker", "patch", "money", "it"}
    for name, link in LINKS.items():
        numbers = set(SKILLS[name].draw) - {link.slot}
        assert link.slot in SKILLS[name].draw or not link.takes
        assert bool(link.result) == bool(link.gives)
        for states in link.states:
            used = {field for _, field, _, _ in string.Formatter().parse(states) if field}
            assert numbers <= used <= numbers | words, (name, states)
            assert ("it" in used) == bool(link.takes)
        for text in (link.result, *link.asks):
            assert {field for _, field, _, _ in string.Formatter().parse(text) if field} <= numbers | words


def test_any_process_draws_the_same_and_a_longer_draw_begins_with_the_shorter():
    command = [sys.executable, "-c", DIGEST]
    there = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    }
    here = hashlib.sha256(json.dumps([r.to_dict() for r in composites(30, 3)]).encode()).hexdigest()
    assert there == {here + "\n"}
    assert composites(10, 3) == composites(30, 3)[:10]


def test_the_default_bank_is_as_it_was_before_there_were_composites():
    text = json.dumps([record.to_dict() for record in generate(2000, 7)])
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "0d3ed03778056d860d3428494fe575b63839c85620b1166e03615db53771f8ab"
    )


def test_numbers_may_be_given():
    found = SKILLS["fraction_of"].found(random.Random(0), 500, {"total": 60})
    assert found["total"] == 60
    assert [number(value) for value, _ in SKILLS["fraction_of"].run(found)][-1].isdigit()
    assert SKILLS["fraction_of"].found(random.Random(0), 500, {"total": 61}) is None  # a prime above all denominators
