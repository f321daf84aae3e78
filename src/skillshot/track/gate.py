"""The gate: compares metrics with a baseline, and checks that their definitions have not changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace

from skillshot.common.errors import TrackError
from skillshot.track.baseline import BANK, FIRST, First, Reference, digest_of, name_of, recorded, reference
from skillshot.track.rows import RECOMPUTED, SKIPPED, WARNING, GateRow
from skillshot.track.rules import Gates, IntervalRule, Rule, parse_gates
from skillshot.track.snapshot import Snapshot
from skillshot.track.values import NotFiniteError

RESAMPLES = 4000  # of the paired bootstrap
CONFIDENCE = 0.95


def compare(
    gates: Gates,
    baseline: Snapshot,
    current: Snapshot,
    accept: Collection[str] = (),
    new_baseline: bool = False,
    command: str = "skillshot gate",
) -> list[GateRow]:
    """Compare `current` with `baseline`.

    Args:
        accept: row names (`evaluate.llm`, `rule:train.kl`, a control) whose *change* is intended. A regression cannot
            be accepted. What an accepted change makes incomparable is judged by its bounds alone (`concerns`); all
            other metrics are compared as before.
        new_baseline: whether another bank than the baseline's is intended (`baseline.reference`).
        command: the command line, for messages.

    Raises:
        TrackError: `accept` names something that did not change, or the baseline's rules cannot be read.
    """
    text = baseline.read("gates.yaml")
    before = parse_gates(text, f"gates.yaml at {baseline.name}") if text is not None else None
    against = reference(before, baseline, current, accept, new_baseline, command)
    firsts = {**recorded(current), **recorded(baseline)}

    def compared(controls: bool, accepted: Collection[str]) -> list[GateRow]:
        chosen = [(name, rule) for name, rule in gates.metrics.items() if (rule.direction == "same") is controls]
        causes = {name: _cause(name, accepted, gates, current, against) for name, _ in chosen}
        rows = [_metric(name, rule, against, current, causes[name]) for name, rule in chosen]
        rows = [
            row if causes[row.name] else _drift(row, rule, firsts, gates, current)
            for row, (_, rule) in zip(rows, chosen, strict=True)
        ]
        return [_warned(row, rule, against) for row, (_, rule) in zip(rows, chosen, strict=True)]

    rows = [*against.rows, *_rules(gates, before)]
    rows += [_definition(name, against, current) for name in gates.definitions]
    rows += compared(controls=True, accepted=[row.name for row in rows if row.name in accept and _redefines(row)])
    changed = {row.name for row in rows if row.status.endswith(("changed", "removed", "moved"))}
    if new_baseline:
        changed |= {name for name in accept if name == name_of(digest_of(current, BANK))}
    for name in accept:
        if name not in changed and not against.undecided:
            raise TrackError(f"--accept {name}: it did not change; changed: {', '.join(sorted(changed)) or 'nothing'}")
    accepted = [row.name for row in rows if row.name in accept and _redefines(row)]
    rows = [replace(row, status="accepted") if row.name in accept and row.name in changed else row for row in rows]
    rows += compared(controls=False, accepted=accepted)
    return [replace(row, source=RECOMPUTED) if current.recomputes(row.name) else row for row in rows]


def _redefines(row: GateRow) -> bool:
    return row.status in ("definition changed", "control moved")


def _cause(metric: str, accepted: Collection[str], gates: Gates, current: Snapshot, against: Reference) -> str:
    """The accepted change after which a metric is not comparable, "" for none."""
    if metric.partition(".")[0] in against.freed:
        return BANK
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


def _definition(name: str, against: Reference, current: Snapshot) -> GateRow:
    baseline = against.snapshot
    try:
        now = current.definition(name)
    except LookupError as error:
        why = current.reason(name)
        if not why:
            return GateRow(name, "missing", detail=str(error.args[0]))
        with suppress(LookupError):
            return GateRow(name, "definition changed", baseline.definition(name), None, detail=f"now missing: {why}")
        return GateRow(name, SKIPPED, detail=why)
    try:
        then = baseline.definition(name)
    except LookupError as error:
        known = name in against.definitions and not baseline.reason(name)
        return GateRow(name, "definition changed" if known else "new", None, now, detail=str(error.args[0]))
    same = then == now
    if not same and name == BANK and any(row.detail == FIRST for row in against.rows):
        return GateRow(name, "accepted", then, now, detail=FIRST)
    detail = "" if same else "the numbers are not comparable"
    return GateRow(name, "same" if same else "definition changed", then, now, detail=detail)


def _metric(name: str, rule: Rule, against: Reference, current: Snapshot, cause: str) -> GateRow:
    """cause: the accepted change after which there is no comparable baseline, so that only the bounds apply."""
    try:
        if rule.optional and current.value(name) is None:
            raise LookupError(f"{name} is null")
        now = current.number(name)
    except NotFiniteError as error:
        return GateRow(name, "not a number", detail=str(error.args[0]))
    except LookupError as error:
        return _absent(name, rule, against, current, cause, str(error.args[0]))
    for bound, broken in ((rule.minimum, now < (rule.minimum or 0)), (rule.maximum, now > (rule.maximum or 0))):
        if bound is not None and broken:
            return GateRow(name, "out of bounds", None, now, detail=f"the bound is {bound:g}")
    if cause:
        return GateRow(name, "new", None, now, detail=f"no comparable baseline after the change of {cause}")
    if name not in against.metrics:
        return GateRow(name, "new", None, now, detail="no comparable baseline")
    try:
        then = against.snapshot.number(name)
    except NotFiniteError as error:
        return GateRow(name, "baseline missing", None, now, detail=str(error.args[0]))
    except LookupError as error:
        return GateRow(name, "new" if rule.optional else "baseline missing", None, now, detail=str(error.args[0]))
    return _verdict(name, rule, then, now, against.snapshot, current)


def _absent(name: str, rule: Rule, against: Reference, current: Snapshot, cause: str, why: str) -> GateRow:
    """A metric that the current side lacks: skipped only if it is optional and the baseline has none to compare."""
    if not rule.optional:
        return GateRow(name, "missing", detail=why)
    if not cause:
        with suppress(LookupError):
            return GateRow(name, "missing", against.snapshot.number(name), detail=f"{why}; the baseline has it")
    return GateRow(name, SKIPPED, detail=current.reason(name) or why)


def _drift(row: GateRow, rule: Rule, firsts: Mapping[str, First], gates: Gates, current: Snapshot) -> GateRow:
    """Hold a passing metric to the first baselines that were measured as it was."""
    if rule.drift is None or not row.passed or not isinstance(row.current, float):
        return row
    for bank, first in firsts.items():
        then = first.metrics.get(row.name)
        measure = [name for name in gates.definitions if concerns(name, row.name, gates, current)]
        ours = bank == digest_of(current, BANK) or measure
        if then is None or not ours or any(_value(current, name) != first.definitions.get(name) for name in measure):
            continue
        worse = row.current - then if rule.direction == "lower" else then - row.current
        if worse > rule.drift * abs(then):
            detail = f"{then:g} at the first baseline of bank {bank[:8]}; at most {100 * rule.drift:g} % worse"
            return replace(row, status="drifted", detail=detail)
    return row


def _value(current: Snapshot, name: str) -> str | None:
    with suppress(LookupError):
        return current.definition(name)
    return None


def _warned(row: GateRow, rule: Rule, against: Reference) -> GateRow:
    """A rival's figure blocks nothing, nor does a control that another bank moves. What is no number stays refused."""
    softened = rule.warn or (rule.of_bank and against.moved and row.status == "control moved")
    if row.passed or not softened or row.status == "not a number":
        return row
    return replace(row, status=WARNING, detail=f"{row.status}; {row.detail}".rstrip("; "))


def _verdict(name: str, rule: Rule, then: float, now: float, baseline: Snapshot, current: Snapshot) -> GateRow:
    allowed = max(rule.absolute, rule.relative * abs(then))
    worse = {"lower": now - then, "higher": then - now, "same": abs(now - then)}[rule.direction]
    status = "same" if worse == 0 else "improved" if worse < 0 else "tolerated" if worse <= allowed else "regressed"
    detail = ""
    if rule.interval and not baseline.summary:
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
