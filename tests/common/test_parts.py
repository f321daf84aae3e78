"""Parts over processes: in order, few at once, errors and a killed run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from skillshot.common.errors import InputError
from skillshot.common.parts import mapped


def test_one_part_is_worked_on_here() -> None:
    assert list(mapped(lambda part: (part, os.getpid()), [3], "work", 1)) == [(3, os.getpid())]
    assert list(mapped(len, [], "work", 0)) == []


def test_several_parts_are_in_order_in_other_processes_and_few_are_held() -> None:
    made: list[int] = []

    def parts() -> Iterator[int]:
        for number in range(12):
            made.append(number)
            yield number

    def slow_first(part: int) -> tuple[int, int]:
        time.sleep(0.05 if part == 0 else 0)
        return part * part, os.getpid()

    ahead = []
    results = []
    for result in mapped(slow_first, parts(), "work", 12):
        results.append(result)
        ahead.append(len(made) - len(results))
    assert [value for value, _ in results] == [number * number for number in range(12)]
    assert os.getpid() not in {process for _, process in results}
    assert max(ahead) <= (os.cpu_count() or 1)


def test_an_error_of_a_part_is_raised_and_the_workers_end() -> None:
    def refuse(part: int) -> int:
        if part == 1:
            raise InputError(f"part {part}: no rows; give a larger bank")
        return os.getpid()

    found = mapped(refuse, range(9), "work", 9)
    worker = next(found)
    with pytest.raises(InputError, match=r"^part 1: no rows; give a larger bank$"):
        list(found)
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


SLEEPERS = """
import os, sys, time
from pathlib import Path
from skillshot.common.parts import mapped

def work(part):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(600)

list(mapped(work, range(2), "work", 2))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_end_with_a_killed_process(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SLEEPERS, str(tmp_path)])
    while not (names := [path.name for path in tmp_path.iterdir()]):
        time.sleep(0.1)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 60
    while any(map(_runs, names)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _runs(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_a_script_needs_no_guard() -> None:
    call = "print(list(mapped(lambda part: part + 1, range(3), 'work', 3)))"
    script = f"from skillshot.common.parts import mapped\n{call}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[1, 2, 3]\n"
