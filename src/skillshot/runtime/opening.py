"""Opens what a Selector needs of a bundle, also while another process changes the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common import schema
from skillshot.common.arrays import Floats
from skillshot.common.errors import BundleError, InputError
from skillshot.features.steps import StepNames
from skillshot.runtime.bank import Bank, FolderBank
from skillshot.runtime.grid import read_rows
from skillshot.runtime.large import open_index
from skillshot.runtime.layout import MODEL, QUESTIONS, STEPS, files_for, refuse_slim, resolve, steps_of
from skillshot.runtime.manifest import NAME, check_files, read_manifest
from skillshot.runtime.options import LoadOptions
from skillshot.runtime.policy import Policy
from skillshot.runtime.postgres import PostgresBank
from skillshot.runtime.scoring import Scoring
from skillshot.runtime.store import BankStore

_TRIES = 5  # loads of a bundle that is being changed meanwhile


@dataclass(frozen=True)
class OpenBundle:
    """The open parts of one state of a bundle.

    steps: names of the kinds of steps that the structure counts; None where it counts none, or they have no names. Only
        an explanation reads them.
    """

    manifest: Mapping[str, Any]
    mode: str
    policy: Policy
    bank: Bank
    scoring: Scoring
    steps: StepNames | None = None

    @property
    def folder_bank(self) -> FolderBank:
        """The bank in the bundle's folder.

        Raises:
            InputError: the rows are in a database.
        """
        if not isinstance(self.bank, FolderBank):
            raise InputError("this reads the bank in the bundle's folder, not one in a database; load it without bank=")
        return self.bank

    @property
    def store(self) -> BankStore:
        """Records of `folder_bank`."""
        return self.folder_bank.store

    @property
    def vectors(self) -> Floats:
        """Skill vectors of `folder_bank`, unit rows (n, z), memory-mapped."""
        return self.folder_bank.vectors


def open_bundle(options: LoadOptions, earlier: OpenBundle | None = None) -> OpenBundle:
    """Open a bundle, checking every file that selection needs against the manifest.

    Args:
        earlier: an open state of the same folder: returned itself where nothing changed, its model shared where only
            the bank changed.

    Raises:
        BundleError: the folder is no bundle, damaged, or of another format.
    """
    for _ in range(_TRIES):
        manifest = read_manifest(options.folder)
        if earlier is not None and manifest == earlier.manifest:
            return earlier
        same = earlier is not None and options.model_of(manifest) == options.model_of(earlier.manifest)
        try:
            return _open(options, manifest, earlier.policy if earlier is not None and same else None)
        except (BundleError, OSError):
            # `add` or `remove` may have put another bank in the place of the one that was being opened
            if read_manifest(options.folder) == manifest:
                raise
    raise BundleError(f"{options.folder}: changed {_TRIES} times while it was opened; load it again")


def _open(options: LoadOptions, manifest: Mapping[str, Any], policy: Policy | None) -> OpenBundle:
    folder, mode, precision = options.folder, options.mode_of(manifest), options.precision_of(manifest)
    asked = {f"{manifest['bank']}/{QUESTIONS}"} & set(manifest["files"]) if mode == "full" else set()
    asked = {name for name in asked if resolve(folder, name).exists()}
    names = files_for(mode, precision, manifest) | asked
    if options.bank is not None:
        refuse_slim(folder, manifest, "a bank in a database")
        names = {name for name in names if name.startswith(f"{MODEL}/")}
    if policy is not None:  # its files were checked when it was opened
        names = {name for name in names if not name.startswith(f"{MODEL}/")}
    counted = {name for name in [steps_of(manifest)] if name is not None}
    names |= {name for name in counted if resolve(folder, name).exists()}
    check_files(folder, manifest, names, digests=options.check)
    with schema.door(folder / NAME):
        scoring = Scoring.of(manifest["score"], mode)
    policy = policy or Policy(folder / MODEL, mode, scoring, options.threads, precision, options.check)
    steps = StepNames.load((folder / STEPS).parent) if counted & names else None
    if steps is not None and len(steps.columns) > scoring.widths[0]:
        raise BundleError(f"{folder / STEPS}: has more columns than the structure; fit the bank again")
    bank: Bank
    if options.bank is not None:
        bank = PostgresBank(options.bank, manifest, mode == "full")
    else:
        bank = _folder_bank(folder, manifest, scoring, options.check, bool(asked))
    return OpenBundle(manifest, mode, policy, bank, scoring, steps)


def _folder_bank(
    folder: Path, manifest: Mapping[str, Any], scoring: Scoring, check: bool, sentences: bool
) -> FolderBank:
    bank, rows = folder / manifest["bank"], manifest["data"]["records"]
    store = BankStore(bank, check)
    if len(store) != rows:
        raise BundleError(f"{bank}: {len(store)} demonstrations, the manifest has {rows}; copy the bundle again")
    vectors = read_rows(bank / "skillshot.npy", rows, scoring.row)
    if check:
        schema.check_unit(vectors, bank / "skillshot.npy")
    with schema.door(bank / "skillshot.npy"):
        index = open_index(bank, manifest, vectors, scoring.weights)
    questions = schema.read_array(bank / QUESTIONS, [np.float32, np.float16], (rows, None)) if sentences else None
    return FolderBank(manifest["bank"], manifest["data"]["sha256"], store, vectors, index, questions)
