"""The gate: compares metrics with a baseline, and checks that their definitions have not changed."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from skillshot.common.errors import TrackError
from skillshot.track.rules import Gates, IntervalRule, Rule, parse_gates
from skillshot.track.snapshot import Snapshot
from skillshot.track.values import NotFiniteError

TRUST, RECOMPUTED = "on trust", "recomputed"
PASSES = frozenset({"same", "improved", "tolerated", "new", "accepted", "edited"})
RESAMPLES = 4000  # of the paired bootstrap
CONFIDENCE = 0.95


@dataclass(frozen=True)
class GateRow:
    """One verdict. allowed: how much worse the metric may become. detail: the reason, as text.

    source: whether the current side was recomputed by this command, or is taken on trust from a committed file.
    """

    name: str
    status: str
    baseline: float | str | None = None
    current: float | str | None = None
    allowed: float | None = None
    detail: str = ""
    source: str = TRUST

    @property
    def passed(self) -> bool:
        """Whether this row passes the gate."""
        return self.status in PASSES

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary; a number that is not finite becomes text."""
        row = asdict(self) | {"passed": self.passed}
        return {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def compare(gates: Gates, baseline: Snapshot, current: Snapshot, accept: Collection[str] = ()) -> list[GateRow]:
    """Compare `current` with `baseline`.

    Args:
        accept: row names (`evaluate.llm`, `rule:train.kl`, a control) whose *change* is intended. A regression cannot
            be accepted. What an accepted change makes incomparable is judged by its bounds alone (`concerns`); all
            other metrics are compared as before.

    Raises:
        TrackError: `accept` names something that did not change, or the baseline's rules cannot be read.
    """
    text = baseline.read("gates.yaml")
    before = parse_gates(text, f"gates.yaml at {baseline.name}") if text is not None else None

    def compared(controls: bool, accepted: Collection[str]) -> list[GateRow]:
        return [
            _metric(name, rule, baseline, current, before, _cause(name, accepted, gates, current))
            for name, rule in gates.metrics.items()
            if (rule.direction == "same") is controls
        ]

    rows = _rules(gates, before) + [_definition(name, baseline, current, before) for name in gates.definitions]
    rows += compared(controls=True, accepted=[row.name for row in rows if row.name in accept and _redefines(row)])
    changed = {row.name for row in rows if row.status.endswith(("changed", "removed", "moved"))}
    for name in accept:
        if name not in changed:
            raise TrackError(f"--accept {name}: it did not change; changed: {', '.join(sorted(changed)) or 'nothing'}")
    accepted = [row.name for row in rows if row.name in accept and _redefines(row)]
    rows = [replace(row, status="accepted") if row.name in accept else row for row in rows]
    rows += compared(controls=False, accepted=accepted)
    return [replace(row, source=RECOMPUTED) if current.recomputes(row.name) else row for row in rows]


def _redefines(row: GateRow) -> bool:
    return row.status in ("definition changed", "control moved")


def _cause(metric: str, accepted: Collection[str], gates: Gates, current: Snapshot) -> str:
    """The accepted change after which a metric is not comparable, "" for none."""
    return next((name for name in accepted if concerns(name, metric, gates, current)), "")


def concerns(changed: str, metric: str, gates: Gates, current: Snapshot) -> bool:
    """Whether a metric means something else after the change of a definition or control.

    A control concerns the same measure of the other selectors: their names differ in one part, not the last.
    A definition concerns what is next to it or below: `evaluate.llm` all of `evaluate`, except parts that have
    definitions of their own (`evaluate.alignment.k`). A path concerns the stages that read it, by `dvc.lock`; all
    metrics where none does.
    """
    if changed in gates.metrics:
        ours, theirs = changed.split("."), metric.split(".")
        differ = [i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b]
        return len(ours) == len(theirs) and len(differ) == 1 and differ[0] != len(ours) - 1
    if "/" in changed:
        readers = current.readers(changed)
        return not readers or metric.partition(".")[0] in readers
    owners = {name.rpartition(".")[0] for name in gates.definitions if "/" not in name}
    nearest = max((owner for owner in owners if metric.startswith(f"{owner}.")), key=len, default="")
    return nearest == changed.rpartition(".")[0]


def _rules(gates: Gates, before: Gates | None) -> list[GateRow]:
    """Rules of the baseline that were changed or removed; both fail the gate unless accepted."""
    if before is None:
        return []
    rows = [
        GateRow(
            f"rule:{name}", "rule removed" if name not in gates.metrics else "rule changed", detail="gates.yaml differs"
        )
        for name, rule in before.metrics.items()
        if gates.metrics.get(name) != rule
    ]
    if before.verify != gates.verify:
        rows.append(GateRow("rule:verify", "rule changed", detail="gates.yaml differs"))
    removed = [name for name in before.definitions if name not in gates.definitions]
    return rows + [GateRow(f"rule:{name}", "rule removed", detail="definition no longer compared") for name in removed]


def _definition(name: str, baseline: Snapshot, current: Snapshot, before: Gates | None) -> GateRow:
    try:
        now = current.definition(name)
    except LookupError as error:
        return GateRow(name, "missing", detail=str(error.args[0]))
    try:
        then = baseline.definition(name)
    except LookupError as error:
        known = before is not None and name in before.definitions
        return GateRow(name, "definition changed" if known else "new", None, now, detail=str(error.args[0]))
    same = then == now
    detail = "" if same else "the numbers are not comparable"
    return GateRow(name, "same" if same else "definition changed", then, now, detail=detail)


def _metric(name: str, rule: Rule, baseline: Snapshot, current: Snapshot, before: Gates | None, cause: str) -> GateRow:
    """cause: the accepted change after which there is no comparable baseline, so that only the bounds apply."""
    try:
        now = current.number(name)
    except NotFiniteError as error:
        return GateRow(name, "not a number", detail=str(error.args[0]))
    except LookupError as error:
        return GateRow(name, "missing", detail=str(error.args[0]))
    for bound, broken in ((rule.minimum, now < (rule.minimum or 0)), (rule.maximum, now > (rule.maximum or 0))):
        if bound is not None and broken:
            return GateRow(name, "out of bounds", None, now, detail=f"the bound is {bound:g}")
    if cause:
        return GateRow(name, "new", None, now, detail=f"no comparable baseline after the change of {cause}")
    if before is None or name not in before.metrics:
        return GateRow(name, "new", None, now, detail="no comparable baseline")
    try:
        then = baseline.number(name)
    except LookupError as error:
        return GateRow(name, "baseline missing", None, now, detail=str(error.args[0]))
    return _verdict(name, rule, then, now, baseline, current)


def _verdict(name: str, rule: Rule, then: float, now: float, baseline: Snapshot, current: Snapshot) -> GateRow:
    allowed = max(rule.absolute, rule.relative * abs(then))
    worse = {"lower": now - then, "higher": then - now, "same": abs(now - then)}[rule.direction]
    status = "same" if worse == 0 else "improved" if worse < 0 else "tolerated" if worse <= allowed else "regressed"
    detail = ""
    if rule.interval:
        from skillshot.evaluation.statistics import bootstrap

        try:
            pairs = _pairs(rule.interval, baseline, current)
        except NotFiniteError as error:
            return GateRow(name, "not a number", then, now, allowed, str(error.args[0]))
        except LookupError as error:
            return GateRow(name, "missing", then, now, allowed, str(error.args[0]))
        found = bootstrap(pairs, seed=0, resamples=RESAMPLES, confidence=CONFIDENCE)
        detail = f"paired difference in [{found.low:+.4f}, {found.high:+.4f}]"
        up, down = found.low > 0, found.high < 0
        certain = {"lower": up, "higher": down, "same": up or down}[rule.direction]
        if status == "regressed" and not certain:
            status = "tolerated"
    if rule.direction == "same" and status == "regressed":
        status, detail = "control moved", detail or "a control; if the change is intended, accept it by name"
    return GateRow(name, status, then, now, allowed, detail)


def _pairs(spec: IntervalRule, baseline: Snapshot, current: Snapshot) -> list[float]:
    then, now = (side.paired(spec.rows, spec.id, spec.column, spec.where) for side in (baseline, current))
    if then.keys() != now.keys():
        odd = len(then.keys() ^ now.keys())
        raise LookupError(f"{spec.rows}: {odd} ids are in only one revision, so the rows cannot be paired")
    return [now[key] - then[key] for key in sorted(then)]
