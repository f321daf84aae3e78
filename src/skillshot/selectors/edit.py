"""Change a bundle's bank without retraining: a new `bank-N` folder beside the old one, then one manifest swap."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.bank.record import Record
from skillshot.errors import InputError
from skillshot.io import write_json
from skillshot.runtime.card import write_card
from skillshot.runtime.manifest import NAME, check_files, describe, read_manifest
from skillshot.runtime.onnx import Floats
from skillshot.runtime.store import bank_digest, write_store
from skillshot.selectors.pool import Pool

SIDES = ("skillshot", "lars", "ridge", "question", "rationale")


def add(folder: str | os.PathLike[str], records: Sequence[Record]) -> int:
    """Add demonstrations to a bundle; returns the new size of its bank.

    The skill vectors come from the bundle's own posterior, so nothing is trained.

    Raises:
        InputError: an id is already there, or twice in `records`.
        BundleError: the bundle is damaged.
    """
    pool = Pool(folder)
    known = {record.id for record in pool.records}
    for record in records:
        if record.id in known:
            raise InputError(f"add: the id {record.id!r} is already in {folder}; remove it first or give another id")
        known.add(record.id)
    vectors = {name: np.vstack([pool.vectors(name), pool.bank_vectors(name, records)]) for name in SIDES}
    return _commit(Path(folder), [*pool.records, *records], vectors)


def remove(folder: str | os.PathLike[str], ids: Sequence[str]) -> int:
    """Remove demonstrations from a bundle; returns the new size of its bank.

    Raises:
        InputError: an id is not there, or nothing would be left.
        BundleError: the bundle is damaged.
    """
    pool = Pool(folder)
    gone = set(ids)
    missing = gone - {record.id for record in pool.records}
    if missing:
        raise InputError(f"remove: {folder} has no demonstration {min(missing)!r}")
    kept = [row for row, record in enumerate(pool.records) if record.id not in gone]
    if not kept:
        raise InputError(f"remove: nothing would be left in {folder}; keep at least one demonstration")
    return _commit(Path(folder), [pool.records[row] for row in kept], {n: pool.vectors(n)[kept] for n in SIDES})


def _commit(folder: Path, records: Sequence[Record], vectors: Mapping[str, Floats]) -> int:
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    old = manifest["bank"]
    number = 1 + max(int(m.group(1)) for path in folder.iterdir() if (m := re.fullmatch(r"bank-(\d+)", path.name)))
    new = folder / f"bank-{number}"
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        write_store(work, records)
        for name, values in vectors.items():
            kept = np.load(folder / old / f"{name}.npy", mmap_mode="r", allow_pickle=False).dtype
            np.save(work / f"{name}.npy", values.astype(kept), allow_pickle=False)
        work.chmod(0o755)
        os.replace(work, new)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    facts: dict[str, Any] = {key: value for key, value in manifest.items() if key not in ("format", "files")}
    facts |= {"bank": new.name, "data": {"records": len(records), "sha256": bank_digest(records)}}
    write_card(folder, facts)
    files = {name: entry for name, entry in manifest["files"].items() if not name.startswith(f"{old}/")}
    files |= describe(folder, [new, folder / "README.md"])
    # this replacement is the commit: before it readers see the old bank, after it the new one
    write_json(folder / NAME, {"format": manifest["format"], "files": files, **facts})
    shutil.rmtree(folder / old, ignore_errors=True)
    return len(records)
