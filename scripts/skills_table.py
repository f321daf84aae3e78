"""The tables of docs/results/skills.md, from reports/skills.json, skills_damage.json and ablation.json.

python -m scripts.skills_table
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scripts.pages import ROOT, interval, put, report, table

PAGE = "docs/results/skills.md"
NAMES = {"tabmwp": "TabMWP", "cogs": "COGS", "gsm8k": "GSM8K", "spider": "Spider"}
BOLD = "skillshot"
SELECTORS = ["random", "bm25", "question alone", "question", "ridge", "lars", "lite", "skillshot"]
SELECTORS += ["skillshot, by score alone", "structure alone", "latent alone", "sentence alone", "words alone"]
SELECTORS += ["oracle", "oracle, same features"]


def rows(columns: list[str], cells: dict[str, list[str]]) -> str:
    """A Markdown table: name of a row -> its cells."""
    shown = [[name, *row] for name, row in cells.items()]
    return table(["", *columns], [[f"**{cell}**" for cell in row] if row[0] == BOLD else row for row in shown])


def skills(report: dict[str, Any]) -> str:
    """Every selector on every data set, what was possible, and the paired intervals."""
    parts = [report[name] for name in NAMES if name in report]
    columns = [f"{NAMES[name]} ({report[name]['queries']})" for name in NAMES if name in report]
    cells = {name: [_number(part["selectors"].get(name)) for part in parts] for name in SELECTORS}
    for name in ("question", "lite", "skillshot"):
        cells[f"{name}, any@4"] = [_number(part.get("any", {}).get(name)) for part in parts]
    cells["skillshot / oracle"] = [f"{p['selectors']['skillshot'] / p['selectors']['oracle']:.2f}" for p in parts]
    for kind, measure in (("pairs", ""), ("any_pairs", ", any@4")):
        for pair in parts[0][kind]:
            found = [part[kind].get(pair) for part in parts]
            shown = ["not measured" if x is None else interval(x) for x in found]
            cells[pair.replace("-", " - ") + measure] = shown
    cells["best possible with the bank"] = [f"{part['possible']:.3f}" for part in parts]
    cells["skillshot by seed"] = [" ".join(f"{v:.3f}" for v in part["by_seed"]["skillshot"]) for part in parts]
    cells["examples in the bank"] = [f"{sum(p['bank']) // len(p['bank']):,}" for p in parts]
    return rows(columns, cells)


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def ablation_order() -> list[str]:
    """The whole model first, then what is taken from it, then `lars`; a report's keys are sorted."""
    heads = ["no CVAE (structure head alone)", "no structure head (z alone)", "no sentence embedding (lite)"]
    sides = ["question: words alone, no skeletons", "question: single words, no order"]
    sides += [f"rationale: {what}" for what in ("words alone, no skeleton", "skeleton alone, no words", "no equations")]
    return ["skillshot", *heads, *sides]


def ablation(report: dict[str, Any]) -> str:
    """Variants by data set."""
    names = [name for name in NAMES if name in report]
    order = [*ablation_order(), *report[names[0]]["alignment"]]
    variants = [name for name in dict.fromkeys(order) if name in report[names[0]]["alignment"]]
    return rows([NAMES[n] for n in names], {v: [f"{report[n]['alignment'][v]:.3f}" for n in names] for v in variants})


def damage(report: dict[str, Any], selectors: tuple[str, ...] = ("question", "ridge", "lars", "skillshot")) -> str:
    """Corrupted banks: a table for each data set, a column for each selector."""
    made = []
    for name in (name for name in NAMES if name in report):
        kinds = [kind for kind, value in report[name].items() if isinstance(value, dict)]
        cells = {kind: [f"{report[name][kind][selector]:.3f}" for selector in selectors] for kind in kinds}
        made.append(f"{NAMES[name]}:\n\n{rows(list(selectors), cells)}")
    return "\n\n".join(made)


MAKERS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "skills": ("skills", skills),
    "ablation": ("ablation", ablation),
    "damage": ("skills_damage", damage),
}


def render(text: str, reports: dict[str, dict[str, Any]]) -> str:
    """The page with its tables made anew; a table whose report is missing stays."""
    for mark, (name, make) in MAKERS.items():
        if name in reports:
            text = put(text, mark, make(reports[name]))
    return text


def read() -> dict[str, dict[str, Any]]:
    """The reports that are there."""
    names = [name for name, _ in MAKERS.values()]
    return {name: report(name) for name in names if (ROOT / f"reports/{name}.json").exists()}


def main() -> None:
    """Rewrite the page."""
    path = ROOT / PAGE
    path.write_text(render(path.read_text(encoding="utf-8"), read()), encoding="utf-8")


if __name__ == "__main__":
    main()
