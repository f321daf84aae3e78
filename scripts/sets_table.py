"""The tables of docs/results/llm.md, from reports/{evaluate_sets,tune_sets,bench_skill_knn}.json.

python -m scripts.sets_table
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scripts.pages import ROOT, interval, number, put, report, table

PAGE = "docs/results/llm.md"


def sets(report: dict[str, Any]) -> str:
    """A table a data set, without the columns of exact match where it was not measured."""
    return "\n\n".join(f"{_title(name, part)}\n\n{_selectors(part)}" for name, part in report.items())


def _title(name: str, part: dict[str, Any]) -> str:
    return (
        f"**{name}**: bank of {part['bank']:,}, {part['queries']} queries, {part['shots']} shots, "
        f"commit {part['commit']}"
    )


def _selectors(part: dict[str, Any]) -> str:
    names = {"accuracy": "exact match", "nll": "gold NLL"}
    measured = [name for name in names if any(row[name] is not None for row in part["selectors"].values())]
    rows = []
    for selector, row in part["selectors"].items():
        pair = part["pairs"].get(f"{selector}-question", {})
        rows.append([f"`{selector}`", *(c for name in measured for c in (number(row[name]), interval(pair.get(name))))])
    return table(["selector", *(c for name in measured for c in (names[name], "- `question`"))], rows)


def today(report: dict[str, Any]) -> str:
    """The present score against its rivals, one row a set; and what tuning found."""
    header = ["data set", "bank", "queries", "skillshot, gold NLL", "- `question`", "- `bm25`",
              "tuning: questions of the bank", "change, cross-validated"]  # fmt: skip
    rows = []
    for name, part in report.items():
        tuning = part["tune"]
        found = ["not run", ""]
        if tuning:
            found = [f"{tuning['queries']}: {tuning['finding']}", interval(tuning["change"])]
        pairs = [interval(part["pairs"][f"skillshot-{rival}"]) for rival in ("question", "bm25")]
        counts = [f"{part['bank']:,}", str(part["queries"]), number(part["selectors"]["skillshot"])]
        rows.append([name, *counts, *pairs, *found])
    return table(header, rows)


def skill_knn(report: dict[str, Any]) -> str:
    """What selection costs with Skill-KNN and with skillshot."""
    knn, ours, larger, calls = (
        report[n] for n in ("skill_knn", "skillshot", "larger_bank", "calls_per_answered_query")
    )
    full, lite = ours["selection_cpu_ms_per_query_full"], ours["selection_cpu_ms_per_query_lite"]
    extrapolated = f"{larger['skill_knn_cpu_seconds_extrapolated']} (extrapolated)"
    ours_calls = f"{ours['selection_calls_per_query']:g}"
    rows = [
        [f"bank of {report['bank']}: LLM calls", knn["bank_calls"], ours["bank_calls"]],
        [f"bank of {report['bank']}: CPU seconds", knn["bank_cpu_seconds"], ours["bank_cpu_seconds"]],
        [f"bank of {larger['bank']}: CPU seconds", extrapolated, larger["skillshot_cpu_seconds"]],
        ["LLM calls to select, per query", f"{knn['selection_calls_per_query']:g}", ours_calls],
        ["LLM calls to select and answer, per query", calls["skill_knn"], calls["skillshot"]],
        ["CPU ms to select, per query", knn["selection_cpu_ms_per_query"], f"{full} (lite: {lite})"],
    ]
    header = [f"{report['set']}, {report['llm']}", "Skill-KNN", "skillshot"]
    return table(header, [[str(cell) for cell in row] for row in rows])


MAKERS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "today": ("tune_sets", today),
    "sets": ("evaluate_sets", sets),
    "skill_knn": ("bench_skill_knn", skill_knn),
}


def render(text: str) -> str:
    """The page with its tables made anew; a table whose report is missing stays."""
    for mark, (name, make) in MAKERS.items():
        if (ROOT / f"reports/{name}.json").exists():
            text = put(text, mark, make(report(name)))
    return text


def main() -> None:
    """Rewrite the page."""
    path = ROOT / PAGE
    path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
