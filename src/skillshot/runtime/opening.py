"""Opens what a Selector needs of a bundle, also while another process changes the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skillshot.common import schema
from skillshot.common.arrays import Floats, Mask, Rows
from skillshot.common.errors import BundleError
from skillshot.features.steps import StepNames
from skillshot.runtime.index import Index
from skillshot.runtime.large import open_index
from skillshot.runtime.layout import MODEL, QUESTIONS, STEPS, files_for, resolve
from skillshot.runtime.manifest import NAME, check_files, read_manifest
from skillshot.runtime.options import LoadOptions
from skillshot.runtime.policy import Policy
from skillshot.runtime.scoring import Scoring
from skillshot.runtime.store import BankStore

_TRIES = 5  # loads of a bundle that is being changed meanwhile


@dataclass(frozen=True)
class OpenBundle:
    """The open parts of one state of a bundle.

    vectors: skill vectors of the bank, unit rows (n, z), memory-mapped.
    questions: sentence embeddings of its questions, unit rows (n, d), memory-mapped; None without a transformer,
        or where the bundle does not hold them. Only an explanation reads them.
    steps: names of the kinds of steps that the structure counts; None where it counts none, or they have no names. Only
        an explanation reads them.
    """

    manifest: Mapping[str, Any]
    mode: str
    policy: Policy
    store: BankStore
    vectors: Floats
    index: Index
    scoring: Scoring
    questions: Floats | None = None
    steps: StepNames | None = None

    def search(self, vector: Floats, k: int, allowed: Mask | None) -> tuple[Rows, Floats]:
        """`Index.search`, whose scores are cosines also where the vectors were not checked at load.

        Raises:
            BundleError: a vector is not of length 1.
        """
        rows, scores = self.index.search(vector, k, allowed)
        if not (np.abs(scores) <= 1 + schema.UNIT).all():  # false for NaN
            name = f"{self.manifest['bank']}/skillshot.npy"
            raise BundleError(f"{name}: gives {scores[:4].tolist()}, which are no cosines; fit the bank again")
        return rows, scores


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
    names = files_for(mode, precision, manifest) | {name for name in asked if resolve(folder, name).exists()}
    if policy is not None:  # its files were checked when it was opened
        names = {name for name in names if not name.startswith(f"{MODEL}/")}
    counted = {STEPS} & set(manifest["files"])
    names |= {name for name in counted if resolve(folder, name).exists()}
    check_files(folder, manifest, names, digests=options.check)
    with schema.door(folder / NAME):
        scoring = Scoring.of(manifest["score"], mode)
    policy = policy or Policy(folder / MODEL, mode, scoring, options.threads, precision, options.check)
    bank, rows = folder / manifest["bank"], manifest["data"]["records"]
    store = BankStore(bank, options.check)
    if len(store) != rows:
        raise BundleError(f"{bank}: {len(store)} demonstrations, the manifest has {rows}; copy the bundle again")
    vectors = schema.read_array(bank / "skillshot.npy", [np.float32, np.float16], (rows, policy.width))
    if options.check:
        schema.check_unit(vectors, bank / "skillshot.npy")
    with schema.door(bank / "skillshot.npy"):
        index = open_index(bank, manifest, vectors, scoring.weights)
    questions = schema.read_array(bank / QUESTIONS, [np.float32, np.float16], (rows, None)) if asked & names else None
    steps = StepNames.load((folder / STEPS).parent) if counted & names else None
    if steps is not None and len(steps.columns) > scoring.widths[0]:
        raise BundleError(f"{folder / STEPS}: has more columns than the structure; fit the bank again")
    return OpenBundle(manifest, mode, policy, store, vectors, index, scoring, questions, steps)
