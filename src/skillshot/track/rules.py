"""`gates.yaml`: the rule per metric for what counts as a regression."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from skillshot.common.errors import TrackError
from skillshot.track.values import NotFiniteError, finite

DIRECTIONS = ("higher", "lower", "same")


@dataclass(frozen=True)
class IntervalRule:
    """The paired values of a noisy metric: rows of a CSV in reports/."""

    rows: str  # path of the CSV
    column: str  # the measured value
    id: str = "query"  # column that pairs the rows of two revisions
    where: Mapping[str, str] = dataclasses.field(default_factory=dict)  # column -> value of the rows used


@dataclass(frozen=True)
class Rule:
    """When a metric counts as worse. For a control (`same`), such as the random selector's, any change is worse.

    A metric may become worse by `absolute` or by `relative` times the baseline, whichever is more. With `interval`, it
    is a regression only if the paired bootstrap interval also excludes 0. `minimum` and `maximum` apply whatever the
    baseline is, `drift` from the bank's first baseline on: the share of that figure by which it may be worse.

    warn: it never fails the gate: a rival's figure. of_bank: a control that another bank moves; then it is a warning.
    optional: it is skipped while neither side has it, as a metric that needs a label.
    """

    direction: str  # higher | lower is better | same: a control
    absolute: float = 0.0
    relative: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    interval: IntervalRule | None = None
    drift: float | None = None
    warn: bool = False
    of_bank: bool = False
    optional: bool = False


@dataclass(frozen=True)
class VerifyRule:
    """What a re-run may differ by. tolerance: relative difference per stage. ignore: patterns of keys and columns."""

    tolerance: Mapping[str, float] = dataclasses.field(default_factory=dict)
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gates:
    """All rules. definitions: report keys, or paths in `dvc.lock`, that must be the same in both revisions."""

    metrics: Mapping[str, Rule]
    definitions: tuple[str, ...] = ()
    verify: VerifyRule = VerifyRule()


def parse_gates(text: str, place: str = "gates.yaml") -> Gates:
    """Read the rules.

    Raises:
        TrackError: a key is unknown, missing or of the wrong type; names it.
    """
    import yaml

    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TrackError(f"{place}: not YAML: {' '.join(str(error).split())}") from error
    _keys(tree, {"metrics", "definitions", "verify"}, place)
    metrics = tree.get("metrics") or {}
    if not isinstance(metrics, Mapping) or not metrics:
        raise TrackError(f"{place}: metrics: at least one rule is needed; a gate without rules passes everything")
    return Gates(
        {name: _rule(rule, f"{place}: {name}") for name, rule in metrics.items()},
        tuple(str(name) for name in tree.get("definitions") or ()),
        parse_verify(tree.get("verify"), f"{place}: verify"),
    )


def parse_verify(tree: Any, place: str = "gates.yaml: verify") -> VerifyRule:
    """Read the section `verify`; None gives the defaults.

    Raises:
        TrackError: a key is unknown, or a tolerance is not a number of at least 0.
    """
    tree = tree or {}
    _keys(tree, {f.name for f in dataclasses.fields(VerifyRule)}, place)
    tolerance = tree.get("tolerance") or {}
    for stage, value in tolerance.items():
        if not _number(value) or value < 0:
            raise TrackError(f"{place}: tolerance: {stage}: expected a number of at least 0, got {value!r}")
    return VerifyRule(dict(tolerance), tuple(str(pattern) for pattern in tree.get("ignore") or ()))


def _rule(tree: Any, place: str) -> Rule:
    _keys(tree, {f.name for f in dataclasses.fields(Rule)}, place)
    if tree.get("direction") not in DIRECTIONS:
        raise TrackError(f"{place}: direction: expected higher, lower or same, got {tree.get('direction')!r}")
    for key in ("absolute", "relative"):
        if not _number(tree.get(key, 0)) or tree.get(key, 0) < 0:
            raise TrackError(f"{place}: {key}: expected a number of at least 0, got {tree[key]!r}")
    for key in ("minimum", "maximum"):
        if tree.get(key) is not None and not _number(tree[key]):
            raise TrackError(f"{place}: {key}: expected a number, got {tree[key]!r}")
    if tree.get("drift") is not None and (not _number(tree["drift"]) or tree["drift"] < 0):
        raise TrackError(f"{place}: drift: expected a number of at least 0, got {tree['drift']!r}")
    for key in ("warn", "of_bank", "optional"):
        if not isinstance(tree.get(key, False), bool):
            raise TrackError(f"{place}: {key}: expected true or false, got {tree[key]!r}")
    control = tree["direction"] == "same"
    if (control and tree.get("drift") is not None) or (not control and tree.get("of_bank")):
        odd = "drift" if control else "of_bank"
        raise TrackError(f"{place}: {odd}: has no meaning with direction {tree['direction']}; take it away")
    values = dict(tree)
    if tree.get("interval") is not None:
        spec = tree["interval"]
        _keys(spec, {f.name for f in dataclasses.fields(IntervalRule)}, f"{place}: interval")
        if not {"rows", "column"} <= set(spec):
            raise TrackError(f"{place}: interval: rows and column are needed")
        where = {str(key): str(value) for key, value in (spec.get("where") or {}).items()}
        values["interval"] = IntervalRule(**{**spec, "where": where})
    return Rule(**values)


def _keys(tree: Any, known: set[str], place: str) -> None:
    if not isinstance(tree, Mapping):
        raise TrackError(f"{place}: expected a section with keys, got {tree!r}")
    unknown = [key for key in tree if key not in known]
    if unknown:
        raise TrackError(f"{place}: unknown key {unknown[0]}; known: {', '.join(sorted(known))}")


def _number(value: Any) -> bool:
    with suppress(NotFiniteError):
        return bool(finite(value, "", text=False) == value)
    return False
