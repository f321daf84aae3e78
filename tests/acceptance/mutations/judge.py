"""Opens one mutated bundle in all ways that a program would, in a process that may be killed."""

from __future__ import annotations

import functools
import math
import multiprocessing
import os
import resource
import shutil
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from acceptance.mutations.draft import Draft
from acceptance.mutations.handmade import MADE
from acceptance.mutations.random_ones import mutate
from skillshot.common.errors import BundleError, InputError, SkillshotError

LIMIT = 10.0  # seconds for one way to open a bundle
MEMORY = 6 * 2**30  # bytes of address space of the process that opens it
QUESTIONS = ("Ann has 4 pens and buys 3 more. How many pens has Ann now?", "Each of 3 boxes has 5 kites.", "?")
REFUSED, ANSWERS, TRACEBACK, HANG, CRASH, OUTSIDE = "refused", "answers", "traceback", "hang", "crash", "outside"

Verdict = tuple[str, dict[str, str]]  # what the mutation was; outcome by way of opening


def judge(bundle: Path, work: Path, mutation: str | int, tick: Callable[[], object] = lambda: None) -> Verdict:
    """Mutate a copy of `bundle` in `work`, a name of `MADE` or a seed, and open it; `tick` is called after each way."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    draft = Draft(bundle, work / "inner/bundle")
    what = mutation if isinstance(mutation, str) else mutate(draft, mutation)
    if isinstance(mutation, str):
        MADE[mutation](draft)
    draft.finish()
    (work / "inner/outside.txt").touch()
    before = _outside(work)
    ways: dict[str, Callable[[], object]] = {
        f"{mode}, check={check}": functools.partial(_open, draft.folder, mode, check)
        for mode in ("full", "lite")
        for check in (True, False)
    }
    ways["push"] = functools.partial(_push, draft.folder, work / "inner/pushed")
    ways |= {"remove": functools.partial(_remove, draft.folder), "add": functools.partial(_add, draft.folder)}
    outcomes = {}
    for way, call in ways.items():
        outcomes[way] = _outcome(call)
        tick()
    shutil.rmtree(work / "inner/pushed", ignore_errors=True)
    if _outside(work) != before:
        outcomes["files"] = f"{OUTSIDE}: {sorted(_outside(work) ^ before)[:3]}"
    shutil.rmtree(work, ignore_errors=True)
    return str(what), outcomes


def _outside(work: Path) -> set[tuple[str, int]]:
    """Paths and sizes of everything but the bundle."""
    found = (path for path in work.rglob("*") if (work / "inner/bundle") not in (path, *path.parents))
    return {(str(path), path.lstat().st_size if path.is_file() else 0) for path in found}


def _outcome(call: Any) -> str:
    try:
        return f"{ANSWERS} {call()}"
    except BundleError as error:
        return f"{REFUSED}: {error}"
    except InputError as error:
        if "already in" not in str(error) and "no demonstration" not in str(error):  # of `add` and `remove`
            return f"{TRACEBACK}: {error}"
        return f"{REFUSED}: {error}"
    except SkillshotError as error:  # a number in a row that `add` cannot write again
        return f"{REFUSED}: {type(error).__name__}: {error}"
    except BaseException:
        return f"{TRACEBACK}: {traceback.format_exc()[-1500:]}"


def outcome_kind(outcome: str) -> str:
    """One of the six words."""
    return outcome.split(":")[0].split()[0]


def _open(folder: Path, mode: str, check: bool) -> str:
    from skillshot import Selector

    selector = Selector.load(folder, mode, check=check)
    found = [*selector.select_batch(QUESTIONS), selector.select(QUESTIONS[0], k=len(selector))]
    selector.prompt(QUESTIONS[0])
    for chosen in found:
        if not chosen or not all(math.isfinite(one.score) and abs(one.score) < 1.02 for one in chosen):
            raise AssertionError(f"{len(chosen)} demonstrations, scores {[one.score for one in chosen][:4]}")
        if not all(0 <= one.confidence <= 1 for one in chosen):
            raise AssertionError(f"confidences {[one.confidence for one in chosen][:4]}")
    return ",".join(one.id for one in found[0])


def _push(folder: Path, target: Path) -> str:
    from skillshot.bundle.hub import push

    return push(folder, str(target))


def _remove(folder: Path) -> int:
    from skillshot import Selector
    from skillshot.bundle.edit import remove

    return remove(folder, [Selector.load(folder, "lite", check=False).record(0).id])


def _add(folder: Path) -> int:
    from skillshot.bundle.edit import add
    from skillshot.common.record import Record

    return add(folder, [Record("new", "Bo has 4 pens and buys 3. How many?", "4 + 3 = 7", "7")])


def judged(bundle: Path, mutations: Iterable[str | int], work: Path) -> Iterator[Verdict]:
    """Verdicts in order, from a process that is replaced when it hangs or crashes."""
    worker: Any = None
    for mutation in mutations:
        if worker is None:
            worker, pipe = _start(bundle, work)
        pipe.send(mutation)
        verdict = None
        try:
            while verdict is None and pipe.poll(LIMIT):
                verdict = pipe.recv()
        except EOFError:
            worker.join()
            verdict = str(mutation), {"process": f"{CRASH}: exit code {worker.exitcode}"}
            worker = None
        if verdict is None:
            worker.kill()
            worker.join()
            verdict, worker = (str(mutation), {"process": f"{HANG}: {LIMIT:.0f} s"}), None
        yield verdict
    if worker is not None:
        pipe.send(None)
        worker.join()


def _start(bundle: Path, work: Path) -> tuple[Any, Connection]:
    context = multiprocessing.get_context("spawn")
    mine, other = context.Pipe()
    worker = context.Process(target=_serve, args=(other, bundle, work), daemon=True)
    worker.start()
    other.close()
    mine.recv()  # its imports are done
    return worker, mine


def _serve(pipe: Connection, bundle: Path, work: Path) -> None:
    import skillshot.bundle.edit
    import skillshot.bundle.hub  # noqa: F401

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # onnxruntime's own lines
    pipe.send(None)
    while (mutation := pipe.recv()) is not None:
        pipe.send(judge(bundle, work, mutation, lambda: pipe.send(None)))
