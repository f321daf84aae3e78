"""The packaged prior as a registered model."""

from __future__ import annotations

from pathlib import Path

import pytest

from skillshot.common.io import sha256_file
from skillshot.features.prior import prior_named


def test_one_version_for_each_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skillshot.track.mlflow_store import MlflowStore
    from skillshot.track.prior import NAME, publish_prior

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    prior, folder = prior_named("packaged"), tmp_path / "prior"
    assert prior is not None
    prior.save(folder)
    assert publish_prior(tmp_path, folder) == ("1", True)
    assert publish_prior(tmp_path, folder) == ("1", False)
    store = MlflowStore(tmp_path, NAME, NAME)
    made = store.versions()["1"]
    gsm8k = next(bank for bank in prior.sources if bank.name == "gsm8k")
    assert store.params(made.run_id)["source.gsm8k"] == f"MIT, {gsm8k.rows} rows, {gsm8k.sha256}"
    copy = Path(store.client.download_artifacts(made.run_id, "prior", str(tmp_path)))
    assert {path.name: sha256_file(path) for path in copy.iterdir()} == {
        path.name: sha256_file(path) for path in folder.iterdir()
    }
    type(prior)(prior.views, prior.sources[1:]).save(folder)
    assert publish_prior(tmp_path, folder) == ("2", True)
