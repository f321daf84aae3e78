"""The fingerprint of a pipeline state and what is collected from its reports."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import track_bed as bed
from skillshot.common.errors import TrackError
from skillshot.track.collect import collect, numbers
from skillshot.track.machine import describe, differences
from skillshot.track.secrets import secrets_of
from skillshot.track.state import git, md5_of, read_state


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return bed.make(tmp_path / "repository")


def test_digests_equal_dvc(tmp_path: Path) -> None:
    # taken from the dvc.lock that DVC 3.67 wrote for these very files
    bed.write(tmp_path, "folder/b.txt", "two\n")
    bed.write(tmp_path, "folder/sub/a.txt", "one\n")
    assert md5_of(tmp_path / "folder/b.txt") == "c193497a1a06b2c72230e6146ff47080"
    assert md5_of(tmp_path / "folder") == "e44ddb8e58cd5fd97594d0321caf9da5.dir"


def test_fingerprint_depends_on_stages_and_dirtiness(root: Path) -> None:
    first = read_state(root)
    assert not first.dirty and first.fingerprint == read_state(root).fingerprint
    bed.commit(root, "nothing but a message")
    second = read_state(root)
    assert second.commit != first.commit and second.fingerprint == first.fingerprint
    bed.write(root, "src/new module.py", "x = 1")
    dirty = read_state(root)
    assert dirty.dirty and dirty.digest == first.digest and dirty.fingerprint != second.fingerprint
    (root / "src/new module.py").unlink()
    bed.write(root, "reports/index.json", {"vectors": 4})
    bed.lock(root)
    run = read_state(root)
    assert run.digest != first.digest
    assert not run.dirty and run.unrecorded == ("dvc.lock", "reports/index.json"), "the commit makes these again"


def test_fingerprint_ignores_the_publishing_stage(root: Path) -> None:
    first = read_state(root).digest
    with (root / "dvc.lock").open("a") as handle:
        handle.write("  register:\n    cmd: old\n    outs: []\n")
    assert read_state(root).digest == first


def test_stage_that_has_not_run_is_named(root: Path) -> None:
    with (root / "dvc.yaml").open("a") as handle:
        handle.write("  export:\n    cmd: 'true'\n")
    with pytest.raises(TrackError, match=r"stage export has not run\nrun `dvc repro export`"):
        read_state(root)
    (root / "dvc.lock").unlink()
    with pytest.raises(TrackError, match=r"dvc\.lock: no such file"):
        read_state(root)


def test_outside_of_git_everything_is_dirty(root: Path, tmp_path: Path) -> None:
    (root / ".git").rename(tmp_path / "elsewhere")
    state = read_state(root)
    assert state.commit == "" and state.dirty == ("no git commit",)
    with pytest.raises(TrackError, match="git rev-parse"):
        git(root, "rev-parse", "HEAD")


def test_reports_become_metrics_curves_and_selectors(root: Path) -> None:
    collected = collect(root, {"seed": 7, "train": {"beta": 0.1, "tags": ["a"]}})
    assert collected.params == {"seed": "7", "train.beta": "0.1", "train.tags": "['a']"}
    pair = {"diff": -0.3, "low": -0.4, "high": -0.2}
    ours = {
        "hit_at_k": 0.9, "nll": 0.6, "nll_gain": 0.3, "nll_gain_low": 0.2, "reports/evaluate/hit_at_4": 0.9,
        **{f"reports/evaluate/vs_question.nll.{end}": value for end, value in pair.items()},
    }  # fmt: skip
    assert collected.selectors["skillshot"] == ours
    assert ours.items() <= collected.metrics.items(), "the same names on the run and on its children"
    assert collected.metrics["reports/train/shuffled_z_gap"] == 0.2
    assert collected.metrics["reports/evaluate/queries"] == 40
    assert not [name for name in collected.metrics if "lars" in name or "selectors" in name]
    assert collected.selectors["lars"] == {"hit_at_k": 0.8}
    assert ("reports/curves/kl", 0.2, 2) in collected.curves
    assert ("reports", root / "reports/evaluate_rows.csv") in collected.files


def test_benchmark_reports_are_not_metrics_of_the_state(root: Path) -> None:
    bed.write(root, "reports/benchmark.json", {"seconds": 3.5, "selectors": {"rival": {"ms": 1}}})
    bed.write(root, "reports/register.json", {"metrics": 3})
    collected = collect(root, {})
    assert not [name for name in collected.metrics if name.startswith(("benchmark", "register"))]
    assert "rival" not in collected.selectors


def test_curves_of_several_models_are_separate(root: Path) -> None:
    bed.write(
        root, "reports/train_curves.csv", "model,epoch,loss,lr\nlars,0,0.9,\nskillshot,0,0.7,nan\nskillshot,1,0.6,1\n"
    )
    assert collect(root, {}).curves == (
        ("reports/curves/lars.loss", 0.9, 0), ("reports/curves/skillshot.loss", 0.7, 0),
        ("reports/curves/skillshot.loss", 0.6, 1), ("reports/curves/skillshot.lr", 1.0, 1),
    )  # fmt: skip


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(TrackError, match=r"train\.loss: (nan|inf)"):
        numbers({"loss": value}, "train")


def test_two_keys_with_the_same_name_are_refused() -> None:
    with pytest.raises(TrackError, match="two keys"):
        numbers({"hit@1": 0.1, "hit_at_1": 0.2})


@given(st.dictionaries(st.text(min_size=1), st.floats(allow_nan=False, allow_infinity=False)))
def test_every_name_is_valid_in_mlflow(tree: dict[str, float]) -> None:
    try:
        found = numbers(tree, "stage")
    except TrackError:
        return
    assert sorted(found.values()) == sorted(tree.values())
    assert all(re.fullmatch(r"[\w\-. /:]+", name, flags=re.ASCII) for name in found)


def test_secrets_are_found_by_variable_name() -> None:
    environment = {
        "OPENAI_API_KEY": "sk-12345678", "GH_TOKEN": "ghp_12345678", "TOKENIZERS_PARALLELISM": "false-false",
        "SHORT_TOKEN": "true", "GATEWAY": "12345678", "HOME": "/home/user",
    }  # fmt: skip
    assert set(secrets_of(environment, ["GATEWAY"])) == {"OPENAI_API_KEY", "GH_TOKEN", "GATEWAY"}


def test_differences_of_machines_are_named() -> None:
    here = describe()
    assert here["version.numpy"].count(".") == 2
    assert differences(here, here) == []
    assert differences(here, {**here, "cpu.features": "none"}) == [("cpu.features", here["cpu.features"], "none")]
