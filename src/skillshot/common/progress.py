"""Progress of long work: a bar on a terminal, a few log lines anywhere else."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from skillshot.common.sinks import exact, terminal
from skillshot.common.text import plural

T = TypeVar("T")
EVERY = 30.0  # seconds between two log lines

logger = logging.getLogger("skillshot")


class Advance(Protocol):
    """Reports that so many more units are finished; the note stands next to the bar."""

    def __call__(self, units: int, note: str = "", /) -> None:
        """Report."""


@contextlib.contextmanager
def progress(label: str, total: int | None, unit: str, done: int = 0) -> Iterator[Advance]:
    """Report how far a block has come; the block calls what it gets with the number of units just finished.

    A terminal (or notebook) shows tqdm's bar with its estimate. Elsewhere the logger `skillshot` gets a line at the
    start, at the end, and at most every `EVERY` seconds between.

    Args:
        total: units of the whole work, None where unknown; done: units finished before, by an earlier run.
    """
    if sys.stderr.isatty() or "ipykernel" in sys.modules:
        from tqdm.auto import tqdm

        with tqdm(total=total, initial=done, desc=terminal(label), unit=unit, file=exact(sys.stderr)) as bar:

            def move(units: int, note: str = "", /) -> None:
                bar.set_postfix_str(terminal(note), refresh=False)
                bar.update(units)

            yield move
            if total is not None and bar.n < total:
                bar.set_postfix_str("stopped early")
        return
    began = logged = time.monotonic()
    finished = done
    amount = "" if total is None else f" of {total:,}"

    def advance(units: int, note: str = "", /) -> None:
        nonlocal finished, logged
        finished += units
        now = time.monotonic()
        if now - logged >= EVERY and finished != total:
            logged = now
            left = "" if total is None or finished == done else _left(now - began, finished - done, total - finished)
            logger.info("%s: %s%s %s%s", label, f"{finished:,}", amount, plural(unit), left + (note and f", {note}"))

    logger.info("%s: start%s", label, "" if total is None else f", {total - done:,} {plural(unit)}")
    yield advance
    early = total is not None and finished < total
    end = f"stopped early after {finished:,}{amount}" if early else f"done, {finished:,}"
    logger.info("%s: %s %s in %.1f s", label, end, plural(unit), time.monotonic() - began)


def tracked(items: Iterable[T], label: str, unit: str, total: int | None = None) -> Iterator[T]:
    """The items, one by one, with progress; `total` is their number where it is known."""
    with progress(label, total, unit) as advance:
        for item in items:
            yield item
            advance(1)


def _left(seconds: float, finished: int, rest: int) -> str:
    return f", about {seconds / finished * rest:.0f} s left"
