"""The tables of rivals in docs/results/steps.md, from reports/rivals.json.

python -m scripts.rivals_table
"""

from __future__ import annotations

from typing import Any

from scripts.pages import ROOT, interval, put, report, table

PAGE, MARK, OURS = "docs/results/steps.md", "rivals", "skillshot"
NAMES = {"gsm8k": "GSM8K", "spider": "Spider", "cogs": "COGS", "tabmwp": "TabMWP", "storyskills": "storyskills"}
ORDER = ["random", "question", "question, MMR", "question, DPP", "question, vote-k", "Set-BSR", "DTW of steps"]
ORDER += [f"{OURS}, {what}" for what in ("MMR", "DPP", "four best")]
ORDER += [OURS, "DTW, knows the steps", "bound"]
MEASURES = {"f1": "F1 of the union", "jaccard": "Jaccard", "hit@4": "hit@4", "any@4": "any@4"}


def measure(reports: dict[str, Any], name: str) -> str:
    """One measure: each selection on each data set that has it, and what skillshot has more."""
    sets = {key: part for key in NAMES if (part := reports.get(key)) and name in part["selectors"][OURS]}
    header = [MEASURES[name]]
    for key, part in sets.items():
        header += [f"{NAMES[key]} ({part['queries']})", "skillshot minus it"]
    rows = []
    for selection in ORDER:
        cells = [selection]
        for part in sets.values():
            pair = part["pairs"].get(f"{OURS}-{selection}")
            cells += [f"{part['selectors'][selection][name]:.3f}", interval(pair[name]) if pair else ""]
        rows.append([f"**{cell}**" if cell and selection == OURS else cell for cell in cells])
    return table(header, rows)


def render(text: str, reports: dict[str, Any]) -> str:
    """The page with its tables made anew."""
    return put(text, MARK, "\n\n".join(measure(reports, name) for name in MEASURES))


def main() -> None:
    """Write the page."""
    path = ROOT / PAGE
    path.write_text(render(path.read_text(encoding="utf-8"), report("rivals")), encoding="utf-8")


if __name__ == "__main__":
    main()
