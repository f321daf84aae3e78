"""Work on the parts of a large bank, in several processes where there are several parts."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from skillshot.common.progress import tracked

P = TypeVar("P")
R = TypeVar("R")
# a worker's libraries have one thread: the parts fill the cores already
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

_function: Callable[[Any], Any] | None = None  # of this process, where it is a worker


def mapped(function: Callable[[P], R], parts: Iterable[P], label: str, count: int, unit: str = "part") -> Iterator[R]:
    """`function` of each part, in their order, with progress.

    One part is worked on in this process. Several share the cores: a worker gets the function once, and at most one
    part more than there are workers is held, so `parts` may make each of them when it is asked for. The processes do
    not import the caller's main module: a script needs no `if __name__ == "__main__"`.

    Args:
        function: and what it holds, a part and a result can be pickled (cloudpickle for the function).
        label, unit: of the progress. count: number of parts.

    Raises:
        What the function raises; the workers then end with the parts they are at.
    """
    if count < 2:
        yield from map(function, parts)
        return
    yield from tracked(_shared(function, parts, count), label, unit, count)


def _shared(function: Callable[[P], R], parts: Iterable[P], count: int) -> Iterator[R]:
    from joblib.externals.loky import ProcessPoolExecutor, cpu_count

    workers = min(cpu_count(), count)
    pool = ProcessPoolExecutor(workers, initializer=_begin, initargs=(function,), env=_ONE_THREAD)
    running: deque[Any] = deque()
    try:
        for part in parts:
            running.append(pool.submit(_work, part))
            if len(running) > workers:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        for later in running:
            later.cancel()
        pool.shutdown(wait=True)


def _begin(function: Callable[[Any], Any]) -> None:
    global _function
    _function = function
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process with the one that began it, which may be killed in the middle of a part."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _work(part: Any) -> Any:
    assert _function is not None
    return _function(part)
