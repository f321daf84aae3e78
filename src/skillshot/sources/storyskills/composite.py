"""Questions that need several skills: the result of each is what the next one receives."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from skillshot.common.record import Record, normalise_question
from skillshot.sources.storyskills.draw import fill, words_of
from skillshot.sources.storyskills.dsl import number, variants
from skillshot.sources.storyskills.languages import ENGLISH
from skillshot.sources.storyskills.links import FIRST, LINKS, followers
from skillshot.sources.storyskills.skills import SKILLS

SKILLS_EACH = (2, 3, 4)
DRAWS = 200  # of the numbers of one skill; a chain without valid numbers is drawn again
LARGEST = 10_000  # result that a further skill receives


def composites(size: int, seed: int) -> list[Record]:
    """Questions of two to four skills, ids `composite-<seed>-0` ...; the same bytes for a seed on any machine.

    Their draw is apart from that of `generate`. They are in English. `metadata["skills"]` names the skills in order.
    """
    return list(itertools.islice(_stream(seed), size))


def _stream(seed: int) -> Iterator[Record]:
    """Endless records; no two have the same normalised question."""
    seen: set[str] = set()
    for index in itertools.count():
        for attempt in itertools.count():
            record = _draw(seed, index, attempt)
            if record is not None and (key := normalise_question(record.question)) not in seen:
                seen.add(key)
                yield record
                break


def _draw(seed: int, index: int, attempt: int) -> Record | None:
    """One record; None where the drawn chain has no end or no valid numbers."""
    rng = random.Random(f"storyskills composites/{seed}/{index}/{attempt}")
    names = _chain(SKILLS_EACH[index % len(SKILLS_EACH)], rng)
    theme = rng.choice(ENGLISH.themes)
    words = words_of(theme, rng)
    stated, rationale, steps = [], list[str](), list[str]()
    value, received = None, ""
    for name in names:
        link, skill = LINKS[name], SKILLS[name]
        numbers = skill.found(rng, DRAWS, {} if value is None else {link.slot: value})
        if numbers is None:
            return None
        slots = words | {slot: number(drawn) for slot, drawn in numbers.items()}
        if value is None and link.slot:
            received = FIRST[link.takes].format_map(slots | {"received": number(numbers[link.slot])})
        slots["it"] = received
        trace = list(skill.run(numbers))
        stated.append(fill(rng.choice(link.states), slots, ENGLISH))
        rationale += [
            fill(f"{rng.choice(variants(line))}: {equation}.", slots, ENGLISH)
            for line, (_, equation) in zip(skill.why, trace, strict=True)
        ]
        steps += skill.steps
        answer = trace[-1][0]
        if name != names[-1] and (answer.denominator != 1 or answer > LARGEST):
            return None
        value, received = int(answer), link.result.format_map(slots)
    opening = [rng.choice(theme.opening), *rng.sample(theme.aside, ENGLISH.asides)]
    asks = fill(rng.choice(LINKS[names[-1]].asks), slots, ENGLISH)
    question = [line.replace("{k}", str(rng.randrange(2, 60))) for line in opening]
    return Record(
        id=f"composite-{seed}-{index}",
        question=" ".join([*(fill(line, words, ENGLISH) for line in question), *stated, asks]),
        rationale="\n".join(rationale),
        answer=number(answer),
        unit=fill(SKILLS[names[-1]].unit, slots, ENGLISH, sentence=False),
        answer_type="number",
        group="-".join(("composite", theme.name, *names)),
        metadata={"skills": names, "steps": steps, "theme": theme.name, "language": "en"},
    )


def _chain(length: int, rng: random.Random) -> list[str]:
    """Names of skills, each of which can receive the result of the one before; none twice."""
    while True:
        names = [rng.choice(list(LINKS))]
        while len(names) < length and (left := [name for name in followers(names[-1]) if name not in names]):
            names.append(rng.choice(left))
        if len(names) == length:
            return names
