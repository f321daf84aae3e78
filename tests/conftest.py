"""Shared fixtures; the process is configured before anything heavy is imported."""

from __future__ import annotations

import pytest

from skillshot.environment import configure

configure()


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of an MLflow database that all tests of the session share: creating one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"
