"""Shared fixtures; the process is configured before anything heavy is imported.

`shared` makes an expensive thing once for all workers of a run: the first worker that needs it makes it, the others
wait for its lock. Tests that need the fitted bundle carry the mark `fitted` by themselves, and run last, so that one
worker fits it while the other goes through the rest.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from skillshot.common.environment import configure

# each worker has one core: a second thread of OpenBLAS only spins (measured: 40 % of the CPU time of an evaluation)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
configure()

from helpers.story import Story  # noqa: E402
from skillshot.common.record import write_records  # noqa: E402

Shared = Callable[[str, Callable[[Path], object]], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "bundle" in getattr(item, "fixturenames", ()):
            item.add_marker("fitted")
        if "tracking" in getattr(item, "fixturenames", ()):
            item.add_marker("mlflow")
    # stable: what is random within a part stays so; a long test at the end would leave one worker without work
    items.sort(key=lambda item: ("fitted" in item.keywords, "slow" not in item.keywords))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """`shared(name, make)` gives the path that `make(path)` has filled, once in a test run."""
    from filelock import FileLock

    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name: str, make: Callable[[Path], object]) -> Path:
        path, unfinished = folder / name, folder / f"{name}.unfinished"
        with FileLock(folder / f"{name}.lock"):
            if not path.exists():
                make(unfinished)
                unfinished.rename(path)
        return path

    return once


@pytest.fixture(scope="session")
def story() -> Story:
    """A small storyskills bank and queries held out from it."""
    from skillshot.bank.split import split
    from skillshot.sources.storyskills import generate

    bank, queries, _ = split(list(generate(360, 5)), 0.15, 5, 0.9)
    return list(bank), list(queries)


@pytest.fixture(scope="session")
def bundle(story: Story, shared: Shared) -> Path:
    """A bundle fitted on the small bank by the real code; a test that changes it copies it first.

    `SKILLSHOT_TEST_BUNDLE` names a finished one instead, for a developer who does not touch what makes it.
    """
    from skillshot.api import fit_bundle
    from skillshot.common.params import default_params

    def fit(folder: Path) -> None:
        bank = folder.with_suffix(".jsonl")
        write_records(bank, story[0])
        fit_bundle(bank, folder, default_params(["train.epochs=40", "export.parity_questions=16"]), baselines=True)

    given = os.environ.get("SKILLSHOT_TEST_BUNDLE")
    return Path(given) if given else shared("bundle", fit)


@pytest.fixture(scope="session")
def tracking(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of an empty MLflow database, one for each worker: its tables take seconds to make, a copy takes none."""

    def create(path: Path) -> None:
        from mlflow import MlflowClient

        MlflowClient(f"sqlite:///{path}").search_experiments()

    copy = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    shutil.copyfile(shared("mlflow.db", create), copy)
    return f"sqlite:///{copy}"
