"""Every file of the hostile corpus is refused with a short message or quarantined by row; none is a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.hostile import CASES, LINES, Case
from skillshot.bank.load import load_bank
from skillshot.common.errors import InputError
from skillshot.common.params import IngestParams, Params
from skillshot.sources.ingest import ingest


def test_the_corpus_is_large_and_its_names_differ() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


def _polite(error: InputError, case: Case, path: Path) -> None:
    message = str(error)
    assert len(message.splitlines()) <= 3, message
    assert max(map(len, message.splitlines())) < 700, message
    assert path.name[:50] in message or path.is_dir(), message
    for word in case.refuse:
        assert word in message, message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_file(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "in" / case.file
    path.parent.mkdir()
    case.write(path)
    if case.refuse:
        with pytest.raises(InputError) as caught:
            load_bank(path)
        _polite(caught.value, case, path)
        return
    loaded = load_bank(path)
    assert len(loaded.records) == case.good
    assert len(loaded.quarantined) == (case.bad if case.quarantine else 0)
    for entry in loaded.quarantined:
        assert entry.reason.startswith(case.quarantine)
        assert entry.file == path.name
        assert entry.line > 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_file_through_the_stage(case: Case, tmp_path: Path) -> None:
    """Old outputs stay where a file is refused, nothing half-written does, and rows in = accepted + quarantined."""
    path, out = tmp_path / "in" / case.file, tmp_path / "data" / "ingest"
    path.parent.mkdir()
    case.write(path)
    out.mkdir(parents=True)
    (out / "bank.jsonl").write_text("old")
    params = Params().changed(ingest=IngestParams(source="file", path=str(path), holdout=0.1, near_duplicates=0))
    try:
        report = ingest(params, out)
    except InputError as error:
        assert case.refuse, error
        assert len(str(error).splitlines()) <= 3
        assert path.name[:50] in str(error) or path.is_dir()
        assert (out / "bank.jsonl").read_text() == "old"
        assert [file.name for file in out.iterdir()] == ["bank.jsonl"]
    else:
        read = report["read"]
        assert read["rows"] == read["accepted"] + read["quarantined"]
        written = {file.name: len(file.read_text().splitlines()) for file in out.iterdir()}
        assert written["bank.jsonl"] + written["queries.jsonl"] == read["accepted"]
        assert written["quarantine.jsonl"] == read["quarantined"]
    assert [file.name for file in out.parent.iterdir()] == ["ingest"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("locked", ["in/bank.jsonl", "in"])
@pytest.mark.parametrize("asked", ["in/bank.jsonl", "in", "."])
def test_no_permission(locked: str, asked: str, tmp_path: Path) -> None:
    path = tmp_path / "in" / "bank.jsonl"
    path.parent.mkdir()
    path.write_text(LINES)
    (tmp_path / locked).chmod(0)
    try:
        with pytest.raises(InputError, match="ermission"):
            load_bank(tmp_path / asked)
    finally:
        path.parent.chmod(0o700)


def test_a_folder_that_may_not_be_listed_is_not_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for root, who may read everything: half of a bank must not pass for the whole."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bank.jsonl").write_text(LINES)
    (tmp_path / "b").mkdir()
    scan = os.scandir

    def deny(path: str) -> object:
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(InputError, match="Permission denied"):
        load_bank(tmp_path)
