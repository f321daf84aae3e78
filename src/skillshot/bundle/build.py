"""Exported model and bank together as a bundle folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.io import atomic_write, swap_folders
from skillshot.common.params import Params
from skillshot.common.record import Record
from skillshot.runtime.layout import LARGE, MODEL
from skillshot.runtime.manifest import write_manifest


def build_bundle(
    model: Path,
    vectors: Mapping[str, Floats],
    records: Sequence[Record],
    facts: Mapping[str, Any],
    params: Params,
    folder: Path,
) -> None:
    """Put exported model and bank together as a bundle folder; an old bundle there is replaced at the end.

    Args:
        vectors: bank vectors by selector ("skillshot", "lars", "ridge", "question", "rationale"), each (n, z).
        facts: what the manifest holds next to the files: digest of the data, metrics, default load options.
    """
    from skillshot.bundle.card import write_card
    from skillshot.runtime import large
    from skillshot.runtime.store import write_store

    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        shutil.copytree(model, work / MODEL)
        bank = work / "bank-1"
        bank.mkdir()
        write_store(bank, records)
        for name, values in vectors.items():
            with atomic_write(bank / f"{name}.npy", "wb") as handle:
                np.save(handle, np.ascontiguousarray(values, params.index.dtype), allow_pickle=False)
        if len(records) > params.index.exact_below:
            large.build(vectors["skillshot"], bank / LARGE)
        manifest = {"bank": bank.name, "index": {"exact_below": params.index.exact_below}, **facts}
        write_card(work, manifest)
        write_manifest(work, manifest)
        work.chmod(0o755)
        swap_folders(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def bundle_facts(records: Sequence[Record], params: Params, diagnostics: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a manifest: version, default load options, digest of the bank, encoder, seed, metrics."""
    from skillshot import __version__
    from skillshot.runtime.store import bank_digest

    return {
        "skillshot": __version__,
        "select": {
            "mode": params.select.mode,
            "precision": params.select.precision,
            "near_tie": params.select.near_tie,
            "k": params.select.k,
        },
        "data": {"records": len(records), "sha256": bank_digest(records)},
        "embed": {"model": params.embed.model},
        "seed": params.seed,
        "metrics": dict(diagnostics),
    }
