"""`add` killed at a moment: a program that forks, so that each kill costs milliseconds. Prints one JSON line.

python kills.py BUNDLE WORK events|random COUNT
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from skillshot import Selector
from skillshot.bundle.edit import add, remove
from skillshot.bundle.hub import push
from skillshot.common.record import Record

WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "shutil.rmtree", "open"}
NEW = Record("new", "Bo has 4 pens and buys 3. How many?", "4 + 3 = 7", "7")


def die_at(event: int) -> None:
    """Kill this process at its n-th change of a file."""
    left = [event]

    def hook(name: str, arguments: tuple[object, ...]) -> None:
        writes = name in WRITES and (name != "open" or (isinstance(arguments[2], int) and arguments[2] & 3))
        if writes:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def attempt(folder: Path, event: int | None, delay: float | None) -> bool:
    """Add in a child that is killed; whether it ended by itself."""
    child = os.fork()
    if child == 0:
        if event is not None:
            die_at(event)
        add(folder, [NEW])
        os._exit(0)
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def check(folder: Path, work: Path, before: int) -> str:
    """Old or new, and usable: loaded, pushed, changed again, with nothing left behind."""
    selector = Selector.load(folder)
    ids = {selector.record(row).id for row in range(len(selector))}
    state = "new" if "new" in ids else "old"
    assert len(selector) == len(ids) == before + (state == "new"), len(selector)
    assert len(selector.select("How many pens?")) == 4
    push(folder, str(work / "pushed"))
    if state == "new":
        remove(folder, ["new"])
    add(folder, [NEW])
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(["README.md", Selector.load(folder, "lite").facts["bank"], "manifest.json", "model"]), names
    assert not list(folder.parent.glob(f".{folder.name}*")), list(folder.parent.iterdir())
    push(folder, str(work / "pushed"))
    return state


def main() -> None:
    """Kill, check, repeat."""
    bundle, work, kind, count = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    before = len(Selector.load(bundle))
    states: dict[str, int] = {}
    longest = 0.0
    if kind == "random":
        start = time.monotonic()
        shutil.copytree(bundle, work / "timed")
        attempt(work / "timed", None, None)
        longest = 1.2 * (time.monotonic() - start)
    generator = random.Random(16)
    for number in range(1, count + 1):
        folder = work / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(bundle, folder)
        ended = attempt(folder, *((number, None) if kind == "events" else (None, generator.uniform(0, longest))))
        state = check(folder, work, before)
        states[state] = states.get(state, 0) + 1
        if ended and kind == "events":
            break
    print(json.dumps({"kills": sum(states.values()), **states}))


if __name__ == "__main__":
    main()
