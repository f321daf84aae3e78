"""One Selector in many threads while its bundle changes (for 60 s: benchmarks/bench_hammer.py)."""

from __future__ import annotations

import importlib.util
import shutil
import threading
from pathlib import Path

import pytest

from skillshot import Selector
from skillshot.bundle import edit
from skillshot.common.errors import BundleError
from skillshot.runtime import opening as module

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks/bench_hammer.py"
QUESTION = "A train covers 60 miles in 3 hours. How many miles does it cover in one hour?"


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    shutil.copytree(bundle, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.slow
def test_threads_select_while_demonstrations_are_added_and_removed(copy: Path) -> None:
    spec = importlib.util.spec_from_file_location("bench_hammer", SCRIPT)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    result = script.hammer(copy, seconds=60, changes=4)
    assert result["faults"] == [] and result["changes"] == 4 and result["questions"] > 20
    assert len(Selector.load(copy, "lite")) == result["bank"]


def test_load_during_a_change_reads_the_manifest_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = Selector.load(copy, "lite").record(0).id
    real, calls = module.check_files, []

    def overtaken(*given: object, **options: object) -> None:
        calls.append(1)
        if len(calls) == 1:  # between reading the manifest and opening its files
            edit.remove(copy, [victim])
        real(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "check_files", overtaken)
    selector = Selector.load(copy, "lite")
    assert len(calls) == 2 and victim not in {d.id for d in selector.select(QUESTION, k=len(selector))}


def test_bundle_that_keeps_changing_is_an_error(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifests = iter(range(100))
    facts = {"select": {"mode": "lite", "precision": "int8"}, "bank": "bank-9", "files": {}}
    monkeypatch.setattr(module, "read_manifest", lambda _: facts | {"n": next(manifests)})
    with pytest.raises(BundleError, match="changed 5 times"):
        Selector.load(copy)


def test_of_two_concurrent_changes_the_second_waits(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    selector = Selector.load(copy, "lite")
    one, two = selector.record(0).id, selector.record(1).id
    real, second = edit.bank_digest, threading.Thread(target=lambda: edit.remove(copy, [two]))

    def overtaken(records: object) -> str:
        if second.ident is None:
            second.start()  # between reading the bank and replacing it
            second.join(0.3)
            assert second.is_alive()
        return real(records)  # type: ignore[arg-type]

    monkeypatch.setattr(edit, "bank_digest", overtaken)
    edit.remove(copy, [one])
    second.join()
    ids = {d.id for d in Selector.load(copy, "lite").select(QUESTION, k=len(selector))}
    assert len(ids) == len(selector) - 2 and not ids & {one, two}
    assert not list(copy.parent.glob(".copy*")), "nothing is left behind"
