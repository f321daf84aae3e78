"""The slices of the evaluation: the same every time, no group on both sides; and the tables made of reports."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scripts import sets_table as tables
from skillshot.bank.dedup import Grouper
from skillshot.common.errors import InputError

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


sets = load("sets")


@pytest.mark.parametrize("name", ["storyskills", "strategyqa", "tabmwp"])
def test_a_cut_is_the_same_again_and_parts_no_group(name: str) -> None:
    spec = sets.SETS[name]
    if name != "storyskills" and not (sets.DATA / spec.bank_file).exists():
        pytest.skip("../shared/data is not there")
    bank, queries = sets.cut(name)
    assert (bank, queries) == sets.cut(name) and len(bank) <= spec.bank and len(queries) >= 290
    assert queries != sorted(queries, key=lambda query: query.id), "the first n are a sample"
    grouper = Grouper(spec.near)
    for record in (*bank, *queries):
        grouper.add(record.question, record.group)
    labels = grouper.labels()
    assert not set(labels[: len(bank)]) & set(labels[len(bank) :])


def test_what_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="set 'squad': choose from cogs, tabmwp"):
        sets.cut("squad")
    with pytest.raises(InputError, match="not there; give the folder of the sets by --data"):
        sets.cut("cogs", tmp_path)


def test_the_page_shows_what_the_reports_hold() -> None:
    page = (tables.ROOT / tables.PAGE).read_text()
    assert tables.render(page) == page, "run: python -m scripts.sets_table"


def test_tables_hold_what_the_report_holds() -> None:
    row = {"accuracy": None, "nll": 0.5}
    part = {
        "bank": 9, "queries": 3, "shots": 2, "commit": "abc", "selectors": {"question": row, "skillshot": row},
        "pairs": {"skillshot-question": {"accuracy": None, "nll": {"diff": -0.1, "low": -0.25, "high": 0.05}}},
    }  # fmt: skip
    assert tables.sets({"toy": part}).splitlines() == [
        "**toy**: bank of 9, 3 queries, 2 shots, commit abc",
        "",
        "| selector | gold NLL | - `question` |",
        "|---|---|---|",
        "| `question` | 0.500 |  |",
        "| `skillshot` | 0.500 | -0.100 [-0.250, +0.050] |",
    ]
    part["selectors"] = {"question": row | {"accuracy": 0.25}}
    assert tables.sets({"toy": part}).splitlines()[2:5:2] == [
        "| selector | exact match | - `question` | gold NLL | - `question` |",
        "| `question` | 0.250 |  | 0.500 |  |",
    ]
