"""The alias champion moves only through the gate; moves are recorded, one of two wins, and a rollback undoes one."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import evaluated_bed as evaluated
from helpers import track_bed as bed
from helpers.evaluated_bed import HIT
from skillshot.cli import gate as gate_command
from skillshot.cli import lineage as lineage_command
from skillshot.cli import promote as promote_command
from skillshot.cli import rollback as rollback_command
from skillshot.common.errors import TrackError
from skillshot.common.params import Params, load_params
from skillshot.track import promotion
from skillshot.track.promotion import promote, read_history, rollback, stack
from skillshot.track.publish import publish

CACHE = "answers"  # next to the repository


@pytest.fixture
def root(tmp_path: Path, tracking: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    monkeypatch.setenv("SKILLSHOT_CACHE", str(tmp_path / CACHE))
    made = evaluated.make(tmp_path / "repository", tmp_path / CACHE)
    name = re.sub(r"[^\w-]", "-", request.node.name)
    tree = yaml.safe_load((made / "params.yaml").read_text())
    tree["register"] = {"experiment": f"experiment {name}", "model_name": f"model-{name}"}
    bed.write(made, "params.yaml", yaml.safe_dump(tree))
    bed.commit(made)
    monkeypatch.chdir(made)
    return made


def state(root: Path, hit: float = 0.9, nll: float = 0.6, shots: int = 4) -> str:
    """Run, commit and publish a state; returns its version."""
    evaluated.run(root, root.parent / CACHE, hit, nll, shots)
    bed.commit(root, f"{hit} {nll} {shots}")
    return publish(root, params(root)).version


def params(root: Path) -> Params:
    return load_params(root / "params.yaml")


def store_of(root: Path) -> Any:
    from skillshot.track.mlflow_store import MlflowStore

    return MlflowStore(root, params(root).register.experiment, params(root).register.model_name)


def command(module: Any, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    code: int = module.run(parser.parse_args([module.__name__.rpartition(".")[2], *arguments]))
    return code


def test_without_a_champion_there_is_nothing_to_roll_back(root: Path) -> None:
    for _ in range(2):
        with pytest.raises(TrackError, match=r"there is no champion yet\n`skillshot promote VERSION` makes one"):
            rollback(store_of(root))
        state(root)  # published, and not promoted


@pytest.mark.slow
def test_the_drill(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = state(root)
    store = store_of(root)
    assert command(promote_command) == 0
    assert store.aliases() == {"challenger": first, "champion": first}
    assert command(promote_command) == 0, "promoting it again is no error"
    assert "is champion already" in capsys.readouterr().err

    worse = state(root, hit=0.8)
    assert command(promote_command) == 1
    assert store.aliases() == {"challenger": worse, "champion": first}
    assert f"version {worse} is refused" in capsys.readouterr().err
    assert store.versions()[worse].tags["skillshot.gate"] == f"failed: {HIT} regressed"

    better = state(root, hit=0.95)
    assert command(promote_command) == 0
    assert store.aliases()["champion"] == better
    assert store.versions()[better].tags["skillshot.gate"] == "passed"

    assert command(lineage_command, "champion", "--full") == 0
    shown = capsys.readouterr().out
    commit = bed.git(root, "rev-parse", "HEAD").strip()
    assert f"commit    {commit}" in shown and f"promote {first} -> {better} by Ada" in shown
    assert f"skillshot verify --revision {commit}" in shown and "models/selector" in shown

    assert command(rollback_command) == 0
    assert store.aliases()["champion"] == first
    with pytest.raises(TrackError, match="no champion before version"):
        rollback(store)
    assert [(move.action, move.version) for move in read_history(store)] == [
        ("promote", first), ("promote", better), ("rollback", first),
    ]  # fmt: skip
    assert command(promote_command, better) == 0, "what was rolled back can be promoted again"
    capsys.readouterr()
    assert command(lineage_command, better, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["aliases"] == ["challenger", "champion"] and len(document["history"]) == 3


@pytest.mark.slow
def test_another_evaluation_data_set_is_not_comparable(root: Path) -> None:
    state(root)
    store = store_of(root)
    promote(store, root)
    state(root, hit=0.99, shots=8)
    verdict = promote(store, root)
    assert not verdict.passed and verdict.move is None
    assert [row.status for row in verdict.rows if not row.passed] == ["definition changed"]
    accepted = promote(store, root, accept=["evaluate.shots"])
    assert accepted.move and accepted.move.note == "accepted evaluate.shots"


def bank(root: Path, name: str) -> None:
    bed.write(root, "data/validate/bank.jsonl", f'{{"id": "{name}"}}\n')
    bed.write(root, evaluated.QUERIES, f"{name} 1\n{name} 2\n")


@pytest.mark.slow
def test_another_bank_needs_a_recorded_baseline_and_an_old_one_is_held_to_its_champion(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bank(root, "a")
    first, store = state(root), store_of(root)
    assert promote(store, root).passed
    bank(root, "b")
    other = state(root, hit=0.6)

    def failing(*arguments: str) -> list[str]:
        assert command(promote_command, *arguments) == 1
        capsys.readouterr()
        gate = store.versions()[store.aliases()["challenger"]].tags["skillshot.gate"]
        return gate.removeprefix("failed: ").split(", ")

    assert failing() == ["bank another bank"]
    assert failing("--new-baseline") == ["bank baseline missing"]
    assert command(gate_command, "--baseline", "HEAD~1", "--new-baseline") == 0
    bed.commit(root, "the first baseline of b")
    assert publish(root, params(root)).version == other, "the same state, with its baseline"
    assert failing() == ["bank another bank"]
    assert command(promote_command, "--new-baseline") == 0
    assert store.aliases()["champion"] == other
    assert read_history(store)[-1].note == "first baseline of this bank"
    bank(root, "a")
    state(root, hit=0.8)
    assert failing() == [f"{HIT} regressed"]
    assert f"{store.versions()['3'].tags['skillshot.gate.against']}" == first


def test_first_champion_must_meet_the_bounds(root: Path) -> None:
    state(root, hit=0.4)
    store = store_of(root)
    verdict = promote(store, root)
    assert [row.status for row in verdict.rows if not row.passed] == ["out of bounds"]
    assert "champion" not in store.aliases()


def test_dirty_or_incomplete_version_is_never_promoted(root: Path) -> None:
    bed.write(root, "notes.txt", "uncommitted")
    evaluated.run(root, root.parent / CACHE)
    version = publish(root, params(root)).version
    store = store_of(root)
    with pytest.raises(TrackError, match=r"dirty tree and cannot be reproduced: notes\.txt"):
        promote(store, root, version)
    (root / "notes.txt").unlink()
    clean = publish(root, params(root))
    store.client.delete_tag(clean.run, "skillshot.complete")
    with pytest.raises(TrackError, match="not published completely"):
        promote(store, root, clean.version)
    with pytest.raises(TrackError, match="has no version 'nightly'; versions: 2"):
        promote(store, root, "nightly")


def test_of_two_concurrent_promotions_one_wins_and_the_other_fails(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = state(root)
    second = state(root, hit=0.95)
    store = store_of(root)
    judge = promotion.compare_versions

    def slow(*arguments: Any) -> Any:
        monkeypatch.setattr(promotion, "compare_versions", judge)
        promote(store, root, second, "Grace")  # while Ada's gate is still at work
        return judge(*arguments)

    monkeypatch.setattr(promotion, "compare_versions", slow)
    with pytest.raises(TrackError, match=f"Grace was faster: promote to version {second}"):
        promote(store, root, first, "Ada")
    assert store.aliases()["champion"] == second
    assert [move.by for move in read_history(store)] == ["Grace"]


def test_equal_concurrent_moves_count_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = state(root)
    store = store_of(root)
    judge = promotion.compare_versions

    def slow(*arguments: Any) -> Any:
        monkeypatch.setattr(promotion, "compare_versions", judge)
        promote(store, root, version, "Ada")
        return judge(*arguments)

    monkeypatch.setattr(promotion, "now", lambda: "this second")
    monkeypatch.setattr(promotion, "compare_versions", slow)
    with pytest.raises(TrackError, match=f"Ada was faster: promote to version {version}"):
        promote(store, root, version, "Ada")
    assert [move.version for move in read_history(store)] == [version]


@pytest.mark.slow
def test_the_alias_follows_the_history(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = state(root), state(root, hit=0.95)
    store = store_of(root)
    promote(store, root, first)
    claim = type(store).claim

    def overtaken(self: Any, run: str, key: str, value: str) -> bool:
        monkeypatch.setattr(type(store), "claim", claim)
        won = claim(self, run, key, value)
        rollback_to = {
            "action": "rollback",
            "version": first,
            "before": second,
            "by": "Grace",
            "at": "later",
            "note": "",
        }
        claim(self, run, "move.0003", json.dumps(rollback_to))
        return won

    monkeypatch.setattr(type(store), "claim", overtaken)
    promote(store, root, second, "Ada")
    assert store.aliases()["champion"] == first
    store.set_alias("champion", second)  # by hand, without an entry in the history
    with pytest.raises(TrackError, match=r"no champion before|moved by hand"):
        rollback(store)


def test_the_history_is_a_stack() -> None:
    def move(action: str, version: str) -> promotion.Move:
        return promotion.Move(action, version, "", "", "")

    moves = [move("promote", "1"), move("promote", "2"), move("promote", "3"), move("rollback", "2")]
    assert stack(moves) == ["1", "2"]
    assert stack([*moves, move("rollback", "1"), move("promote", "4")]) == ["1", "4"]
