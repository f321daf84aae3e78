"""storyskills as a measuring instrument: story and skill are independent, and any process gives the same bytes."""

import hashlib
import json
import math
import os
import random
import subprocess
import sys
from collections import Counter

import pytest

from skillshot.sources.storyskills import SKILLS, generate

DIGEST = """
import hashlib, json
from skillshot.sources.storyskills import generate
print(hashlib.sha256(json.dumps([r.to_dict() for r in generate(150, 3)]).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def records():
    return generate(4000, seed=11)


def information(pairs):
    """Mutual information of two labels in nats, plug-in estimate."""
    n, joint = len(pairs), Counter(pairs)
    left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    return sum(c / n * math.log(c * n / (left[a] * right[b])) for (a, b), c in joint.items())


@pytest.mark.parametrize("story", ["theme", "people", "opening"])
def test_story_does_not_reveal_the_skill(records, story):
    """The plug-in estimate is biased upwards, so it is compared with shuffled labels."""
    english = [r for r in records if r.metadata["language"] == "en"]
    skills = [r.metadata["skill"] for r in english]
    seen = {
        "theme": [r.metadata["theme"] for r in english],
        "people": [r.question.split(". ")[0].split()[-1] for r in english],
        "opening": [r.question[:40] for r in english],
    }[story]
    measured = information(list(zip(skills, seen, strict=True)))
    rng, null = random.Random(0), []
    for _ in range(20):
        rng.shuffle(skills)
        null.append(information(list(zip(skills, seen, strict=True))))
    assert measured < max(null) * 1.02
    assert information([(r.metadata["skill"], r.metadata["skill"]) for r in english]) > 3


def test_skills_are_about_equally_frequent(records):
    english = Counter(r.metadata["skill"] for r in records if r.metadata["language"] == "en")
    expected = sum(english.values()) / len(SKILLS)
    assert set(english) == set(SKILLS)
    chi_square = sum((count - expected) ** 2 / expected for count in english.values())
    freedom = len(SKILLS) - 1
    assert chi_square < freedom + 4 * math.sqrt(2 * freedom)


def test_share_of_korean(records):
    share = sum(r.metadata["language"] == "ko" for r in records) / len(records)
    assert 0.06 < share < 0.10


@pytest.mark.parametrize("hash_seed", ["0", "1", "77"])
def test_same_bytes_in_another_process(hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    other = subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True)
    here = hashlib.sha256(json.dumps([r.to_dict() for r in generate(150, 3)]).encode()).hexdigest()
    assert other.stdout.strip() == here
