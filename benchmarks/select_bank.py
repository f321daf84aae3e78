"""Bundles of any size for speed measurements: the model of a fitted bundle over a bank grown from its bank."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.record import Record
from skillshot.runtime import large
from skillshot.runtime.layout import LARGE, MODEL
from skillshot.runtime.manifest import read_manifest, write_manifest
from skillshot.runtime.store import BankStore, write_store

NOISE, NEAR, CHUNK = 0.35, 16, 50_000


def grow(rows: Floats, count: int, seed: int = 0) -> Floats:
    """Unit rows (count, z) similar to `rows`: points between two near rows, plus noise with the rows' covariance."""
    rng = np.random.default_rng(seed)
    _, spread, axes = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    noise = (spread / np.sqrt(np.square(spread).mean()))[:, None] * axes * (NOISE / np.sqrt(rows.shape[1]))
    near = np.vstack(
        [np.argsort(-(part @ rows.T), 1)[:, :NEAR] for part in np.array_split(rows, -(-len(rows) // 1000))]
    )
    out = np.empty((count, rows.shape[1]), np.float32)
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        one = rng.integers(0, len(rows), size)
        two = near[one, rng.integers(0, near.shape[1], size)]
        share = rng.random((size, 1), np.float32)
        mixed = rows[one] * (1 - share) + rows[two] * share
        mixed += rng.standard_normal((size, len(noise)), np.float32) @ noise.astype(np.float32)
        out[start : start + size] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return out


def grown_bundle(bundle: Path, count: int, folder: Path, exact_below: int) -> dict[str, float]:
    """Write a bundle of `count` demonstrations: texts repeated, vectors grown; CPU seconds of parts."""
    manifest = read_manifest(bundle)
    source = bundle / manifest["bank"]
    shutil.copytree(bundle / MODEL, folder / MODEL, copy_function=os.link)
    bank = folder / "bank-1"
    bank.mkdir()
    store, seconds = BankStore(source), {}
    start = time.process_time()
    write_store(bank, _records(store, count))
    seconds["store"] = time.process_time() - start
    rows = np.load(source / "skillshot.npy", allow_pickle=False).astype(np.float32)
    vectors = rows[:count] if count <= len(rows) else np.vstack([rows, grow(rows, count - len(rows))])
    np.save(bank / "skillshot.npy", vectors, allow_pickle=False)
    if count > exact_below:
        start = time.process_time()
        large.build(vectors, bank / LARGE)
        seconds["index"] = time.process_time() - start
    facts = {key: value for key, value in manifest.items() if key not in ("format", "files")}
    write_manifest(folder, facts | {"bank": bank.name, "data": facts["data"] | {"records": count}})
    return seconds


def _records(store: BankStore, count: int) -> Iterator[Record]:
    for i in range(count):
        record, again = store[i % len(store)], i // len(store)
        record = replace(record, metadata={**record.metadata, "part": i % 100})  # for filters that leave 1 %
        yield replace(record, id=f"{record.id}-{again}", question=f"{record.question} {again}") if again else record
