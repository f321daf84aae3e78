"""A clean clone gives the committed results, or the differing stage is named with its distance."""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers import track_bed as bed
from skillshot.cli import verify as command
from skillshot.common.errors import TrackError
from skillshot.track import verify as verifying
from skillshot.track.distance import distance
from skillshot.track.rules import VerifyRule
from skillshot.track.verify import DIFFERS, NOT_RUN, SAME, STALE, WITHIN, check, verify

IGNORE = ["*seconds*"]


def pair(folder: Path, name: str, then: Any, now: Any) -> tuple[Path, Path]:
    for side, content in (("then", then), ("now", now)):
        bed.write(folder / side, name, content)
    return folder / "then" / name, folder / "now" / name


@pytest.mark.parametrize(
    ("then", "now", "value", "place"),
    [
        ({"a": {"b": 0.5}}, {"a": {"b": 0.5}}, 0, ""),
        ({"a": {"b": 0.5}, "c": 1}, {"a": {"b": 0.51}, "c": 1}, 0.01, "a.b"),
        ({"a": 100.0}, {"a": 101.0}, 0.01, "a"),  # large numbers relatively
        ({"a": [1, 2]}, {"a": [1, 3]}, math.inf, "a"),
        ({"a": "x"}, {"a": "y"}, math.inf, "a"),
        ({"a": True}, {"a": 1}, 0, ""),
        ({"a": True}, {"a": 0.5}, math.inf, "a"),
        ({"a": 1}, {"a": 1, "b": 1}, math.inf, "b is in only one of them"),
        ({"a": 1, "seconds": 3}, {"a": 1, "seconds": 4}, 0, ""),
    ],
)
def test_reports_are_compared_by_number(tmp_path: Path, then: Any, now: Any, value: float, place: str) -> None:
    found = distance(*pair(tmp_path, "report.json", then, now), IGNORE)
    assert found.value == pytest.approx(value) and found.place.lstrip(".") == place


def test_tables_are_compared_by_column(tmp_path: Path) -> None:
    then = "id,nll,seconds\nq1,0.5,1\nq2,,2\n"
    assert distance(*pair(tmp_path, "a.csv", then, "id,nll,seconds\nq1,0.5,9\nq2,,8\n"), IGNORE).value == 0
    assert distance(*pair(tmp_path, "b.csv", then, "id,nll,seconds\nq1,0.6,1\nq2,,2\n"), IGNORE).place == "nll"
    assert distance(*pair(tmp_path, "c.csv", then, "id,nll,seconds\nq1,0.5,1\nq3,,2\n"), IGNORE).value == math.inf
    assert distance(*pair(tmp_path, "d.csv", then, "id,nll,seconds\nq1,0.5,1\n"), IGNORE).value == math.inf


def test_arrays_and_weights_are_compared_by_number(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    for side, shift in (("then", 0), ("now", 1e-3)):
        (tmp_path / side / "sub").mkdir(parents=True)
        np.save(tmp_path / side / "vectors.npy", values)
        save_file({"w": values + np.float32(shift), "b": values}, tmp_path / side / "sub" / "net.safetensors")
    found = distance(tmp_path / "then", tmp_path / "now")
    assert found.value == pytest.approx(1e-3, rel=1e-3) and found.place == "sub/net.safetensors w"
    np.save(tmp_path / "now" / "vectors.npy", values[:2])
    assert distance(tmp_path / "then", tmp_path / "now").value == math.inf
    (tmp_path / "now" / "extra.txt").write_text("x")
    assert distance(tmp_path / "then", tmp_path / "now").place == "extra.txt is in only one of them"


def test_other_files_are_compared_by_bytes(tmp_path: Path) -> None:
    assert distance(*pair(tmp_path, "plot.png", "a", "b")).value == math.inf
    assert "cannot be read" in distance(*pair(tmp_path, "broken.json", "{", "[")).place


@given(st.lists(st.floats(), min_size=1), st.floats(allow_nan=False))
@example([math.nan], 1.0)
@example([1.0, math.inf], 1.0)
@example([1.0], math.inf)
def test_array_has_distance_zero_to_itself_and_any_change_is_detected(values: list[float], other: float) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "a.npy", values)
        np.save(folder / "b.npy", [*values[:-1], other])
        assert distance(folder / "a.npy", folder / "a.npy").value == 0
        assert (distance(folder / "a.npy", folder / "b.npy").value == 0) == (values[-1] == other)


def entry(root: Path, **deps: str) -> dict[str, Any]:
    return {
        "deps": [{"path": path, "md5": md5} for path, md5 in deps.items()],
        "params": {"params.yaml": {"seed": 7}},
        "outs": [{"path": "out.json", "md5": verifying.md5_of(root / "out.json")}],
    }


