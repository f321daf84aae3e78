"""Change a bundle's bank without retraining: a new `bank-N` folder next to the old one, then one manifest swap."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skillshot.bundle.card import write_card
from skillshot.common.arrays import Floats, Rows
from skillshot.common.errors import InputError
from skillshot.common.extras import extras_named
from skillshot.common.io import write_json
from skillshot.common.record import Record
from skillshot.runtime import large
from skillshot.runtime.layout import ENCODER_FILES, ENCODERS, LARGE, MODEL, QUESTION_VIEW, RATIONALE_VIEW, VIEW_FILES
from skillshot.runtime.manifest import NAME, check_files, describe, read_manifest
from skillshot.runtime.store import BankStore, bank_digest, write_store
from skillshot.selectors.pool import Pool

if TYPE_CHECKING:
    from skillshot.bank.examples import Examples
    from skillshot.bank.load import Loaded

SIDES = ("skillshot", "lars", "ridge", "question", "rationale")


def add_examples(
    folder: str | os.PathLike[str], examples: Examples, columns: Mapping[str, str] | None = None
) -> Loaded:
    """Normalise and check examples as `fit` does, then add them; returns what was accepted and refused.

    Raises:
        InputError, BundleError: as `load_bank` and `add`.
        MissingPackageError: the packages of the extra `train` are not installed.
    """
    with extras_named():  # the checks need more than the runtime's packages, `remove` does not
        from skillshot.bank.examples import log_quarantined
        from skillshot.bank.load import load_bank

    loaded = load_bank(examples, columns=columns)
    log_quarantined(loaded)
    add(folder, loaded.records)
    return loaded


def add(folder: str | os.PathLike[str], records: Sequence[Record]) -> int:
    """Add demonstrations to a bundle; returns the new size of its bank.

    The skill vectors come from the bundle's own posterior, so nothing is trained. Only files that are read are checked.

    Raises:
        InputError: an id is already there, or twice in `records`; or the bundle was changed meanwhile.
        BundleError: a file of the bank or of the model is damaged.
    """
    folder, manifest = Path(folder), read_manifest(folder)
    sides = _sides(manifest)
    pool = Pool(folder, files=_bank_files(manifest) | _model_files(sides))
    store = BankStore(folder / manifest["bank"])
    new: set[str] = set()
    for record in records:
        if record.id in new or store.has(record.id):
            raise InputError(f"add: the id {record.id!r} is already in {folder}; remove it first or give another id")
        new.add(record.id)
    vectors = {name: pool.bank_vectors(name, records) for name in sides}
    return _commit(folder, manifest, np.arange(len(store)), records, vectors)


def remove(folder: str | os.PathLike[str], ids: Sequence[str]) -> int:
    """Remove demonstrations from a bundle; returns the new size of its bank.

    Raises:
        InputError: an id is not there, or nothing would be left; or the bundle was changed meanwhile.
        BundleError: a file of the bank is damaged.
    """
    folder, manifest = Path(folder), read_manifest(folder)
    check_files(folder, manifest, _bank_files(manifest))
    store, gone = BankStore(folder / manifest["bank"]), set(ids)
    missing = [record_id for record_id in sorted(gone) if not store.has(record_id)]
    if missing:
        raise InputError(f"remove: {folder} has no demonstration {missing[0]!r}")
    kept = np.array([row for row, record in enumerate(store) if record.id not in gone], np.intp)
    if not len(kept):
        raise InputError(f"remove: nothing would be left in {folder}; keep at least one demonstration")
    return _commit(folder, manifest, kept, [], {})


def _sides(manifest: Mapping[str, Any]) -> list[str]:
    return [name for name in SIDES if f"{manifest['bank']}/{name}.npy" in manifest["files"]]


def _bank_files(manifest: Mapping[str, Any]) -> set[str]:
    return {name for name in manifest["files"] if name.startswith(f"{manifest['bank']}/")}


def _model_files(sides: Sequence[str]) -> set[str]:
    """What turns a new record into its vectors."""
    views = (f"{view}/{name}" for view in (QUESTION_VIEW, RATIONALE_VIEW) for name in VIEW_FILES)
    networks = (f"{side}_posterior.onnx" for side in sides if side not in ("question", "rationale"))
    return {f"{MODEL}/{name}" for name in (*ENCODER_FILES, ENCODERS["fp32"], *views, *networks)}


def _commit(
    folder: Path, manifest: Mapping[str, Any], kept: Rows, added: Sequence[Record], vectors: Mapping[str, Floats]
) -> int:
    """The new bank: rows `kept` of the old one, then the records `added` with their `vectors` (m, z) by side."""
    old = folder / manifest["bank"]
    store, size = BankStore(old), len(kept) + len(added)

    def records() -> Iterable[Record]:  # one at a time: a bank of a million does not fit into memory
        return chain((store[int(row)] for row in kept), added)

    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        write_store(work, records())
        for name in _sides(manifest):
            _stack(old / f"{name}.npy", kept, vectors.get(name), work / f"{name}.npy")
        _index(manifest, old, kept, size, work)
        digest = bank_digest(records())
        number = 1 + max(int(m.group(1)) for path in folder.iterdir() if (m := re.fullmatch(r"bank-(\d+)", path.name)))
        new = folder / f"bank-{number}"
        if read_manifest(folder) != manifest:
            raise InputError(f"{folder}: changed by another process meanwhile; nothing was done, try again")
        work.chmod(0o755)
        os.replace(work, new)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    facts: dict[str, Any] = {key: value for key, value in manifest.items() if key not in ("format", "files")}
    facts |= {"bank": new.name, "data": {"records": size, "sha256": digest}}
    write_card(folder, facts)
    files = {name: entry for name, entry in manifest["files"].items() if not name.startswith(f"{old.name}/")}
    files |= describe(folder, [new, folder / "README.md"])
    # this replacement is the commit: before it readers see the old bank, after it the new one
    write_json(folder / NAME, {"format": manifest["format"], "files": files, **facts})
    shutil.rmtree(old, ignore_errors=True)
    return size


def _stack(old: Path, kept: Rows, added: Floats | None, new: Path) -> None:
    rows = np.load(old, mmap_mode="r", allow_pickle=False)
    shape = (len(kept) + (0 if added is None else len(added)), rows.shape[1])
    out = np.lib.format.open_memmap(new, "w+", rows.dtype, shape)
    for start in range(0, len(kept), large.DENSE):
        part = kept[start : start + large.DENSE]
        out[start : start + len(part)] = rows[part]
    if added is not None:
        out[len(kept) :] = added
    out.flush()


def _index(manifest: Mapping[str, Any], old: Path, kept: Rows, size: int, work: Path) -> None:
    vectors = np.load(work / "skillshot.npy", mmap_mode="r", allow_pickle=False)
    if f"{old.name}/{LARGE}" in manifest["files"]:
        large.change(old / LARGE, work / LARGE, kept, vectors[len(kept) :])
    elif size > manifest["index"]["exact_below"]:
        large.build(vectors, work / LARGE)
