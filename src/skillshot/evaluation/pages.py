"""An evaluation to read: one self-contained HTML page, and where selectors disagree also as markdown."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Any

from skillshot.common.record import Record
from skillshot.evaluation.results import Evaluation, QueryResult

SHOWN = 12  # disagreements on the page
CHARS = 400  # of a text, the rest is cut
STYLE = (
    "body{font:14px sans-serif;margin:2em;max-width:75em}table{border-collapse:collapse;margin:1em 0}"
    "td,th{border:1px solid #ccc;padding:3px 8px;text-align:left;vertical-align:top}img{max-width:100%}"
    "pre{white-space:pre-wrap;margin:.3em 0;background:#f6f6f6;padding:.4em}summary{cursor:pointer}"
)
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
    columns = [name for name in COLUMNS if any(row.get(name) for row in summary["selectors"].values())]
    selectors = [[name, *(row.get(column) for column in columns)] for name, row in summary["selectors"].items()]
    pairs = [
        [name, metric, *(pair[key] for key in ("diff", "low", "high", "p"))]
        for name, metrics in summary["pairs"].items()
        for metric, pair in metrics.items()
        if pair
    ]
    remarks = [*summary.get("missing", {}).items(), *summary.get("notes", {}).items()]
    return "\n".join(
        [
            f"<!doctype html><html lang=en><meta charset=utf-8><title>skillshot evaluate</title><style>{STYLE}</style>",
            f"<h1>Evaluation with {html.escape(summary['llm'])}</h1>",
            f"<p>{summary['queries']} queries, {summary['shots']} shots. Intervals: paired bootstrap.</p>",
            *(f"<p>{html.escape(name)}: {html.escape(why)}</p>" for name, why in remarks),
            f'<img alt="metrics by selector" src="data:image/png;base64,{base64.b64encode(image).decode()}">',
            _table(["selector", *columns], selectors),
            "<h2>Paired differences</h2>",
            _table(["pair", "metric", "difference", "low", "high", "p"], pairs),
            "<h2>Where selectors disagree</h2>",
            *(_query(rows, texts) for rows in disagreements(evaluation)),
            "</html>\n",
        ]
    )


def markdown(evaluation: Evaluation, texts: Mapping[str, Record]) -> str:
    """Where selectors disagree, with the demonstrations of each, best first."""
    out = ["# Where selectors disagree", f"{evaluation.summary['llm']}, demonstrations best first."]
    for rows in disagreements(evaluation):
        out += [f"## {rows[0].query}", *_fenced(texts.get(rows[0].query)), f"gold: `{rows[0].answer}`"]
        for row in rows:
            out.append(f"**{row.selector}**: {_verdict(row)}")
            out += [line for name in row.demonstrations for line in _fenced(texts.get(name), name)]
    return "\n\n".join(out) + "\n"


def _query(rows: Sequence[QueryResult], texts: Mapping[str, Record]) -> str:
    lines = []
    for row in rows:
        shown = "".join(f"<pre>{html.escape(_said(texts.get(name), name))}</pre>" for name in row.demonstrations)
        lines.append(
            f"<tr><td>{html.escape(row.selector)}</td><td>{html.escape(_verdict(row))}</td>"
            f"<td><details><summary>{len(row.demonstrations)} demonstrations</summary>{shown}</details></td></tr>"
        )
    asked = html.escape(_said(texts.get(rows[0].query), rows[0].query))
    head = f"<pre>{asked}</pre><p>gold: {html.escape(rows[0].answer)}</p>"
    return head + "<table>" + "".join(lines) + "</table>"


def _verdict(row: QueryResult) -> str:
    right = {None: "no answer asked for", True: "right", False: "wrong"}[row.correct]
    found = f", found {row.found!r}" if row.correct is not None else ""
    return right + found + ("" if row.nll is None else f", NLL {row.nll:.3f}")


def _said(record: Record | None, name: str) -> str:
    if record is None:
        return name
    text = f"{name}: {record.text}\n{record.rationale}\nThe answer is {record.answer}."
    return text if len(text) <= CHARS else text[:CHARS] + " ..."


def _fenced(record: Record | None, name: str = "") -> list[str]:
    return (
        [f"```\n{_said(record, name or record.id).replace('```', '')}\n```"] if record else [f"`{name}`"] * bool(name)
    )


def _table(head: list[str], rows: list[list[Any]]) -> str:
    def line(cells: list[Any], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(_text(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "\n".join(["<table>", line(head, "th"), *(line(row, "td") for row in rows), "</table>"])


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
