"""Pickles and copies of a Selector, hub addresses, temporary folders."""

from __future__ import annotations

import copy
import gc
import logging
import multiprocessing
import os
import pickle
import shutil
from pathlib import Path

import pytest

from skillshot import Selector
from skillshot.common.errors import BundleError, InputError
from skillshot.runtime import options
from skillshot.runtime.temporary import TemporaryFolder

QUESTION = "A train covers 60 miles in 3 hours. How many miles does it cover in one hour?"


@pytest.fixture
def folder(bundle: Path, tmp_path: Path) -> Path:
    shutil.copytree(bundle, tmp_path / "copy", copy_function=lambda source, target: Path(target).hardlink_to(source))
    return tmp_path / "copy"


def ids(selector: Selector) -> list[str]:
    return [demonstration.id for demonstration in selector.select(QUESTION)]


def test_a_copy_is_the_snapshot_itself(folder: Path) -> None:
    selector = Selector.load(folder, "lite")
    before = ids(selector)
    selector.remove(before[0])
    assert copy.deepcopy({"a": [selector]})["a"][0] is selector and copy.copy(selector) is selector
    assert ids(copy.deepcopy(selector)) == before


def test_a_pickle_opens_the_bundle_with_the_same_options(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(folder.parent)
    selector = Selector.load("copy", "lite", threads=2, precision="fp32", check=False)
    data = pickle.dumps(selector)
    assert len(data) < 2000
    monkeypatch.chdir("/")
    again = pickle.loads(data)  # noqa: S301
    assert ids(again) == ids(selector) and again.options == selector.options and again.mode == "lite"
    assert caplog.records == []
    selector.remove(ids(selector)[0])
    assert len(pickle.loads(data)) == len(selector) - 1  # noqa: S301
    assert "the bank changed since this Selector was pickled" in caplog.text
    shutil.rmtree(folder)
    with pytest.raises(BundleError, match="the bundle of this pickled Selector is gone"):
        pickle.loads(data)  # noqa: S301


def test_another_process_gets_it(folder: Path) -> None:
    selector = Selector.load(folder, "lite")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(selector.select, (QUESTION,)) == selector.select(QUESTION)


def test_a_temporary_folder_lives_as_long_as_its_last_reader(bundle: Path) -> None:
    home = TemporaryFolder()
    path = home.path
    shutil.copytree(bundle, path / "bundle", copy_function=lambda source, target: Path(target).hardlink_to(source))
    selector = Selector.load(path / "bundle", "lite")
    del home
    changed = selector.remove(ids(selector)[0])
    pickled = pickle.loads(pickle.dumps(changed))  # noqa: S301
    del selector, changed
    gc.collect()
    assert len(ids(pickled)) == 4 and path.exists()
    if pid := os.fork():
        os.waitpid(pid, 0)
    else:  # a child that lets go of it removes nothing
        del pickled
        gc.collect()
        os._exit(0)
    assert path.exists()
    del pickled
    gc.collect()
    assert not path.exists()


class Hub:
    """A stand-in for `skillshot.bundle.hub` whose remote bundle is a folder."""

    def __init__(self, remote: Path) -> None:
        self.remote, self.pulled = remote, list[str]()

    def pull(self, source: str, folder: Path) -> Path:
        self.pulled.append(source)
        return Path(shutil.copytree(self.remote, folder))


def test_a_hub_address_is_pulled_and_pulled_again_by_reload(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, real = Hub(folder), options.above
    monkeypatch.setattr(options, "above", lambda name: hub if name.endswith(".hub") else real(name))
    selector = Selector.from_pretrained("models:/name@champion", "lite")
    path = selector.options.folder
    before = ids(selector)
    assert selector.reload() is selector and hub.pulled == ["models:/name@champion"] * 2
    Selector.load(folder, "lite").remove(before[0])
    fresh = selector.reload()
    assert before[0] not in ids(fresh) and ids(selector) == before
    local = selector.remove(before[1])  # the copy alone changes, and is no longer what the address names
    assert local.options.source is None and local.options.folder == path and before[1] in ids(fresh)
    data = pickle.dumps(selector)
    del selector, local
    gc.collect()
    assert not path.exists()
    assert ids(pickle.loads(data)) == ids(fresh)  # noqa: S301  # pulled again where the copy is gone


def test_wrong_options_are_refused_before_a_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "above", lambda _: pytest.fail("downloaded"))
    for settings in ({"mode": "fast"}, {"precision": "int4"}, {"threads": 0}, {"threads": True}):
        with pytest.raises(InputError, match=next(iter(settings))):
            Selector.load("hf:someone/selector", **settings)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Selector.load("folder", "lite", 2)  # type: ignore[misc]


def test_saving_needs_the_state_that_was_loaded(folder: Path, tmp_path: Path) -> None:
    selector = Selector.load(folder, "lite")
    assert selector.save_pretrained(tmp_path / "saved") == str(tmp_path / "saved")
    assert ids(Selector.from_pretrained(tmp_path / "saved", "lite")) == ids(selector)
    smaller = selector.remove(ids(selector)[:2])
    with pytest.raises(BundleError, match="changed since this Selector was loaded"):
        selector.save_pretrained(tmp_path / "saved")
    smaller.save_pretrained(tmp_path / "saved")
    assert len(Selector.load(tmp_path / "saved", "lite")) == len(selector) - 2
    with pytest.raises(InputError, match="expected a folder; use push_to_hub"):
        selector.save_pretrained("hf:someone/selector")


def test_a_push_names_its_address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Path, str]] = []
    monkeypatch.setattr("skillshot.bundle.hub.push", lambda *given: sent.append(given) or "there")
    selector = Selector.load(folder, "lite")
    assert [selector.push_to_hub("someone/selector"), selector.push_to_hub("models:/name")] == ["there", "there"]
    assert sent == [(folder, "hf:someone/selector"), (folder, "models:/name")]


def test_add_checks_rows_as_fit_does(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    selector = Selector.load(folder, "lite")
    rows = [{"task": f"Bo has {n} pens and buys 3. How many?", "rationale": f"{n} + 3 = {n + 3}", "answer": n + 3}
            for n in range(4)]  # fmt: skip
    with caplog.at_level(logging.INFO, "skillshot"):
        larger = selector.add([*rows, {"task": "Why?"}], columns={"question": "task"})
    assert len(larger) == len(selector) + 4 and len(selector.reload()) == len(larger)
    assert "bank: 4 accepted, 1 quarantined" in caplog.text and "empty_answer" in caplog.text
    with pytest.raises(InputError, match="already in"):
        larger.add(rows[:1], columns={"question": "task"})
    with pytest.raises(InputError, match="1 of 1 rows are unusable"):
        larger.add([{"question": "Why?"}])
    gone = larger.record(len(larger) - 1).id
    assert len(larger.remove(gone)) == len(larger) - 1
