"""Reports are forged together with every digest that a committer can write; none of them becomes champion."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

import pytest

from helpers import evaluated_bed as evaluated
from helpers import track_bed as bed
from helpers.forgeries import FORGERIES, REPORT, ROWS, Forger
from skillshot.cli import gate as gate_command
from skillshot.common.errors import TrackError
from skillshot.track import promotion
from skillshot.track.promotion import RECOMPUTED_TAG, promote
from skillshot.track.recompute import tag_of
from skillshot.track.verify import DIFFERS, Checked, Verification


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tracking: str) -> Iterator[Forger]:
    folder = tmp_path_factory.mktemp("forgery")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", tracking)
        patch.setenv("SKILLSHOT_CACHE", str(folder / "answers"))
        yield Forger(folder)


@pytest.fixture
def forger(made: Forger) -> Iterator[Forger]:
    yield made
    made.restore()


QUICK = ("numbers", "record", "gates in the record", "cache, without digest", "other bundle in the registry")
CASES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FORGERIES]


@pytest.mark.parametrize("name", CASES)
def test_no_forgery_becomes_champion(forger: Forger, name: str) -> None:
    forge, reason = FORGERIES[name]
    version = forge(forger)
    assert version != forger.champion
    try:
        decision = promote(forger.store, forger.root, version, "Mallory")
    except TrackError as error:
        found = str(error)
    else:
        assert not decision.passed and decision.move is None
        found = "; ".join(f"{row.name} {row.status}" for row in decision.rows if not row.passed)
    assert any(part in found for part in reason.split("|")), found
    assert forger.store.aliases()["champion"] == forger.champion
    tags = forger.store.client.get_run(forger.run_of(version)).data.tags
    assert name == "an old tag" or RECOMPUTED_TAG not in tags


def test_doctored_bundle_is_found_by_a_run_from_scratch(forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    forger.run(hit=0.97, nll=0.5)  # its reports are true of the bundle, which no training made
    version = forger.publish()
    made = Verification("c", (Checked("index", "models/selector", DIFFERS, 0.3),), ())
    monkeypatch.setattr(promotion, "verify", lambda *_: made)
    decision = promote(forger.store, forger.root, version, everything=True)
    assert [row.name for row in decision.rows if not row.passed] == ["verify:models/selector"]
    assert forger.store.aliases()["champion"] == forger.champion


def test_answers_with_a_fitting_digest_are_found_without_the_cache(forger: Forger) -> None:
    forger.run(hit=0.93, nll=0.3)  # the model never gave these answers; the cache says so, digest and all
    version = forger.publish()
    with pytest.raises(TrackError, match="no answer of stub to q1"):
        promote(forger.store, forger.root, version, cached=False)
    assert forger.store.aliases()["champion"] == forger.champion


def test_champion_that_was_edited_is_no_baseline(forger: Forger) -> None:
    forger.run(hit=0.6)
    version = forger.publish()
    sound = forger.store.read_artifact(forger.run_of(forger.champion), REPORT)
    assert sound is not None
    forger.rewrite(forger.champion, REPORT, sound.replace("0.9", "0.5"))
    with pytest.raises(TrackError, match="not what its promotion recomputed; it was edited since"):
        promote(forger.store, forger.root, version)
    forger.rewrite(forger.champion, REPORT, sound)
    assert not promote(forger.store, forger.root, version).passed


def test_promotion_records_who_recomputed_what(forger: Forger) -> None:
    tag = tag_of(forger.store.client.get_run(forger.run_of(forger.champion)).data.tags, RECOMPUTED_TAG)
    assert set(tag) == {"by", "at", "inputs", "reports"} and set(tag["reports"]) == {REPORT, ROWS}
    assert {"models/selector", evaluated.QUERIES, "evaluate.py", "commit"} == set(tag["inputs"])


def test_gate_says_what_is_on_trust_and_recomputes_it(
    forger: Forger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(forger.root)
    parser = argparse.ArgumentParser()
    gate_command.add_parser(parser.add_subparsers())

    def gate(*arguments: str) -> tuple[int, dict[str, Any], str]:
        code = gate_command.run(parser.parse_args(["gate", "--json", *arguments]))
        shown = capsys.readouterr()
        return code, {row["name"]: row for row in json.loads(shown.out)["rows"]}, shown.err

    forger.run(hit=0.91)
    forger.forge(hit=0.92)
    code, rows, shown = gate()
    assert (code, rows[evaluated.HIT]["source"]) == (0, "on trust") and "on trust: the reports of evaluate" in shown
    code, rows, shown = gate("--recompute")
    assert (code, rows[f"recomputed:{REPORT}"]["status"]) == (1, "not reproduced")
    assert (rows[evaluated.HIT]["current"], rows[evaluated.HIT]["source"]) == (0.91, "recomputed")
    assert "on trust" not in shown
    forger.run(hit=0.91)
    assert gate("--recompute")[0] == 1, "an honest run, though its likelihood is worse"
    forger.run(hit=0.92, nll=0.6)
    assert gate("--recompute")[0] == 0
    (forger.root / "models/selector/manifest.json").write_text('{"hit": 0.99}')
    code, rows, _ = gate("--recompute")
    assert (code, rows["published:models/selector"]["status"]) == (1, "not of its lock")


def test_what_cannot_be_recomputed_is_not_promoted(forger: Forger) -> None:
    forger.run(hit=0.98)
    version = forger.publish()
    bed.write(forger.root, evaluated.QUERIES, "others\n")
    with pytest.raises(TrackError, match=r"queries\.jsonl: not the file of the version's dvc\.lock.*\n.*dvc pull"):
        promote(forger.store, forger.root, version)
    forger.store.set_tags(forger.run_of(version), {"mlflow.source.git.commit": "0" * 40})
    with pytest.raises(TrackError, match="has no commit 0000"):
        promote(forger.store, forger.root, version)
