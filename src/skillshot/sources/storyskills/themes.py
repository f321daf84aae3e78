"""All English themes by name."""

from skillshot.sources.storyskills import themes_city, themes_craft, themes_land, themes_wild
from skillshot.sources.storyskills.dsl import Theme

THEMES: dict[str, Theme] = {
    theme.name: theme for part in (themes_city, themes_craft, themes_land, themes_wild) for theme in part.THEMES
}
