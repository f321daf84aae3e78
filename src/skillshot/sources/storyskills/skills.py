"""All skills by name."""

from skillshot.sources.storyskills import (
    skills_budget,
    skills_count,
    skills_geometry,
    skills_money,
    skills_pattern,
    skills_rate,
    skills_share,
)
from skillshot.sources.storyskills.dsl import Skill

_FAMILIES = (skills_money, skills_budget, skills_share, skills_rate, skills_count, skills_pattern, skills_geometry)

SKILLS: dict[str, Skill] = {skill.name: skill for family in _FAMILIES for skill in family.SKILLS}
