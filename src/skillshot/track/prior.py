"""The packaged prior in MLflow: one version of the registered model `skillshot-prior` for each content."""

from __future__ import annotations

import json
from pathlib import Path

from skillshot.common.io import sha256_text
from skillshot.features.prior import Prior
from skillshot.runtime.manifest import describe
from skillshot.track.mlflow_store import MlflowStore

NAME = "skillshot-prior"  # of the experiment and of the registered model
DIGEST = "skillshot.sha256"
DESCRIPTION = "What the rationales of other banks let one expect of a question; no model to serve"


def publish_prior(root: Path, folder: Path) -> tuple[str, bool]:
    """Register the prior in `folder` with its files, sources and digests; one that is there already stays as it is.

    Returns:
        the version's number, and whether it is new.

    Raises:
        BundleError: a file of the prior is missing or damaged.
        TrackError: MLflow cannot be reached.
    """
    prior, files = Prior.load(folder), describe(folder, [folder])
    digest = sha256_text(json.dumps(files, sort_keys=True))
    store = MlflowStore(root, experiment=NAME, model=NAME)
    for number, made in store.versions().items():
        if made.tags.get(DIGEST) == digest:
            return number, False
    run = store.create_run(f"prior {digest[:8]}", {DIGEST: digest})
    sources = {f"source.{bank.name}": f"{bank.licence}, {bank.rows} rows, {bank.sha256}" for bank in prior.sources}
    size = sum(file["bytes"] for file in files.values())
    store.log(
        run, sources, {"bytes": size, "features": prior.width, "n_grams": sum(len(view.keys) for view in prior.views)}
    )
    store.log_files(run, [("prior", folder / name) for name in files])
    store.finish(run)
    return store.register(run, f"runs:/{run}/prior", {DIGEST: digest}, DESCRIPTION), True
