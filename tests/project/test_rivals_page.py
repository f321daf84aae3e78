"""docs/results/steps.md shows what reports/rivals.json holds."""

from __future__ import annotations

from scripts import rivals_table
from scripts.pages import report


def test_the_tables_are_those_of_the_report() -> None:
    found = report("rivals")
    text = (rivals_table.ROOT / rivals_table.PAGE).read_text()
    assert text.count("| **skillshot** |") == len(rivals_table.MEASURES)
    assert rivals_table.render(text, found) == text, "run: python -m scripts.rivals_table"
    for name, part in found.items():
        assert set(part["selectors"]) == set(rivals_table.ORDER), f"{name}: a selection is in no table"
