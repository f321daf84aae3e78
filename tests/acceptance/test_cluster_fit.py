"""A fit on a Ray cluster: the bundle of a local fit, although a worker is killed in the middle of each phase."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.nodes import two_nodes
from skillshot import encoder
from skillshot.api import fit_bundle
from skillshot.common import parts
from skillshot.common.io import sha256_file, write_jsonl
from skillshot.common.params import default_params
from skillshot.sources.storyskills.draw import generate
from skillshot.training import lessons, suspects

pytestmark = pytest.mark.slow

SMALL = {"train.rows": 200, "train.epochs": 5, "train.min_gap": -1.0}


@pytest.fixture(scope="module", name="nodes")
def _nodes() -> Iterator[Any]:
    with two_nodes() as made:
        yield made


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """500 rows, some of which are judged though nothing is learned from them."""
    rows = [{"question": r.question, "rationale": r.rationale, "answer": r.answer} for r in generate(500, seed=3)]
    for row, other in zip(rows[:40], rows[40:80], strict=True):
        row["rationale"] = other["rationale"]
    write_jsonl(tmp_path / "bank.jsonl", rows)
    return tmp_path / "bank.jsonl"


def digests(bundle: Path) -> dict[str, str]:
    """Of all files but those that hold the settings."""
    files = [path for path in sorted(bundle.rglob("*")) if path.is_file()]
    return {path.relative_to(bundle).as_posix(): sha256_file(path) for path in files
            if path.name not in ("manifest.json", "README.md")}  # fmt: skip


@pytest.mark.usefixtures("nodes")
@pytest.mark.parametrize("lite", [True, False], ids=["lite", "full"])
def test_a_worker_is_killed_in_each_phase(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lite: bool
) -> None:
    for module in (encoder, lessons, suspects):
        monkeypatch.setattr(module, "PART", 128)
    here = fit_bundle(bank, tmp_path / "here", default_params(SMALL), lite=lite)
    phases: list[int] = []
    share = parts._share

    def deadly(whole: parts.Share) -> parts.Share:
        def shared(function: Callable[[Any], Any], of: Iterable[Any], count: int) -> Iterator[Any]:
            phases.append(count)
            mark = tmp_path / f"phase {len(phases)}"

            def once(part: Any) -> Any:
                if first := not mark.exists():
                    mark.touch()
                    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
                found = function(part)
                time.sleep(5 if first else 0)
                return found

            return whole(once, of, count)

        return shared

    class Deadly:
        """The variable that holds how parts are shared, with a worker that is killed in each phase."""

        set, reset = share.set, share.reset

        @staticmethod
        def get() -> parts.Share | None:
            whole = share.get()
            return whole and deadly(whole)

    monkeypatch.setattr(parts, "_share", Deadly)
    there = fit_bundle(bank, tmp_path / "there", default_params(SMALL | {"engine": "ray"}), lite=lite)
    # read for contradictions, embedded where there is an encoder, encoded and judged
    assert len(phases) == (2 if lite else 3) and min(phases) > 1
    assert len(list(tmp_path.glob("phase *"))) == len(phases)
    assert there | {"bundle": None} == here | {"bundle": None}
    assert digests(tmp_path / "there") == digests(tmp_path / "here")


@pytest.mark.usefixtures("nodes")
def test_an_interrupted_fit_ends_with_its_parts_and_leaves_no_bundle(bank: Path, tmp_path: Path) -> None:
    mark = tmp_path / "started"
    program = f"""
import sys, time
from pathlib import Path
from skillshot.cli import main
from skillshot.training import lessons
lessons.PART = 128
encoded = lessons._encoded
def slow(*args, **kwargs):
    Path({str(mark)!r}).touch()
    time.sleep(30)
    return encoded(*args, **kwargs)
lessons._encoded = slow
sys.exit(main.main(sys.argv[1:]))
"""
    words = [
        "fit",
        str(bank),
        "--out",
        str(tmp_path / "out"),
        "--lite",
        "--set",
        "engine=ray",
        "--set",
        "train.rows=200",
    ]
    run = subprocess.Popen(
        [sys.executable, "-c", program, *words], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not mark.exists() and run.poll() is None:
        time.sleep(0.1)
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    _, text = run.communicate(timeout=60)
    assert run.returncode == 130, text
    assert text.splitlines()[-1] == "skillshot fit: interrupted; what was finished is kept"
    assert "Traceback" not in text and time.monotonic() - began < 20
    assert not (tmp_path / "out").exists()
