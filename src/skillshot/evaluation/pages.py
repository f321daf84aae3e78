"""An evaluation to read: one self-contained HTML page, and where selectors disagree also as markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skillshot.common.record import Record
from skillshot.common.sinks import markdown as escape
from skillshot.common.sinks import markdown_block, markdown_code
from skillshot.common.tables import FEW, undecided
from skillshot.common.templates import render
from skillshot.evaluation.evidence import Panel, contrast, cost, panels
from skillshot.evaluation.results import Evaluation, QueryResult

SHOWN = 12  # disagreements on the page
CHARS = 400  # of a text, the rest is cut
COLUMNS = (
    "accuracy", "recomputed", "nll", "format_valid", "llm_calls", "prompt_tokens", "completion_tokens",
    "selection_calls", "selection_prompt_tokens", "selection_completion_tokens", "bank_calls", "bank_prompt_tokens",
    "bank_completion_tokens", "money", "bank_money",
)  # fmt: skip


def disagreements(evaluation: Evaluation, limit: int = SHOWN) -> list[list[QueryResult]]:
    """Rows of the queries on which the two selectors of `contrast` differ most, these two first.

    Right against wrong comes before all others, then the larger difference of NLL. Where there is no such pair, the
    difference is that of all selectors.
    """
    by_query: dict[str, list[QueryResult]] = {}
    for row in evaluation.rows:
        by_query.setdefault(row.query, []).append(row)
    pair = contrast(evaluation.summary) or ()
    found = []
    for rows in by_query.values():
        rows.sort(key=lambda row: pair.index(row.selector) if row.selector in pair else len(pair))
        compared = rows[: len(pair)] or rows
        known = [row.nll for row in compared if row.nll is not None]
        spread = len({row.correct for row in compared}), max(known, default=0.0) - min(known, default=0.0)
        if spread > (1, 0.0):
            found.append((spread, rows))
    return [rows for _, rows in sorted(found, key=lambda one: (-one[0][0], -one[0][1]))[:limit]]


def page(evaluation: Evaluation, texts: Mapping[str, Record]) -> str:
    """The HTML page. texts: queries and demonstrations by id, as far as they are to be shown."""
    summary = evaluation.summary
    queries = summary["queries"]
    selectors = {name: row | {"cost": cost(row, queries)} for name, row in summary["selectors"].items()}
    pair = contrast(summary)
    return render(
        "skillshot.evaluation",
        "evaluate.html.j2",
        llm=summary["llm"],
        queries=queries,
        shots=summary["shots"],
        few=FEW,
        confidence=f"{100 * summary['confidence']:g}",
        pair=pair,
        panels=[(panel, _marks(panel)) for panel in panels(summary)],
        remarks=[*summary.get("missing", {}).items(), *summary.get("notes", {}).items()],
        undecided=list(undecided(summary, summary["confidence"])),
        columns=[name for name in COLUMNS if any(row.get(name) for row in selectors.values())],
        unit="money" if any("money" in row for row in selectors.values()) else "tokens",
        selectors=selectors,
        pairs=summary["pairs"],
        disagreements=[_disagreement(rows, pair, texts) for rows in disagreements(evaluation)],
    )


def markdown(evaluation: Evaluation, texts: Mapping[str, Record]) -> str:
    """Where selectors disagree, with the demonstrations of each, best first."""
    out = ["# Where selectors disagree", f"{markdown_code(evaluation.summary['llm'])}, demonstrations best first."]
    for rows in disagreements(evaluation):
        query = rows[0].query
        out += [f"## {escape(query)}", *([markdown_block(_text(texts, query))] if query in texts else [])]
        out.append(f"gold: {markdown_code(rows[0].answer)}")
        for row in rows:
            out.append(f"**{escape(row.selector)}**: {escape(_verdict(row))}")
            out += [
                markdown_block(_text(texts, name)) if name in texts else markdown_code(name)
                for name in row.demonstrations
            ]
    return "\n\n".join(out) + "\n"


def _marks(panel: Panel) -> list[tuple[float, float, float]]:
    """Where low, difference and high of each row, and 0 in the end, are on the axis, in percent."""
    low, high = panel.limits if panel.rows else (0.0, 1.0)

    def at(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    return [*((at(row.low), at(row.diff), at(row.high)) for row in panel.rows), (at(0.0),) * 3]


def _disagreement(rows: list[QueryResult], pair: tuple[str, str] | None, texts: Mapping[str, Record]) -> dict[str, Any]:
    """A query with its gold answer, the two selectors that are compared, and the others.

    A demonstration of the first is `shared` where the second has it too; one of any other where the first has it.
    """
    query = texts.get(rows[0].query)
    shown = [
        {
            "selector": row.selector,
            "correct": row.correct,
            "verdict": _verdict(row),
            "demonstrations": [
                {"id": name, "text": _text(texts, name), "shared": name in rows[not place].demonstrations}
                for name in row.demonstrations
            ],
        }
        for place, row in enumerate(rows)
    ]
    return {
        "query": rows[0].query,
        "question": _cut(query.text) if query else "",
        "rationale": _cut(query.rationale) if query else "",
        "gold": rows[0].answer,
        "compared": shown[: 2 if pair else len(shown)],
        "others": shown[2:] if pair else [],
    }


def _verdict(row: QueryResult) -> str:
    right = {None: "no answer asked for", True: "right", False: "wrong"}[row.correct]
    found = f", found {row.found!r}" if row.correct is not None else ""
    return right + found + ("" if row.nll is None else f", NLL {row.nll:.3f}")


def _text(texts: Mapping[str, Record], name: str) -> str:
    record = texts.get(name)
    return _cut(f"{name}: {record.text}\n{record.rationale}\nThe answer is {record.answer}.") if record else name


def _cut(text: str) -> str:
    return text if len(text) <= CHARS else text[:CHARS] + " ..."
