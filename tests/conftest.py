"""Shared fixtures; the process is configured before anything heavy is imported."""

from __future__ import annotations

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
def bundle(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle fitted on the small bank by the real code; tests that change it copy it first."""
    from skillshot.api import fit_bundle
    from skillshot.common.params import default_params

    folder = tmp_path_factory.mktemp("bundle")
    write_records(folder / "bank.jsonl", story[0])
    params = default_params(["train.epochs=40", "export.parity_questions=50"])
    fit_bundle(folder / "bank.jsonl", folder / "selector", params)
    return folder / "selector"


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of an MLflow database that all tests of the session share: creating one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"
