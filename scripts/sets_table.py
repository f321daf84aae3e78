"""The tables of docs/evaluation.md out of reports/evaluate_sets.json and reports/bench_skill_knn.json.

python scripts/sets_table.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "evaluation.md"


def number(value: float | None) -> str:
    """Three digits, or nothing where it was not measured."""
    return "" if value is None else f"{value:.3f}"


def pair(report: dict[str, Any], name: str, metric: str) -> str:
    """Difference to `question` with its interval."""
    found = report["pairs"].get(f"{name}-question", {}).get(metric)
    return f"{found['diff']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]" if found else ""


def sets(report: dict[str, Any]) -> str:
    """One block of rows a set."""
    lines = [
        "| set, bank, queries, shots, commit | selector | exact match | - `question` | gold NLL | - `question` |",
        "|---|---|---|---|---|---|",
    ]
    for name, part in report.items():
        first = f"{name}, {part['bank']}, {part['queries']}, {part['shots']}, {part['commit']}"
        for selector, row in part["selectors"].items():
            cells = [number(row["accuracy"]), pair(part, selector, "accuracy")]
            cells += [number(row["nll"]), pair(part, selector, "nll")]
            lines.append(f"| {first} | `{selector}` | " + " | ".join(cells) + " |")
            first = ""
    return "\n".join(lines)


def skill_knn(report: dict[str, Any]) -> str:
    """The bill of both sides."""
    knn, ours, larger = report["skill_knn"], report["skillshot"], report["larger_bank"]
    return "\n".join(
        [
            f"| {report['set']}, {report['llm']} | Skill-KNN | skillshot |",
            "|---|---|---|",
            f"| bank of {report['bank']}: LLM calls | {knn['bank_calls']} | {ours['bank_calls']} |",
            f"| bank of {report['bank']}: CPU seconds | {knn['bank_cpu_seconds']} | {ours['bank_cpu_seconds']} |",
            f"| bank of {larger['bank']}: CPU seconds | {larger['skill_knn_cpu_seconds_extrapolated']} (extrapolated) "
            f"| {larger['skillshot_cpu_seconds']} |",
            f"| LLM calls to select, per query | {knn['selection_calls_per_query']:g} "
            f"| {ours['selection_calls_per_query']:g} |",
            f"| LLM calls to select and answer, per query | {report['calls_per_answered_query']['skill_knn']} "
            f"| {report['calls_per_answered_query']['skillshot']} |",
            f"| CPU ms to select, per query | {knn['selection_cpu_ms_per_query']} "
            f"| {ours['selection_cpu_ms_per_query_full']} (lite: {ours['selection_cpu_ms_per_query_lite']}) |",
        ]
    )


def main() -> None:
    """Write each table between its marks."""
    page = PAGE.read_text(encoding="utf-8")
    for mark, file, make in (("sets", "evaluate_sets", sets), ("skill_knn", "bench_skill_knn", skill_knn)):
        source = ROOT / "reports" / f"{file}.json"
        if source.exists():
            made = make(json.loads(source.read_text(encoding="utf-8")))
            page = re.sub(rf"(<!--{mark}-->\n).*?(<!--/-->)", lambda m, t=made: f"{m[1]}{t}\n{m[2]}", page, flags=re.S)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
