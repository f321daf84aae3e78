"""Shared fixtures; the process is configured before anything heavy is imported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from skillshot.common.environment import configure

configure()

from helpers.story import Story  # noqa: E402
from skillshot.common.record import write_records  # noqa: E402


@pytest.fixture(scope="session")
def story() -> Story:
    """A small storyskills bank and queries held out from it."""
    from skillshot.bank.split import split
    from skillshot.sources.storyskills import generate

    bank, queries, _ = split(list(generate(360, 5)), 0.15, 5, 0.9)
    return list(bank), list(queries)


@pytest.fixture(scope="session")
def bundle(story: Story, shared_folder: Path) -> Path:
    """A bundle fitted on the small bank by the real code, once for all workers; tests that change it copy it first.

    `SKILLSHOT_TEST_BUNDLE` names a finished one instead, for the loop of a developer who does not touch what makes it.
    """
    from filelock import FileLock

    from skillshot.api import fit_bundle
    from skillshot.common.params import default_params

    if given := os.environ.get("SKILLSHOT_TEST_BUNDLE"):
        return Path(given)
    folder = shared_folder / "bundle"
    with FileLock(shared_folder / "bundle.lock"):
        if not folder.exists():
            write_records(shared_folder / "bank.jsonl", story[0])
            params = default_params(["train.epochs=40", "export.parity_questions=50"])
            fit_bundle(shared_folder / "bank.jsonl", folder, params)
    return folder


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run that all its workers see."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    return folder


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of an MLflow database that all tests of the session share: creating one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"
