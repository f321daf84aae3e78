"""A missing package names the one extra that brings it."""

from __future__ import annotations

import importlib
from importlib import metadata

import pytest

from skillshot.common.extras import MissingPackageError, extra_of, extras_named


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("torch", "train"), ("sentence_transformers.util", "train"), ("safetensors", "train"),
        ("mlflow.pyfunc", "pipeline"),
        ("great_expectations", "pipeline"), ("transformers", "llm"), ("faiss", "large"), ("dspy", "dspy"),
        ("langchain_core", "langchain"), ("numpy", None), ("no_such_package", None),
    ],
)  # fmt: skip
def test_the_extra_of_a_module(module: str, extra: str | None) -> None:
    assert extra_of(module) == extra


def test_a_package_that_is_not_installed_from_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "requires", missing)
    assert extra_of("torch") is None


def test_a_missing_module_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importlib.import_module("sys").modules, "faiss", None)
    faiss, unknown = r"faiss-cpu is not installed: pip install 'skillshot\[large\]'", "pip install no-such-package"
    with pytest.raises(MissingPackageError, match=faiss), extras_named():
        importlib.import_module("faiss")
    with pytest.raises(MissingPackageError, match=unknown), extras_named():
        importlib.import_module("no_such_package")


def test_our_own_missing_module_is_an_error_of_ours() -> None:
    with pytest.raises(ModuleNotFoundError), extras_named():
        importlib.import_module("skillshot.no_such_module")
