"""Which predicted steps each demonstration has, read from the vectors whose product is the score."""

from __future__ import annotations

from dataclasses import dataclass

from skillshot.common.arrays import Floats
from skillshot.runtime.layout import steps_of
from skillshot.runtime.opening import OpenBundle

NONE = "none count in this bundle: the bank does not show that the kinds of its steps help"
UNNAMED = "this bundle was written before the kinds of steps had names; fit the bank again to see them"


@dataclass(frozen=True)
class Step:
    """A kind of steps that the bank has.

    expected: number of such steps that is predicted for the question. count: the same as a whole number.
    """

    kind: int
    name: str
    expected: float
    count: int


@dataclass(frozen=True)
class Held:
    """Steps of one kind in a demonstration.

    count: how many it has. covers: how many of them are predicted. beyond: the others.
    value: what the kind adds to the score; all kinds together are what steps add to the part `structure`.
    """

    kind: int
    count: int
    covers: int
    beyond: int
    value: float


@dataclass(frozen=True)
class Cover:
    """Steps of a question and its demonstrations.

    steps: highest expected number first. held: by demonstration, in their order. note: why there are none.
    """

    steps: tuple[Step, ...] = ()
    held: tuple[tuple[Held, ...], ...] = ()
    note: str = ""


def cover(bundle: OpenBundle, query: Floats, rows: Floats) -> Cover:
    """Steps of a question by its row (z,), and of demonstrations by their rows (k, z)."""
    names, share = bundle.steps, bundle.scoring.shares[0]
    if steps_of(bundle.manifest) is None or share <= 0:
        return Cover(note=NONE)
    if names is None:
        return Cover(note=UNNAMED)
    end = bundle.scoring.widths[0]
    part = slice(end - len(names.columns), end)
    expected = names.expected(query[part] / (2 * share))  # a query's block is its prediction times 2 * share
    counts, values = names.counts(rows[:, part]), names.by_kind(rows[:, part].astype("float64") * query[part])
    order = (-expected).argsort(kind="stable").tolist()
    steps = tuple(Step(kind, names.names[kind], float(expected[kind]), int(expected[kind] + 0.5)) for kind in order)
    return Cover(
        steps,
        tuple(
            tuple(_held(step, int(count[step.kind]), float(value[step.kind])) for step in steps)
            for count, value in zip(counts, values, strict=True)
        ),
    )


def _held(step: Step, count: int, value: float) -> Held:
    covers = min(count, step.count)
    return Held(step.kind, count, covers, count - covers, value)
