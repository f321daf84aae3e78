"""Files: atomic, canonical."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skillshot.common.errors import NotANumberError
from skillshot.common.io import atomic_write, made_once, read_jsonl, sha256_text, write_json, write_jsonl


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as handle:
        handle.write("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("report", "key"),
    [
        ({"loss": float("nan")}, r"loss \(nan\)"),
        ({"kl": 1.0, "parts": [{"kl": 2.0}, {"kl": float("-inf")}]}, r"parts\.1\.kl \(-inf\)"),
    ],
)
def test_a_report_cannot_hold_nan(report: dict[str, Any], key: str, tmp_path: Path) -> None:
    with pytest.raises(NotANumberError, match=f"{key} is not a finite number"):
        write_json(tmp_path / "report.json", report)
    assert not (tmp_path / "report.json").exists()


def test_json_lines_come_back(tmp_path: Path) -> None:
    rows = [{"a": "가\u2028b"}, {"a": 1}]
    assert write_jsonl(tmp_path / "rows.jsonl", rows) == 2
    assert list(read_jsonl(tmp_path / "rows.jsonl")) == rows


def test_digests_take_any_text() -> None:
    assert sha256_text("\ud800") != sha256_text("?")


def test_a_folder_that_is_made_once_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "cache/one"
    with pytest.raises(RuntimeError), made_once(path) as work:
        (work / "file").write_text("half")
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with made_once(path) as work, made_once(path) as other:  # two at once, each in a folder of its own
        (work / "file").write_text("slower")
        (other / "file").write_text("faster")
        assert not path.exists()
    assert (path / "file").read_text() == "faster" and list(path.parent.iterdir()) == [path]
