"""The README's figures from reports/. `python scripts/readme_table.py` writes them into README.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ORDER = ("zero-shot", "random", "bm25", "question", "ridge", "lars", "lite", "skillshot", "oracle", "oracle_features")


def render(text: str, report: dict[str, Any]) -> str:
    """README text with its table and its inline values made anew from reports/evaluate.json."""
    alignment, llm, pairs = report["alignment"]["selectors"], report["selectors"], report["pairs"]
    lines = [
        f"| selector | right skill, hit@{report['alignment']['k']} | gold NLL per token | "
        "against `question` | accuracy |",
        "|---|---|---|---|---|",
    ]
    for name in (name for name in ORDER if name in alignment or name in llm):
        hit, row = alignment.get(name, {}).get("hit@k"), llm.get(name, {})
        pair = (pairs.get(f"{name}-question") or {}).get("nll")
        shown = f"{pair['diff']:+.3f} [{pair['low']:+.3f}, {pair['high']:+.3f}]" if pair else ""
        cells = [f"`{name}`", _number(hit), _number(row.get("nll")), shown, _number(row.get("accuracy"))]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    lines.append(
        f"{report['alignment']['queries']} questions for the skill, {report['queries']} of them for the LLM; "
        "intervals are 95 % paired bootstrap."
    )
    text = re.sub(
        r"(<!--table-->\n).*?(<!--/table-->)", lambda m: m[1] + "\n".join(lines) + "\n" + m[2], text, flags=re.S
    )

    def value(match: re.Match[str]) -> str:
        selector, _ = match[1].split(".")
        return f"<!--value:{match[1]}-->{100 * alignment[selector]['hit@k']:.0f} %<!--/-->"

    return re.sub(r"<!--value:([\w.]+)-->.*?<!--/-->", value, text)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def main() -> None:
    """Rewrite README.md."""
    path = ROOT / "README.md"
    path.write_text(render(path.read_text(), json.loads((ROOT / "reports/evaluate.json").read_text())))


if __name__ == "__main__":
    main()
