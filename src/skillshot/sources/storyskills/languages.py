"""A language: its themes, its wording of the skills, and the correction of articles or particles after filling in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from skillshot.sources.storyskills import korean, korean_skills, korean_themes
from skillshot.sources.storyskills.dsl import Theme, Wording
from skillshot.sources.storyskills.skills import SKILLS
from skillshot.sources.storyskills.themes import THEMES


@dataclass(frozen=True)
class Language:
    """A language of stories.

    asides: distractor sentences per question. finish: corrects a filled template. units: where a unit differs from the
    English one.
    """

    code: str
    themes: Sequence[Theme]
    wordings: Mapping[str, Wording]
    asides: int
    finish: Callable[[str], str]
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def skills(self) -> list[str]:
        """Names of the skills that it has a wording for, in the order of `SKILLS`."""
        return [name for name in SKILLS if name in self.wordings]


def articles(text: str) -> str:
    """`a apple` -> `an apple`, also before 8, 11, 18 and 80 to 89."""
    return re.sub(r"\b([Aa]) (?=[aeio]|u(?!ni)|(?:8\d?|11|18)\b)", r"\1n ", text)


ENGLISH = Language(
    "en",
    tuple(THEMES.values()),
    {skill.name: Wording(skill.ask, skill.why) for skill in SKILLS.values()},
    1,
    articles,
)
KOREAN = Language("ko", korean_themes.THEMES, korean_skills.WORDINGS, 1, korean.particles, korean.UNITS)
