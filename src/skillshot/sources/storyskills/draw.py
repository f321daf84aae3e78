"""Draw story and skill independently, fill in the words, run the program."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator

from skillshot.common.record import Record, normalise_question
from skillshot.sources.storyskills.dsl import Theme, number, variants
from skillshot.sources.storyskills.languages import ENGLISH, KOREAN, Language
from skillshot.sources.storyskills.skills import SKILLS

KOREAN_SHARE = 0.08


def generate(size: int, seed: int) -> list[Record]:
    """The first `size` records of `stream(seed)`."""
    return list(itertools.islice(stream(seed), size))


def stream(seed: int) -> Iterator[Record]:
    """Endless records `story-<seed>-0`, `story-<seed>-1`, ...: the same bytes for a seed on any machine.

    No two have the same normalised question: a duplicate is drawn again, from a seed of its own.
    """
    seen: set[str] = set()
    index = 0
    while True:
        attempt = 0
        while (key := normalise_question((record := _draw(seed, index, attempt)).question)) in seen:
            attempt += 1
        seen.add(key)
        yield record
        index += 1


def _draw(seed: int, index: int, attempt: int) -> Record:
    # a string seed is hashed with SHA-512, so it does not depend on PYTHONHASHSEED
    rng = random.Random(f"storyskills/{seed}/{index}/{attempt}")
    language = KOREAN if rng.random() < KOREAN_SHARE else ENGLISH
    theme = rng.choice(language.themes)
    skill = SKILLS[rng.choice(language.skills)]
    wording = language.wordings[skill.name]
    numbers = skill.numbers(rng)
    trace = list(skill.run(numbers))
    words = words_of(theme, rng) | {name: number(value) for name, value in numbers.items()}
    phrasing = rng.randrange(len(wording.ask))
    asides = [aside.replace("{k}", str(rng.randrange(2, 60))) for aside in rng.sample(theme.aside, language.asides)]
    question = [rng.choice(theme.opening), *asides, wording.ask[phrasing]]
    why = [rng.choice(variants(alternatives)) for alternatives in wording.why]
    rationale = [f"{line}: {equation}." for line, (_, equation) in zip(why, trace, strict=True)]
    return Record(
        id=f"story-{seed}-{index}",
        question=fill(" ".join(question), words, language),
        rationale="\n".join(fill(line, words, language) for line in rationale),
        answer=number(trace[-1][0]),
        unit=fill(language.units.get(skill.unit, skill.unit), words, language, sentence=False),
        answer_type="number",
        group=f"{language.code}-{theme.name}-{skill.name}-{phrasing}",
        metadata={"skill": skill.name, "steps": skill.steps, "theme": theme.name, "language": language.code},
    )


def words_of(theme: Theme, rng: random.Random) -> dict[str, str]:
    """Every slot a template may name; `{item}` and `{items}` are one noun, `{other}` is another one."""
    a, b, c = rng.sample(theme.people, 3)
    item, other = rng.sample(theme.items, 2)
    stuff, stuff2 = rng.sample(theme.stuff, 2)
    words = {"A": a, "B": b, "C": c, "stuff": stuff, "stuff2": stuff2, "money": theme.money}
    words |= {"vehicle": theme.vehicle, "patch": theme.patch, "tank": theme.tank}
    for slot, plural, noun in (
        ("item", "items", item),
        ("other", "others", other),
        ("box", "boxes", theme.box),
        ("worker", "workers", theme.worker),
    ):
        words[slot], _, many = noun.partition("/")
        words[plural] = many or words[slot]
    return words


def fill(template: str, words: dict[str, str], language: Language, sentence: bool = True) -> str:
    """A template with its slots filled in, spelled as the language wants it; sentences begin with a capital."""
    text = language.finish(template.format_map(words))
    return re.sub(r"(?:^|(?<=[.!?] ))[a-z]", lambda m: m[0].upper(), text) if sentence else text
