"""What MLflow shows to people, as Markdown: of a run, of its model version, of all versions.

Names and settings are texts of others: each goes through `skillshot.common.sinks.markdown`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skillshot.common.intervals import Interval
from skillshot.common.sinks import markdown, markdown_code
from skillshot.common.tables import undecided
from skillshot.track.comparison import Compared, certain, direction, interval
from skillshot.track.headline import OURS, Figure, Measure, figures

RUN, VERSION = 7500, 4900  # characters that MLflow keeps of a run's description, and of a version's
LISTED = 20  # changed settings in a description


def run_text(
    title: str,
    report: Mapping[str, Any],
    against: Compared | None,
    commands: Sequence[str],
    pictures: Mapping[str, str],
    limit: int = RUN,
) -> str:
    """The description of a run or version: verdict, figures, what changed, how to make it again, pictures.

    Args:
        report: `reports/evaluate.json` as a tree.
        pictures: title -> URL.
        limit: characters; the last parts that do not fit are left out whole.
    """
    parts = [f"**{markdown(title)}**"]
    if against:
        parts.append(f"**{markdown(against.verdict())}**")
    parts.append("\n".join(_table(list(figures(report)), against)))
    parts.append(
        "Gain: advantage over selection by question similarity, with its 95 % paired interval. Above 0 is better."
        " An interval that excludes 0 is certain."
    )
    parts += [markdown(sentence) + "." for sentence in undecided(report)] if "pairs" in report else []
    if against:
        parts.append("\n".join(_changed(against)))
    parts.append("Make it again:\n\n" + "\n".join(f"    {command}" for command in commands))
    parts += [f"![{markdown(name)}]({url})" for name, url in pictures.items()]
    return within(parts, limit)


def commands(commit: str, *, dirty: bool) -> list[str]:
    """What makes a state again."""
    if dirty or not commit:
        return ["# made from uncommitted changes: it cannot be reproduced"]
    return [
        f"git worktree add ../again {commit} && cd ../again",
        "make run",
        f"skillshot verify --revision {commit}",
    ]


def within(parts: Sequence[str], limit: int) -> str:
    """As many of the parts, in order, as fit into `limit` characters."""
    text = ""
    for part in parts:
        if len(text) + len(part) + 2 > limit:
            break
        text += f"\n\n{part}" if text else part
    return text


def _table(found: Sequence[Figure], against: Compared | None) -> Iterator[str]:
    last = f" gain over {markdown(against.name)} (95 %) |" if against else ""
    yield f"| {OURS} | figure | gain over question similarity (95 %) | queries |{last}"
    yield "|---|---|---|---|" + "---|" * bool(against)
    for figure in found:
        row = f"| {figure.measure.shown} | **{figure.value:.3f}** | {_judged(figure.gain)} | {figure.queries} |"
        yield row + (f" {_between(figure.measure, against)} |" if against else "")


def _between(measure: Measure, against: Compared) -> str:
    if against.redefined:
        return "not comparable"
    return _judged(against.differences.get(measure.name))


def _judged(gain: Interval | None) -> str:
    if gain is None:
        return "no interval"
    if gain.low == gain.mean == gain.high == 0:
        return "equal"
    return f"{interval(gain)} {direction(gain) + ', certain' if certain(gain) else 'open'}"


def _changed(against: Compared) -> Iterator[str]:
    yield f"Changed since {markdown(against.name)}:"
    yield ""
    params = list(against.changes.params.items())
    for name, (then, now) in params[:LISTED]:
        yield f"- {markdown_code(name)}: {markdown_code(then[:60])} → {markdown_code(now[:60])}"
    if len(params) > LISTED:
        yield f"- {len(params) - LISTED} more settings: see `pipeline/params.yaml`"
    for name in against.changes.data:
        yield f"- data: other {name}"
    if against.changes.code:
        yield f"- code: {markdown(', '.join(against.changes.code))}"
    if not (params or against.changes.data or against.changes.code):
        yield "- nothing: the same settings, data and code"
