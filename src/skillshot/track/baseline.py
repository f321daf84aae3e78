"""The first baseline of each bank, in `reports/baseline.json`, and what a state is compared with when banks differ.

`skillshot gate --new-baseline` records it. An entry that the compared revision has may be neither changed nor removed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.common.errors import TrackError
from skillshot.common.io import write_json
from skillshot.track.rows import GateRow
from skillshot.track.rules import Gates
from skillshot.track.snapshot import Snapshot
from skillshot.track.values import NotFiniteError, finite, unambiguous

BASELINE = "reports/baseline.json"
BANK, QUERIES = "data/validate/bank.jsonl", "data/validate/queries.jsonl"
FIRST = "first baseline of this bank"


@dataclass(frozen=True)
class First:
    """Figures of a bank's first baseline, and the definitions under which they were measured."""

    metrics: Mapping[str, float]
    definitions: Mapping[str, str]

    def snapshot(self, bank: str) -> Snapshot:
        """The entry as a state to compare with; it has figures and no rows."""
        reports: dict[str, dict[str, Any]] = {}
        paths = [{"path": name, "md5": value} for name, value in self.definitions.items() if "/" in name]
        for name, value in {**self.definitions, **self.metrics}.items():
            if "/" not in name:
                stage, _, key = name.partition(".")
                reports.setdefault(stage, {})[key] = value
        texts = {f"reports/{stage}.json": json.dumps(report) for stage, report in reports.items()}
        texts["dvc.lock"] = json.dumps({"stages": {"recorded": {"outs": paths}}})  # JSON is YAML
        return Snapshot(f"the first baseline of bank {bank[:8]}", texts.get, summary=True)


@dataclass(frozen=True)
class Reference:
    """What a state is compared with.

    metrics, definitions: names that have a comparable value there. rows: checks of the bank and of its baseline.
    freed: stages whose figures a new baseline frees. moved: whether the bank is another one.
    """

    snapshot: Snapshot
    metrics: Collection[str] = ()
    definitions: Collection[str] = ()
    rows: tuple[GateRow, ...] = ()
    freed: Collection[str] = ()
    moved: bool = False

    @property
    def undecided(self) -> bool:
        """Whether the bank is another one, and nobody asked for its first baseline."""
        return any(row.status == "another bank" for row in self.rows)


def reference(
    before: Gates | None, baseline: Snapshot, current: Snapshot, accept: Collection[str], new: bool, command: str
) -> Reference:
    """Choose what to compare with: the baseline, the recorded first baseline of the bank, or nothing yet.

    Banks are comparable while they are evaluated on the same queries. If the queries are others too, or are accepted
    by name, see `--new-baseline` and `--accept` in the guide.

    Args:
        before: rules of the baseline.
        new: whether a new baseline was asked for.
        command: the command line without it, for messages.

    Raises:
        TrackError: the bank has a baseline already, or `reports/baseline.json` cannot be read.
    """
    then, now = digest_of(baseline, BANK), digest_of(current, BANK)
    old, held = recorded(baseline), recorded(current)
    rows = [
        GateRow(name_of(bank), f"baseline {'changed' if bank in held else 'removed'}", detail=f"{BASELINE} differs")
        for bank, first in old.items()
        if held.get(bank) != first
    ]
    moved = bool(then and now and then != now)
    others = moved and digest_of(baseline, QUERIES) != digest_of(current, QUERIES) and QUERIES not in accept
    if new and now and (now in old or (then == now)) and name_of(now) not in accept:
        raise TrackError(
            f"--new-baseline: bank {now[:8]} has a baseline already, {BASELINE if now in old else baseline.name}\n"
            f"run `{command}`, or name the change if it is intended: --accept {name_of(now)}"
        )
    metrics: Collection[str] = before.metrics if before else ()
    definitions: Collection[str] = before.definitions if before else ()
    if others and now in old:
        detail = f"another bank than that of {baseline.name}; compared with its own first baseline"
        found, rows = old[now], [*rows, GateRow("bank", "same", then[:8], now[:8], detail=detail)]
        return Reference(found.snapshot(now), found.metrics, found.definitions, tuple(rows), moved=True)
    if new and not then:
        return Reference(Snapshot("nothing", lambda _: None), rows=(*rows, _first(then, now)))
    if others and new:
        first = held.get(now, First({}, {}))
        rows.append(_first(then, now))
        return Reference(first.snapshot(now), first.metrics, first.definitions, tuple(rows), moved=True)
    if others:
        detail = f"bank and queries are not those of {baseline.name}; is it a new bank? run `{command} --new-baseline`"
        rows.append(GateRow("bank", "another bank", then[:8], now[:8], detail=detail))
        return Reference(Snapshot("nothing", lambda _: None), rows=tuple(rows), moved=True)
    if moved and new:  # the same queries: the evaluation is still compared
        return Reference(baseline, metrics, definitions, (*rows, _first(then, now)), current.around(BANK), moved=True)
    return Reference(baseline, metrics, definitions, tuple(rows), moved=moved)