def test_each_verdict_has_its_reason(tmp_path: Path) -> None:
    root, copy = tmp_path / "then", tmp_path / "now"
    pair(tmp_path, "out.json", {"a": 1.0}, {"a": 1.001})

    def verdicts(then: Any, now: Any, tolerance: float = 0.0) -> list[str]:
        rows = check("s", {"s": then}, {"s": now} if now else {}, root, copy, VerifyRule({"s": tolerance}))
        return [row.verdict for row in rows]

    assert verdicts(entry(root), entry(root)) == [SAME]
    assert verdicts(entry(root), entry(copy), 0.01) == [WITHIN]
    assert verdicts(entry(root), entry(copy), 1e-4) == [DIFFERS]
    assert verdicts(entry(root), entry(copy)) == [DIFFERS]
    assert verdicts(entry(root), None) == [NOT_RUN]
    assert verdicts(entry(root, **{"src/a.py": "1"}), entry(root, **{"src/a.py": "2"})) == [STALE, SAME]
    assert verdicts(entry(root), entry(root) | {"params": {}}) == [STALE, SAME]
    bed.write(root, "out.json", {"a": 1.001})  # the original is no longer here to compare with
    assert verdicts({**entry(root), "outs": [{"path": "out.json", "md5": "0"}]}, entry(copy), 0.01) == [DIFFERS]


STAGES = {
    "ingest": "print('{\"rows\": 3}')",
    "train": "import os; print('{\"loss\": 0.5%s, \"seconds\": %d}' % (os.environ.get('WOBBLE', ''), os.getpid()))",
    "evaluate": "import os, sys; sys.exit(os.environ.get('SKILLSHOT_CACHE') == 'planted' "
    "or int(os.environ.get('BREAK', 0))) or print('{\"nll\": 1}')",
    "register": "raise SystemExit('must not run')",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A real DVC pipeline of three fast stages, committed with its lock."""
    made = tmp_path / "repository"
    tree: dict[str, Any] = {}
    needed: list[str] = []
    for name, code in STAGES.items():
        bed.write(made, f"{name}.py", code + "\n")
        report = f"reports/{name}.json"
        tree[name] = {
            "cmd": f"python {name}.py > {report}",
            "deps": [f"{name}.py", *needed],
            "metrics": [{report: {"cache": False}}],
        }
        needed = [report]
    bed.write(made, "dvc.yaml", json.dumps({"stages": tree}))
    bed.write(made, "gates.yaml", json.dumps({"verify": {"tolerance": {"train": 0.02}, "ignore": IGNORE}}))
    bed.write(made, "reports/register.json", {"machine": {"cpu.model": "a machine of long ago"}})
    bed.git(tmp_path, "init", "-q", str(made))
    for dvc in (["init", "-q"], ["config", "core.analytics", "false"], ["repro", "-q", "evaluate"]):
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        subprocess.run([sys.executable, "-m", "dvc", *dvc], cwd=made, check=True, env=environment)
    bed.commit(made)
    monkeypatch.chdir(made)
    return made


def test_clean_clone_is_compared_stage_by_stage(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    bed.write(root, "ingest.py", "print('uncommitted: not what is verified')")
    monkeypatch.setenv("WOBBLE", "1")
    monkeypatch.setenv("SKILLSHOT_CACHE", "planted")
    folder = tmp_path / "kept"
    assert command.run(parser.parse_args(["verify", "--json", "--folder", str(folder)])) == 0
    shown = capfd.readouterr()
    document = json.loads(shown.out)
    assert [(row["stage"], row["verdict"]) for row in document["stages"]] == [
        ("ingest", SAME), ("train", WITHIN), ("evaluate", SAME),
    ]  # fmt: skip
    assert document["stages"][1]["apart"] == "1.0e-02" and "loss" in document["stages"][1]["detail"]
    facts = {row["fact"]: row["then"] for row in document["machine"]}
    assert facts["cpu.model"] == "a machine of long ago"
    assert "is reproduced" in shown.err and "uncommitted changes are left out" in shown.err
    with pytest.raises(TrackError, match="not empty"):
        verify(root, folder=folder)

    monkeypatch.setenv("WOBBLE", "9")
    monkeypatch.setenv("BREAK", "3")
    assert command.run(parser.parse_args(["verify", "--markdown"])) == 1
    shown = capfd.readouterr()
    table = shown.out.replace("\\", "")
    assert "| ❌ | train | differs | 1 | 9.0e-02 | 0.02 |" in table and "| ❌ | evaluate | did not run |" in table
    assert "is NOT reproduced" in shown.err


def test_missing_revision_or_lock_is_reported(tmp_path: Path) -> None:
    root = bed.make(tmp_path / "repository")
    with pytest.raises(TrackError, match="git knows no such revision"):
        verify(root, "nowhere")
    bed.git(root, "rm", "-q", "--cached", "dvc.lock")
    bed.git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "lock forgotten")
    with pytest.raises(TrackError, match=r"dvc\.lock is not committed"):
        verify(root)
