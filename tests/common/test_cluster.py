"""The engine `ray`: a cluster that cannot be used is named; parts are worked on in order, also where workers die."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from helpers.nodes import two_nodes
from skillshot.common import cluster as module
from skillshot.common.errors import InputError, SkillshotError
from skillshot.common.extras import MissingPackageError, extras_named
from skillshot.common.parts import engine, mapped


def fake(patch: pytest.MonkeyPatch, init: Any = None) -> None:
    """A package `ray` whose `init` is given."""
    patch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False, shutdown=lambda: None, init=init))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match=r"^the package ray is not installed: pip install"):  # noqa: SIM117
        with extras_named(), engine("ray"):
            pass


def test_an_address_where_nothing_answers_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(InputError, match=rf"^engine ray: RAY_ADDRESS='{address}' cannot be used: .*refused"):  # noqa: SIM117
            with engine("ray"):
                pass


@pytest.mark.parametrize("error", [ValueError("no\n such"), SystemExit(15)])
def test_what_ray_raises_becomes_two_lines(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def init(**_: object) -> None:
        raise error

    fake(monkeypatch, init)
    monkeypatch.setenv("RAY_ADDRESS", "foo")
    with pytest.raises(InputError) as caught, engine("ray"):
        pass
    first, second = str(caught.value).splitlines()
    assert first == f"engine ray: RAY_ADDRESS='foo' cannot be used: {' '.join(str(error).split())}"
    assert second.startswith("set RAY_ADDRESS to the head node's host:port")


@pytest.fixture(scope="module", name="nodes")
def _nodes() -> Iterator[Any]:
    with two_nodes() as made:
        yield made


@pytest.mark.slow
def test_parts_are_in_order_and_shared_by_the_nodes(nodes: Any) -> None:
    held = np.arange(20) ** 2

    def square(part: int) -> tuple[int, str, str | None]:
        import ray

        time.sleep(0.5 if part == 0 else 0.1)
        return int(held[part]), ray.get_runtime_context().get_node_id(), os.environ.get("OMP_NUM_THREADS")

    with engine("ray"):
        found = list(mapped(square, range(20), "square", 20))
        assert list(mapped(lambda _: os.getpid(), [0], "one part is worked on here", 1)) == [os.getpid()]
    assert [value for value, *_ in found] == [number**2 for number in range(20)]
    assert len({node for _, node, _ in found}) == len(nodes.list_all_nodes()) == 2
    assert {threads for *_, threads in found} == {"1"}


@pytest.mark.slow
@pytest.mark.usefixtures("nodes")
def test_an_error_of_a_part_is_that_of_the_function() -> None:
    def refuse(part: int) -> int:
        if part == 1:
            raise InputError(f"part {part}: no rows; give a larger bank")
        return part

    with engine("ray"), pytest.raises(InputError, match=r"^part 1: no rows; give a larger bank$"):
        list(mapped(refuse, range(5), "refuse", 5))


@pytest.mark.slow
@pytest.mark.usefixtures("nodes")
def test_the_part_of_a_killed_worker_is_worked_on_again(tmp_path: Path) -> None:
    def killed(part: int) -> int:
        if part in (1, 4) and not (tmp_path / str(part)).exists():
            (tmp_path / str(part)).touch()
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
            time.sleep(5)
        return part * 10

    with engine("ray"):
        assert list(mapped(killed, range(6), "killed", 6)) == [0, 10, 20, 30, 40, 50]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("nodes")
def test_a_part_that_kills_each_worker_is_given_up(tmp_path: Path) -> None:
    def deadly(part: int) -> int:
        if part == 1:
            (tmp_path / str(time.monotonic_ns())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return part

    with engine("ray"), pytest.raises(SkillshotError, match=r"^engine ray: a part was given up after 4 tries: "):
        list(mapped(deadly, range(3), "deadly", 3))
    assert len(list(tmp_path.iterdir())) == module.LOSSES + 1


@pytest.mark.slow
def test_the_parts_of_a_lost_node_are_worked_on_again(nodes: Any) -> None:
    third = nodes.add_node(num_cpus=1)

    def large(part: int) -> Any:
        time.sleep(0.3)
        return np.full(300_000, part)  # kept on the node until it is fetched

    with engine("ray"):
        found = mapped(large, range(12), "large", 12)
        values = [next(found)[0]]
        nodes.remove_node(third, allow_graceful=False)
        values += [rows[-1] for rows in found]
    assert values == list(range(12))


@pytest.mark.slow
@pytest.mark.usefixtures("nodes")
def test_other_packages_on_a_worker_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_versions", lambda: dict.fromkeys(module.PACKAGES, "0.0"))
    with engine("ray"), pytest.raises(InputError, match=r"^engine ray: numpy is \d.* on .*, here 0\.0; results would"):
        list(mapped(abs, range(3), "versions", 3))


@pytest.mark.slow
@pytest.mark.usefixtures("nodes")
def test_another_version_of_ray_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    there = ray.__version__
    monkeypatch.setattr(ray, "__version__", "1.0.0")
    with pytest.raises(InputError, match=f"Version mismatch: .*Ray: {there} .*Ray: 1.0.0 "), engine("ray"):
        pass