def _first(then: str, now: str) -> GateRow:
    return GateRow("bank", "accepted", then[:8] or None, now[:8] or None, detail=FIRST)


def name_of(bank: str) -> str:
    """The name of an entry, for `--accept`."""
    return f"baseline:{bank[:8]}"


def digest_of(snapshot: Snapshot, path: str) -> str:
    """Digest of a path in `dvc.lock`; "" where it has none, or two."""
    with suppress(LookupError):
        return snapshot.digests.get(path, "")
    return ""


def recorded(snapshot: Snapshot) -> dict[str, First]:
    """First baselines by digest of the bank, in the order in which they were recorded.

    Raises:
        TrackError: the file is not what `record` writes.
    """
    text, place = snapshot.read(BASELINE), f"{BASELINE} of {snapshot.name}"
    if text is None:
        return {}
    try:
        banks = unambiguous(text, place)["banks"]
        return {
            bank: First(
                {name: finite(value, name, text=False) for name, value in entry["metrics"].items()},
                {str(name): str(value) for name, value in entry["definitions"].items()},
            )
            for bank, entry in banks.items()
        }
    except (LookupError, TypeError, AttributeError) as error:
        why = error.args[0] if isinstance(error, NotFiniteError) else "not what `skillshot gate --new-baseline` writes"
        raise TrackError(f"{place}: {why}\nrestore the committed file: `git checkout {BASELINE}`") from error


def measure(gates: Gates, snapshot: Snapshot) -> First:
    """The figures and definitions that a state has of those that the rules name."""
    metrics, definitions = {}, {}
    for name in gates.metrics:
        with suppress(LookupError):
            metrics[name] = snapshot.number(name)
    for name in gates.definitions:
        with suppress(LookupError):
            definitions[name] = snapshot.definition(name)
    return First(metrics, definitions)


def record(root: Path, gates: Gates, baseline: Snapshot, current: Snapshot, accept: Collection[str] = ()) -> str:
    """Write the present figures as the first baseline of the bank; returns its digest.

    The bank that it replaces is recorded too, so that it cannot come back as a new one. An entry that is there stays,
    unless `accept` names it.

    Raises:
        TrackError: `dvc.lock` names no bank.
    """
    then, now = digest_of(baseline, BANK), digest_of(current, BANK)
    if not now:
        raise TrackError(f"--new-baseline: dvc.lock has no {BANK}\nrun `dvc repro` first")
    banks = recorded(current) | recorded(baseline)
    if then and then not in banks:
        banks[then] = measure(gates, baseline)
    if now not in banks or name_of(now) in accept:
        banks[now] = measure(gates, current)
    tree = {bank: {"metrics": first.metrics, "definitions": first.definitions} for bank, first in banks.items()}
    write_json(root / BASELINE, {"banks": tree})
    return now
