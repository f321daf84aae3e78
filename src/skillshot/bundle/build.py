"""Exported model and bank together as a bundle folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.io import atomic_write
from skillshot.common.params import Params
from skillshot.common.record import Record
from skillshot.common.space import bytes_under, need
from skillshot.features.prior import Prior
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

    Raises:
        DiskError: there is no space for it.
        BundleError: another process is changing the bundle that is there.
    """
    from skillshot.bundle.card import write_card
    from skillshot.bundle.changing import NEW, changing, put
    from skillshot.runtime import large
    from skillshot.runtime.store import write_store

    size = np.dtype(params.index.dtype).itemsize
    need(
        folder,
        bytes_under(model) + sum(map(_text_bytes, records)) + size * sum(values.size for values in vectors.values()),
        "the bundle",
    )
    with changing(folder) as (place, around):
        work = around / NEW
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
        put(around, place)


def _text_bytes(record: Record) -> int:
    """About the bytes of a record in the bank, with its entries in the tables."""
    return 4 * (len(record.text) + len(record.rationale) + len(record.answer)) + 200


def bundle_facts(
    records: Sequence[Record],
    params: Params,
    diagnostics: Mapping[str, Any],
    score: Mapping[str, Any],
    verdict: Mapping[str, Any] | None = None,
    structure: str = "rationale",
    prior: Prior | None = None,
) -> dict[str, Any]:
    """Facts of a manifest: version, load options, digest of the bank, encoder, seed, score, metrics, verdict, prior."""
    from skillshot.common.version import __version__
    from skillshot.runtime.store import bank_digest

    optional = {"verdict": dict(verdict) if verdict else None, "prior": _named(prior) if prior else None}
    return {
        "skillshot": __version__,
        "select": {
            "mode": params.select.mode,
            "precision": params.select.precision,
            "k": params.select.k,
        },
        "data": {"records": len(records), "sha256": bank_digest(records)},
        "embed": {"model": params.embed.model},
        "seed": params.seed,
        "metrics": dict(diagnostics),
        "score": dict(score),
        "structure": structure,
    } | {name: value for name, value in optional.items() if value}


def _named(prior: Prior) -> list[dict[str, str]]:
    return [{"name": bank.name, "origin": bank.origin, "licence": bank.licence} for bank in prior.sources]
