"""A run against another: what each measure gains, paired by query, and whether that is certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from skillshot.common.intervals import Interval, bootstrap
from skillshot.common.tables import FEW, counted
from skillshot.track.baseline import QUERIES
from skillshot.track.changes import Changes, changes
from skillshot.track.headline import MEASURES, OURS, ROWS, Measure
from skillshot.track.snapshot import Snapshot

RESAMPLES = 4000  # of the paired bootstrap, as the gate's
SHOWN = {measure.name: measure.shown for measure in MEASURES}
# figures of two runs are comparable where these are the same
DEFINITIONS = ("evaluate.llm", "evaluate.shots", "evaluate.queries", QUERIES)


@dataclass(frozen=True)
class Compared:
    """A run against another.

    name: of the other. values: its figures by measure. differences: gains by measure, where both have rows. queries:
    those that were paired. redefined: what makes the figures incomparable.
    """

    name: str
    changes: Changes
    values: Mapping[str, float]
    differences: Mapping[str, Interval]
    queries: int = 0
    redefined: Sequence[str] = ()

    def verdict(self) -> str:
        """Whether the run is better than the other, in one line."""
        if self.redefined:
            return f"not comparable with {self.name}: {', '.join(self.redefined)} differ"
        gains = {SHOWN[name]: gain for name, gain in self.differences.items()}
        queries = "only " * (self.queries < FEW) + counted(self.queries, "query")
        if gains and all(equal(gain) for gain in gains.values()):
            return f"same as {self.name} on {queries}"
        found = [f"{direction(gain)} by {name} {interval(gain)}" for name, gain in gains.items() if certain(gain)]
        if found:
            return f"{', '.join(found)} than {self.name} on {queries}"
        shown = [f"{name} {'equal' if equal(gain) else interval(gain)}" for name, gain in gains.items()]
        rest = f": {', '.join(shown)} on {queries}" if shown else ": no rows to pair"
        return f"no certain difference from {self.name}{rest}"


def compared(name: str, then: Snapshot, now: Snapshot) -> Compared:
    """Compare a run's files with those of another, paired by query."""
    found = changes(then, now)
    if other := [name for name in DEFINITIONS if _definition(then, name) != _definition(now, name)]:
        return Compared(name, found, {}, {}, redefined=other)
    pairs = {measure: paired for measure in MEASURES if (paired := _pairs(measure, then, now))}
    gains = {m.name: bootstrap(paired, seed=0, resamples=RESAMPLES) for m, paired in pairs.items()}
    values = {m.name: float(value) for m in MEASURES if (value := _value(m, then)) is not None}
    return Compared(name, found, values, gains, max(map(len, pairs.values()), default=0))


def interval(gain: Interval) -> str:
    """A gain with its interval."""
    return f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


def certain(gain: Interval) -> bool:
    """Whether 0 is outside of the interval."""
    return gain.low > 0 or gain.high < 0


def equal(gain: Interval) -> bool:
    """Whether no query differs."""
    return gain.low == gain.mean == gain.high == 0


def direction(gain: Interval) -> str:
    """In which direction a gain goes, in a word."""
    return "better" if gain.mean > 0 else "worse"


def _value(measure: Measure, side: Snapshot) -> float | None:
    with suppress(LookupError):
        return side.number(".".join(filter(None, ("evaluate", measure.within, "selectors", OURS, measure.key))))
    return None


def _pairs(measure: Measure, then: Snapshot, now: Snapshot) -> list[float]:
    """Gains by query; none where a side lacks the column, or has other queries."""
    with suppress(LookupError):
        before, after = (side.paired(ROWS, "query", measure.column, {"selector": OURS}) for side in (then, now))
        if before.keys() == after.keys():
            return [measure.sign * (after[query] - before[query]) for query in sorted(after)]
    return []


def _definition(side: Snapshot, name: str) -> str | None:
    with suppress(LookupError):
        return side.definition(name)
    return None
