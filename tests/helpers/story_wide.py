"""Draw stories of one language; the Chinese and Japanese ones have no blanks."""

from __future__ import annotations

import random

from skillshot.common.record import Record, normalise_question
from skillshot.sources.storyskills.draw import fill, words_of
from skillshot.sources.storyskills.dsl import Theme, number, variants
from skillshot.sources.storyskills.languages import Language
from skillshot.sources.storyskills.skills import SKILLS


def theme(name: str, people: str, items: str, nouns: str, opening: tuple[str, ...], aside: tuple[str, ...]) -> Theme:
    """A theme from words that blanks part."""
    box, worker, vehicle, patch, tank, one, two, money = nouns.split()
    return Theme(
        name, tuple(people.split()), tuple(items.split()), box, worker, vehicle, patch, tank, (one, two), money,
        opening, aside,
    )  # fmt: skip


def joined(text: str) -> str:
    """A filled template without its blanks."""
    return text.replace("% of ", "%×").replace(" ", "")


def stories(language: Language, size: int, seed: int) -> list[Record]:
    """`size` distinct records in a language, as `storyskills.generate` draws them."""
    found: dict[str, Record] = {}
    draw = 0
    while len(found) < size:
        record = _draw(language, seed, draw)
        found.setdefault(normalise_question(record.question), record)
        draw += 1
    return list(found.values())


def _draw(language: Language, seed: int, index: int) -> Record:
    rng = random.Random(f"{language.code}/{seed}/{index}")
    theme, skill = rng.choice(language.themes), SKILLS[rng.choice(language.skills)]
    wording, numbers = language.wordings[skill.name], skill.numbers(rng)
    trace = list(skill.run(numbers))
    words = words_of(theme, rng) | {name: number(value) for name, value in numbers.items()}
    aside = rng.choice(theme.aside).replace("{k}", str(rng.randrange(2, 60)))
    phrasing = rng.randrange(len(wording.ask))
    question = " ".join([rng.choice(theme.opening), aside, wording.ask[phrasing]])
    lines = [f"{rng.choice(variants(why))}: {equation}." for why, (_, equation) in zip(wording.why, trace, strict=True)]
    return Record(
        id=f"{language.code}-{seed}-{index}",
        question=fill(question, words, language),
        rationale="\n".join(fill(line, words, language) for line in lines),
        answer=number(trace[-1][0]),
        answer_type="number",
        group=f"{language.code}-{theme.name}-{skill.name}-{phrasing}",
        metadata={"skill": skill.name, "theme": theme.name, "language": language.code},
    )
