"""docs/results/skills.md shows what reports/ hold; the slices of its tables are cut as it describes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scripts import skills_table
from skillshot.common.record import Record

ROOT = Path(__file__).resolve().parents[2]


def benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"benchmarks/{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_reports() -> None:
    reports = skills_table.read()
    assert "skills" in reports
    text = (ROOT / skills_table.PAGE).read_text()
    assert "| **skillshot** |" in text
    assert skills_table.render(text, reports) == text, "run: python -m scripts.skills_table"


def test_the_label_of_tabmwp_is_the_opening_and_the_statistic() -> None:
    slices = benchmark("skill_slices")
    record = Record("1", "q", "Count 12 numbers. The median is 4.", "4")
    assert slices.opening(record) == "count 0 numbers.|median"
    assert slices.agreement(["+", "+", "-"], ["+", "-", "-"]) == pytest.approx(2 / 4)


@pytest.mark.skipif(not (ROOT.parent / "shared/data/tabmwp").is_dir(), reason="../shared/data is not there")
def test_slices_keep_bank_and_queries_apart() -> None:
    slices = benchmark("skill_slices")
    final, development = slices.slices("tabmwp", "final"), slices.slices("tabmwp", "development")
    assert len(final) == 3 and len(development) == 2
    asked = [{record.id for record in part.queries} for part in (*final, *development)]
    assert sum(map(len, asked)) == len(set.union(*asked)), "each query is in one fold"
    for part, ids in zip((*final, *development), asked, strict=True):
        assert not ids & {record.id for record in part.bank}
        assert part.truth.shape == part.allowed.shape == (len(part.queries), len(part.bank))
