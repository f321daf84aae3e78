"""Opens what a Selector needs of a bundle, also while another process changes the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.errors import BundleError
from skillshot.runtime.index import Index
from skillshot.runtime.large import open_index
from skillshot.runtime.layout import MODEL, files_for
from skillshot.runtime.manifest import check_files, read_manifest
from skillshot.runtime.options import LoadOptions
from skillshot.runtime.policy import Policy
from skillshot.runtime.store import BankStore

_TRIES = 5  # loads of a bundle that is being changed meanwhile


@dataclass(frozen=True)
class OpenBundle:
    """The open parts of one state of a bundle.

    vectors: skill vectors of the bank, unit rows (n, z), memory-mapped.
    """

    manifest: Mapping[str, Any]
    mode: str
    policy: Policy
    store: BankStore
    vectors: Floats
    index: Index


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
    names = files_for(mode, precision, manifest)
    if policy is not None:  # its files were checked when it was opened
        names = {name for name in names if not name.startswith(f"{MODEL}/")}
    check_files(folder, manifest, names, digests=options.check)
    bank = folder / manifest["bank"]
    vectors = np.asarray(np.load(bank / "skillshot.npy", mmap_mode="r", allow_pickle=False))
    index = open_index(bank, manifest, vectors)
    policy = policy or Policy(folder / MODEL, mode, options.threads, precision)
    return OpenBundle(manifest, mode, policy, BankStore(bank), vectors, index)
