"""docs/results/runtime.md shows what reports/ hold."""

from __future__ import annotations

from scripts import runtime_table
from scripts.pages import ROOT, report


def test_the_tables_are_those_of_the_reports() -> None:
    page = (ROOT / runtime_table.PAGE).read_text()
    assert "| lite |" in page
    made = runtime_table.render(page, report("bench_select"), report("bench_precision"))
    assert made == page, "run: python -m scripts.runtime_table"
