"""An evaluation to read: one self-contained HTML page, and where selectors disagree also as markdown."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from skillshot.common.record import Record
from skillshot.common.sinks import markdown as escape
from skillshot.common.sinks import markdown_block, markdown_code
from skillshot.common.templates import render
from skillshot.evaluation.results import Evaluation, QueryResult

SHOWN = 12  # disagreements on the page
CHARS = 400  # of a text, the rest is cut
COLUMNS = (
    "accuracy", "nll", "format_valid", "llm_calls", "prompt_tokens", "completion_tokens", "selection_calls",
    "selection_prompt_tokens", "selection_completion_tokens", "bank_calls", "bank_prompt_tokens",
    "bank_completion_tokens", "money", "bank_money",
)  # fmt: skip


def disagreements(evaluation: Evaluation, limit: int = SHOWN) -> list[list[QueryResult]]:
    """Rows of the queries on which selectors differ most: right against wrong first, then by spread of NLL."""
    by_query: dict[str, list[QueryResult]] = {}
    for row in evaluation.rows:
        by_query.setdefault(row.query, []).append(row)

    def order(rows: list[QueryResult]) -> tuple[int, float]:
        known = [row.nll for row in rows if row.nll is not None]
        return (-len({row.correct for row in rows}), -(max(known) - min(known)) if known else 0.0)

    return sorted((rows for rows in by_query.values() if len(rows) > 1), key=order)[:limit]


def page(evaluation: Evaluation, image: bytes, texts: Mapping[str, Record]) -> str:
    """The HTML page. texts: queries and demonstrations by id, as far as they are to be shown."""
    summary = evaluation.summary
    selectors = summary["selectors"]
    return render(
        "skillshot.evaluation",
        "evaluate.html.j2",
        llm=summary["llm"],
        queries=summary["queries"],
        shots=summary["shots"],
        remarks=[*summary.get("missing", {}).items(), *summary.get("notes", {}).items()],
        image=base64.b64encode(image).decode(),
        columns=[name for name in COLUMNS if any(row.get(name) for row in selectors.values())],
        selectors=selectors,
        pairs=summary["pairs"],
        disagreements=[
            (_text(texts, rows[0].query), rows[0].answer, [_shown(row, texts) for row in rows])
            for rows in disagreements(evaluation)
        ],
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


def _shown(row: QueryResult, texts: Mapping[str, Record]) -> dict[str, Any]:
    return {
        "selector": row.selector,
        "correct": row.correct,
        "verdict": _verdict(row),
        "texts": [_text(texts, name) for name in row.demonstrations],
    }


def _verdict(row: QueryResult) -> str:
    right = {None: "no answer asked for", True: "right", False: "wrong"}[row.correct]
    found = f", found {row.found!r}" if row.correct is not None else ""
    return right + found + ("" if row.nll is None else f", NLL {row.nll:.3f}")


def _text(texts: Mapping[str, Record], name: str) -> str:
    record = texts.get(name)
    if record is None:
        return name
    text = f"{name}: {record.text}\n{record.rationale}\nThe answer is {record.answer}."
    return text if len(text) <= CHARS else text[:CHARS] + " ..."
