"""What MLflow shows to people, as Markdown: of a run, of its model version, of all versions.

Names and settings are texts of others: each goes through `skillshot.common.sinks.markdown`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skillshot.common.intervals import Interval
from skillshot.common.sinks import markdown, markdown_code
from skillshot.common.tables import FEW, undecided
from skillshot.track.comparison import Compared, certain, direction, equal, interval
from skillshot.track.headline import OURS, Figure, figures

RUN, VERSION = 7500, 4900  # characters that MLflow keeps of a run's description, and of a version's
LISTED = 20  # changed settings in a description


def run_text(
    report: Mapping[str, Any],
    against: Compared | None,
    commands: Sequence[str],
    pictures: Mapping[str, str],
    limit: int = RUN,
    tuned: str = "",
) -> str:
    """The description of a run or version: verdict, figures, what changed, how to make it again, pictures.

    Args:
        report: `reports/evaluate.json` as a tree.
        tuned: see `tuning_text`.
        pictures: title -> URL.
        limit: characters; the last parts that do not fit are left out whole.
    """
    found = list(figures(report))
    # a list of versions shows the first line as it is, so it has no markup
    parts = [", ".join(f"{figure.measure.shown} {figure.value:.3f}" for figure in found)] if found else []
    parts += [markdown(f"{against.verdict()[0].upper()}{against.verdict()[1:]}.")] if against else []
    parts.append("\n".join(_table(found, against)))
    parts.append(
        "hit@k and accuracy are better when higher, NLL (nats per token) when lower. A gain above 0 is better in each;"
        f" it is certain where its 95 % paired interval excludes 0, on {FEW} queries or more."
    )
    parts += [markdown(sentence) + "." for sentence in undecided(report)] if "pairs" in report else []
    parts += [f"Weights: {markdown(tuned)}."] if tuned else []
    if against:
        parts.append("\n".join(_changed(against)))
    parts.append("Make it again:\n\n" + "\n".join(f"    {command}" for command in commands))
    # MLflow removes the alternative text of a picture
    parts += [f"{markdown(name)}:\n\n![{markdown(name)}]({url})" for name, url in pictures.items()]
    return within(parts, limit)


def tuning_text(report: Mapping[str, Any]) -> str:
    """What `reports/tune.json`, given as a tree, says of a bundle's weights; "" where no model was asked."""
    if not report.get("calls"):
        return ""
    change = report["change"]
    found = interval(Interval(change["diff"], change["low"], change["high"]))
    asked = f"{report['calls']} calls of {report['llm']}, {report['queries']} questions of the bank"
    return f"{report['finding']}: {asked}, gold NLL {found} cross-validated"


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
    last = f" gain over {markdown(against.name)} |" if against else ""
    yield f"| {OURS} | figure | gain over question similarity | queries |{last}"
    yield "|---|---|---|---|" + "---|" * bool(against)
    for figure in found:
        gain = _judged(figure.gain, figure.queries) if figure.gain else "-"
        row = f"| {figure.measure.shown} | **{figure.value:.3f}** | {gain} | {figure.queries} |"
        yield row + (f" {_between(figure, against)} |" if against else "")


def _between(figure: Figure, against: Compared) -> str:
    name = figure.measure.name
    if name in against.differences:
        return _judged(against.differences[name], against.queries)
    if name in against.values:
        return f"{figure.measure.sign * (figure.value - against.values[name]):+.3f}, no interval"
    return "not comparable" if against.redefined else "-"


def _judged(gain: Interval, queries: int) -> str:
    if equal(gain):
        return "equal"
    if not certain(gain):
        return f"{interval(gain)} not certain"
    return f"{interval(gain)} {direction(gain)}, {'certain' if queries >= FEW else 'few queries'}"


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
