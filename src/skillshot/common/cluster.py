"""Parts of a large bank on the machines of a Ray cluster: the engine `ray`.

Ray reads the address from RAY_ADDRESS. Where that is not set, it takes the cluster that runs on this machine, or starts
here. The cluster's machines get this package from here, so they need only the packages that it uses.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skillshot.common.environment import DEFAULTS
from skillshot.common.errors import InputError, SkillshotError

if TYPE_CHECKING:
    from skillshot.common.parts import Share

LOSSES = 3  # of the worker of one part, after which the part is given up
ANSWER = 5.0  # seconds in which a machine must answer; Ray itself would try for two minutes
PACKAGES = ("numpy", "onnxruntime", "scikit-learn", "scipy", "tokenizers", "torch")  # whose versions change results

_held: tuple[str, Callable[[Any], Any]] | None = None  # of this process, where it is a worker


@contextmanager
def cluster() -> Iterator[Share]:
    """Connected inside; gives what works on parts, in order, as `parts.mapped` does.

    A connection that the caller has already made is used, and stays.

    Raises:
        InputError: no cluster answers at RAY_ADDRESS, or it has another version of Ray or Python.
        MissingPackageError: Ray is not installed.
    """
    import ray

    if ray.is_initialized():
        yield partial(_shared, ray)
        return
    _connect(ray)
    try:
        yield partial(_shared, ray)
    finally:
        ray.shutdown()


def _connect(ray: Any) -> None:
    """Connect, or start Ray here."""
    address = os.environ.get("RAY_ADDRESS", "")
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # the first error is raised; the others are not printed
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    try:
        if colon and port.isdecimal():
            socket.create_connection((host, int(port)), timeout=ANSWER).close()
        # a worker takes the code path of this process, whatever its processor, with one thread for its one core
        same = {name: os.environ[name] for name in DEFAULTS if name in os.environ} | {"OMP_NUM_THREADS": "1"}
        environment = {"py_modules": [str(Path(__file__).parents[1])], "env_vars": same}
        ray.init(runtime_env=environment, log_to_driver=False, logging_level="ERROR")
    except (Exception, SystemExit) as error:  # Ray ends the process where an address does not answer
        ray.shutdown()  # of what it had begun
        cause = " ".join(str(error).split())[:300]
        raise InputError(
            f"engine ray: RAY_ADDRESS={address!r} cannot be used: {cause}\n"
            "set RAY_ADDRESS to the head node's host:port (auto: the cluster on this machine; unset: that, or Ray "
            "starts here), or engine to local"
        ) from error


def _shared(ray: Any, function: Callable[[Any], Any], parts: Iterable[Any], count: int) -> Iterator[Any]:
    held, key, versions = ray.put(function), uuid.uuid4().hex, _versions()
    work = ray.remote(_work).options(num_cpus=1, max_retries=LOSSES)
    most = 2 * min(count, int(ray.cluster_resources().get("CPU", 1)))
    running: deque[Any] = deque()
    try:
        for part in parts:
            running.append(work.remote(key, [held], versions, part))
            if len(running) >= most:
                yield _result(ray, running.popleft())
        while running:
            yield _result(ray, running.popleft())
    finally:  # of the caller's stop or a failed part
        for left in running:
            ray.cancel(left)


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise SkillshotError(
            f"engine ray: a part was given up after {LOSSES + 1} tries: {' '.join(str(error).split())[:300]}\n"
            "a worker that ends each time is often out of memory: `ray memory`, fewer cores for each machine"
        ) from error


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def _work(key: str, held: list[Any], versions: dict[str, str | None], part: Any) -> Any:
    """In a worker: the held function, fetched at its first part, of a part."""
    global _held
    if _held is None or _held[0] != key:
        import ray

        here = _versions()
        for package, version in versions.items():
            if here[package] != version:
                raise InputError(
                    f"engine ray: {package} is {here[package] or 'not installed'} on {socket.gethostname()}, here "
                    f"{version or 'not installed'}; results would differ: install the same packages on each machine"
                )
        _held = None
        _held = key, ray.get(held[0])
    return _held[1](part)
