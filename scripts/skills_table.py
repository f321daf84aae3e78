"""The tables of docs/skills.md and README.md out of reports/skills.json, skills_damage.json and ablation.json.

python scripts/skills_table.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("docs/skills.md", "README.md")
NAMES = {"tabmwp": "TabMWP", "cogs": "COGS", "gsm8k": "GSM8K", "spider": "Spider"}
BOLD = "skillshot"
SHORT = ["random", "bm25", "question", "ridge", "lars", "lite", "skillshot", "oracle"]
LONG = ["random", "bm25", "question alone", *SHORT[2:7], "skillshot, near ties by score", "structure head alone"]
LONG += ["z alone", "oracle", "oracle, same features"]


def rows(columns: list[str], table: dict[str, list[str]]) -> str:
    """A Markdown table: name of a row -> its cells."""
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for name, cells in table.items():
        shown = [f"**{cell}**" for cell in [name, *cells]] if name == BOLD else [name, *cells]
        lines.append("| " + " | ".join(shown) + " |")
    return "\n".join(lines)


def found(report: dict[str, Any], names: list[str] | None = None) -> str:
    """Every selector on every set, what was possible, and the paired intervals."""
    parts = [report[name] for name in NAMES if name in report]
    columns = [f"{NAMES[name]} ({report[name]['queries']})" for name in NAMES if name in report]
    every = names or LONG
    table = {name: [f"{part['selectors'][name]:.3f}" for part in parts] for name in every}
    table["skillshot / oracle"] = [f"{p['selectors']['skillshot'] / p['selectors']['oracle']:.2f}" for p in parts]
    for pair in parts[0]["pairs"]:
        found = [part["pairs"][pair] for part in parts]
        table[pair.replace("-", " - ")] = [f"{p['diff']:+.3f} [{p['low']:+.3f}, {p['high']:+.3f}]" for p in found]
    if names is None:
        table["best possible with the bank"] = [f"{part['possible']:.3f}" for part in parts]
        table["skillshot by seed"] = [" ".join(f"{v:.3f}" for v in part["by_seed"]["skillshot"]) for part in parts]
        table["examples in the bank"] = [f"{sum(p['bank']) // len(p['bank']):,}" for p in parts]
    return rows(columns, table)


def ablation_order() -> list[str]:
    """The whole model first, then what is taken from it, then `lars`; a report's keys are sorted."""
    heads = ["no CVAE (structure head alone)", "no structure head (z alone)", "no sentence embedding (lite)"]
    sides = ["question: words alone, no skeletons", "question: single words, no order"]
    sides += [f"rationale: {what}" for what in ("words alone, no skeleton", "skeleton alone, no words", "no equations")]
    return ["skillshot", *heads, *sides]


def ablation(report: dict[str, Any]) -> str:
    """Variants by set."""
    sets = [name for name in NAMES if name in report]
    order = [*ablation_order(), *report[sets[0]]["alignment"]]
    variants = [name for name in dict.fromkeys(order) if name in report[sets[0]]["alignment"]]
    return rows([NAMES[s] for s in sets], {v: [f"{report[s]['alignment'][v]:.3f}" for s in sets] for v in variants})


def damage(report: dict[str, Any], selectors: tuple[str, ...] = ("question", "ridge", "lars", "skillshot")) -> str:
    """Damaged banks: a column for each set and selector."""
    sets = [name for name in NAMES if name in report]
    kinds = [kind for kind, value in report[sets[0]].items() if isinstance(value, dict)]
    columns = [f"{NAMES[s]} {selector}" for s in sets for selector in selectors]
    return rows(columns, {k: [f"{report[s][k][selector]:.3f}" for s in sets for selector in selectors] for k in kinds})


def render(text: str, reports: dict[str, dict[str, Any]]) -> str:
    """The page with its tables made anew; a table whose report is not there stays."""
    makers: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
        "skills": ("skills", found),
        "skills-short": ("skills", lambda report: found(report, SHORT)),
        "ablation": ("ablation", ablation),
        "damage": ("skills_damage", damage),
    }
    for mark, (report, make) in makers.items():
        if report in reports:
            made = make(reports[report])
            text = re.sub(
                rf"(<!--{mark}-->\n).*?(<!--/{mark}-->)", lambda m, made=made: f"{m[1]}{made}\n{m[2]}", text, flags=re.S
            )
    return text


def read() -> dict[str, dict[str, Any]]:
    """The reports that are there."""
    paths = [ROOT / f"reports/{name}.json" for name in ("skills", "ablation", "skills_damage")]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()}


def main() -> None:
    """Rewrite the pages."""
    reports = read()
    for page in PAGES:
        path = ROOT / page
        path.write_text(render(path.read_text(encoding="utf-8"), reports), encoding="utf-8")


if __name__ == "__main__":
    main()
