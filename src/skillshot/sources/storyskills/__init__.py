"""storyskills: word problems whose story and skill are drawn independently, so that the true skill is known."""

from skillshot.sources.storyskills.composite import composites
from skillshot.sources.storyskills.draw import generate, stream
from skillshot.sources.storyskills.skills import SKILLS
from skillshot.sources.storyskills.themes import THEMES

__all__ = ["SKILLS", "THEMES", "composites", "generate", "stream"]
