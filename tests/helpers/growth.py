"""How the time of a call grows with the size of its input."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SIZE = 16_000  # a quadratic rule takes a tenth of a second or more for so many characters
FLOOR = 0.05  # CPU seconds; below it the clock decides
HANG = 60.0  # CPU seconds: over ten times what the slowest sound call takes on a slow core, under what an attack takes
MOST = 9.0  # growth when the input is four times as large: 4 for linear time, 16 for quadratic


def assert_linear(call: Callable[[Any], Any], make: Callable[[int], Any], size: int = SIZE) -> None:
    """Check the growth from `size` to four times as much; CPU time, the best of three, so that noise matters little."""
    first = max(FLOOR, least_seconds(call, make(size)))
    last = least_seconds(call, make(4 * size), enough=MOST * first)
    assert last <= MOST * first, f"{size} characters: {first:.3f} s, four times as many: {last:.3f} s"


def least_seconds(call: Callable[[Any], Any], value: Any, enough: float = 0.2) -> float:
    """CPU seconds of a call: the least of three, or the first that is below `enough`."""
    least = float("inf")
    gc.disable()
    try:
        for _ in range(3):
            began = time.process_time()
            call(value)
            least = min(least, time.process_time() - began)
            if least < enough:
                break
    finally:
        gc.enable()
    return least


@contextmanager
def soon() -> Iterator[None]:
    """A guard against what takes minutes or never ends, not a measurement: benchmarks measure."""
    began = time.process_time()
    yield
    assert time.process_time() - began < HANG
