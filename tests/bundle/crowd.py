"""Processes that add, remove, reload and select in one bundle; each checks its own rows. Prints JSON.

python crowd.py BUNDLE SECONDS PROCESSES
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from pathlib import Path

from skillshot import Selector
from skillshot.bundle.edit import add, remove
from skillshot.common.errors import BundleError
from skillshot.common.record import Record


def ids_of(selector: Selector) -> list[str]:
    """All ids, in order."""
    return [selector.record(row).id for row in range(len(selector))]


def work(bundle: Path, number: int, seconds: float, start: object, out: object) -> None:
    """One process: what it added and did not remove, how much it did, and each error."""
    mine: list[str] = []
    done, errors, crowded = 0, [], 0
    selector = Selector.load(bundle)
    start.wait()  # type: ignore[attr-defined]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            name = f"p{number}-{done}"
            add(bundle, [Record(name, f"Bo {name} has 4 pens and buys 3. How many?", "4 + 3 = 7", "7")])
            mine.append(name)
            selector = selector.reload()
            found = ids_of(selector)
            if len(set(found)) != len(found):
                errors.append("a doubled row")
            if lost := set(mine) - set(found):
                errors.append(f"lost {lost}")
            if len(selector.select("How many pens has Bo?", k=8)) != 8:
                errors.append("too few")
            if len(mine) > 3:
                remove(bundle, [mine.pop(0)])
            done += 1
        except BundleError as error:
            if "times while it was opened" not in str(error):
                errors.append(str(error))
            crowded += 1
        except Exception as error:
            errors.append(repr(error))
    out.put((mine, done, crowded, errors))  # type: ignore[attr-defined]


def main() -> None:
    """Start them at once; compare the bank with what all of them say."""
    bundle, seconds, processes = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    before = ids_of(Selector.load(bundle))
    context = multiprocessing.get_context("spawn")
    start, out = context.Barrier(processes), context.Queue()
    children = [context.Process(target=work, args=(bundle, i, seconds, start, out)) for i in range(processes)]
    for child in children:
        child.start()
    found = [out.get(timeout=seconds + 120) for _ in children]
    for child in children:
        child.join()
    after = ids_of(Selector.load(bundle))
    wanted = sorted([*before, *(name for mine, *_ in found for name in mine)])
    errors = [error for *_, of_one in found for error in of_one]
    same = sorted(after) == wanted
    print(
        json.dumps(
            {"done": sum(f[1] for f in found), "crowded": sum(f[2] for f in found), "errors": errors, "same": same}
        )
    )


if __name__ == "__main__":
    main()
