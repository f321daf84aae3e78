"""The stage `tune`: without a budget the fitted bundle is served as it is, with one the tuned bundle."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from helpers.tune_fakes import Liking
from skillshot.common.io import read_json
from skillshot.common.params import Params
from skillshot.runtime.manifest import read_manifest
from skillshot.stages import tune as stage
from skillshot.tune.questions import bank_questions


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("budget", [0, 150])
def test_the_bundle_is_tuned_where_there_is_a_budget(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKILLSHOT_CACHE", str(tmp_path / "cache"))
    params = Params().changed(tune={"budget": budget}, evaluate={"bootstrap": 200})
    Path("params.yaml").write_text(yaml.safe_dump(params.to_dict()))
    shutil.copytree(bundle, stage.FITTED)
    likes_wording = Liking(bank_questions(stage.FITTED, params.seed), [0, 0, 1])
    monkeypatch.setattr(stage, "open_engine", lambda _: likes_wording)
    stage.main()
    report, served = read_json("reports/tune.json"), read_manifest(stage.SERVED)
    assert files(stage.FITTED) == files(bundle), "the fitted bundle stays"
    if budget:
        assert report["accepted"] and "timing" not in report and 100 < report["calls"] <= budget
        assert served["tuned"]["llm"] == likes_wording.model and served["tuned"]["nll"]["high"] < 0
    else:
        assert report == {"finding": "not tuned: tune.budget is 0", "accepted": False, "calls": 0}
        assert files(stage.SERVED) == files(bundle) and not likes_wording.calls
