"""Change a bundle's bank without retraining: a new `bank-N` folder next to the old one, then one manifest swap.

One process at a time reads and commits (`changing`). The replacement of the manifest is the commit: before it readers
see the old bank, after it the new one. A process that is killed leaves one of the two, and what it leaves besides is
removed by the next change.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skillshot.bundle import database
from skillshot.bundle.card import card, write_card
from skillshot.bundle.changing import changing, clean
from skillshot.bundle.rows import row_vectors
from skillshot.common import packed, schema
from skillshot.common.arrays import Floats, Rows
from skillshot.common.errors import BundleError, InputError
from skillshot.common.extras import extras_named
from skillshot.common.io import write_json
from skillshot.common.record import Record
from skillshot.common.space import need
from skillshot.runtime import large
from skillshot.runtime.layout import CARD, LARGE, MODEL, files_of_rows, is_slim, refuse_slim
from skillshot.runtime.manifest import NAME, check_files, describe, read_manifest
from skillshot.runtime.store import BankStore, bank_digest, write_store
from skillshot.selectors.pool import Pool

if TYPE_CHECKING:
    from skillshot.bank.examples import Examples
    from skillshot.bank.load import Loaded

SIDES = ("skillshot", "lars", "ridge", "question", "rationale")


def add_examples(
    folder: str | os.PathLike[str],
    examples: Examples,
    columns: Mapping[str, str] | None = None,
    bank: str | None = None,
) -> Loaded:
    """Normalise and check examples as `fit` does, then add them; returns what was accepted and refused.

    Raises:
        InputError, BundleError: as `load_bank` and `add`.
        MissingPackageError: the packages of the extra `train` are not installed.
    """
    with extras_named():  # the checks need more than the runtime's packages, `remove` does not
        from skillshot.bank.examples import log_quarantined
        from skillshot.bank.load import load_bank

    refuse_slim(folder, read_manifest(folder), "adding")
    loaded = load_bank(examples, columns=columns)
    log_quarantined(loaded)
    add(folder, loaded.records, bank)
    return loaded


def add(folder: str | os.PathLike[str], records: Sequence[Record], bank: str | None = None) -> int:
    """Add demonstrations to a bundle; returns the new size of its bank.

    The skill vectors come from the bundle's own posterior, so nothing is trained. Only files that are read are checked.

    Args:
        bank: address of the database that holds the rows, which changes instead of the folder.

    Raises:
        DatabaseError: the database does not answer, or refuses.
        InputError: an id is already there, or twice in `records`; the bundle is slim.
        BundleError: a file of the bank or of the model is damaged, or another process has been changing the bundle for
            ten minutes.
        DiskError: the disk is full, or the bundle cannot be written.
    """
    refuse_slim(folder, read_manifest(folder), "adding")  # what is no bundle gets no lock file
    if bank is not None:
        return database.add(folder, bank, records)
    with changing(folder) as (place, work):
        manifest = read_manifest(place)
        clean(place, manifest)
        sides = _sides(manifest)
        pool = Pool(place, files=_bank_files(manifest) | _model_files(manifest, sides))
        store = BankStore(place / manifest["bank"])
        new: set[str] = set()
        for record in records:
            if record.id in new or store.has(record.id):
                raise InputError(f"the id {record.id!r} is already in {folder}; remove it first or give another id")
            new.add(record.id)
        return _commit(place, work, manifest, np.arange(len(store)), records, row_vectors(pool, sides, records))


def remove(folder: str | os.PathLike[str], ids: Sequence[str], bank: str | None = None) -> int:
    """Remove demonstrations from a bundle; returns the new size of its bank.

    Args:
        bank: as `add`.

    Raises:
        DatabaseError: as `add`.
        InputError: an id is not there, or nothing would be left.
        BundleError: a file of the bank is damaged, or another process has been changing the bundle for ten minutes.
        DiskError: the disk is full, or the bundle cannot be written.
    """
    if bank is not None:
        return database.remove(folder, bank, ids)
    read_manifest(folder)
    with changing(folder) as (place, work):
        manifest = read_manifest(place)
        clean(place, manifest)
        check_files(place, manifest, _bank_files(manifest))
        store, gone = BankStore(place / manifest["bank"]), set(ids)
        _all_there(folder, store, gone)
        kept = np.array([row for row, record in enumerate(store) if record.id not in gone], np.intp)
        if len(kept) != len(store) - len(gone):
            raise BundleError(f"{place / manifest['bank']}: its ids differ from its rows; copy the bundle again")
        if not len(kept):
            raise InputError(f"nothing would be left in {folder}; keep at least one demonstration")
        return _commit(place, work, manifest, kept, [], {})


def mark(folder: str | os.PathLike[str], ids: Sequence[str], *, correct: bool) -> int:
    """Mark demonstrations as right or wrong (`Record.correct`); returns how many.

    What is wrong stays in the bank and has the score 0, as rows that a fit is sure of; the next fit learns nothing from
    it. What is right gets its vectors back from the bundle's own posterior. Either is last in the bank afterwards.

    Raises:
        InputError: an id is not there, or the bundle is slim.
        BundleError, DiskError: as `add`.
    """
    refuse_slim(folder, read_manifest(folder), "marking")
    with changing(folder) as (place, work):
        manifest = read_manifest(place)
        clean(place, manifest)
        sides, wanted = _sides(manifest), set(ids)
        pool = Pool(place, files=_bank_files(manifest) | _model_files(manifest, sides))
        store = BankStore(place / manifest["bank"])
        _all_there(folder, store, wanted)
        rows = [(row, record) for row, record in enumerate(store) if record.id in wanted]
        marked = [replace(record, metadata={**record.metadata, "correct": correct}) for _, record in rows]
        kept = np.setdiff1d(np.arange(len(store)), [row for row, _ in rows])
        _commit(place, work, manifest, kept, marked, row_vectors(pool, sides, marked))
        return len(marked)


def _all_there(folder: str | os.PathLike[str], store: BankStore, ids: Iterable[str]) -> None:
    missing = [record_id for record_id in sorted(ids) if not store.has(record_id)]
    if missing:
        raise InputError(f"{folder} has no demonstration {missing[0]!r}")


def _sides(manifest: Mapping[str, Any]) -> list[str]:
    held = {name.removesuffix(packed.SUFFIX) for name in manifest["files"]}
    return [name for name in SIDES if f"{manifest['bank']}/{name}.npy" in held]


def _bank_files(manifest: Mapping[str, Any]) -> set[str]:
    return {name for name in manifest["files"] if name.startswith(f"{manifest['bank']}/")}


def _model_files(manifest: Mapping[str, Any], sides: Sequence[str]) -> set[str]:
    """What turns a new record into its vectors."""
    rivals = (side for side in sides if side not in ("skillshot", "question", "rationale"))
    return files_of_rows(manifest) | {f"{MODEL}/{side}_posterior.onnx" for side in rivals}


def _commit(
    folder: Path,
    work: Path,
    manifest: Mapping[str, Any],
    kept: Rows,
    added: Sequence[Record],
    vectors: Mapping[str, Floats],
) -> int:
    """The new bank: rows `kept` of the old one, then the records `added` with their `vectors` (m, z) by side."""
    old = folder / manifest["bank"]
    store, size = BankStore(old), len(kept) + len(added)
    if len(store) != manifest["data"]["records"]:
        raise BundleError(f"{old}: {len(store)} demonstrations, the manifest has another number; copy the bundle again")
    bank_bytes = sum(manifest["files"][name]["bytes"] for name in _bank_files(manifest))
    need(folder, bank_bytes * (size + 1) // len(store), "the new bank")

    def records() -> Iterable[Record]:  # one at a time: a bank of a million does not fit into memory
        return chain((store[int(row)] for row in kept), added)

    fresh = work / f"bank-{(int(old.name.removeprefix('bank-')) + 1) % 10**9}"  # as many digits as a name may have
    fresh.mkdir()
    write_store(fresh, records())
    for name in _sides(manifest):
        _stack(old / f"{name}.npy", len(store), kept, vectors.get(name), fresh / f"{name}.npy")
    if is_slim(manifest):
        packed.pack(fresh)
    else:
        _index(manifest, old, kept, size, fresh)
    facts: dict[str, Any] = {key: value for key, value in manifest.items() if key not in ("format", "files")}
    facts |= {"bank": fresh.name, "data": {"records": size, "sha256": bank_digest(records())}}
    files = {name: entry for name, entry in manifest["files"].items() if not name.startswith(f"{old.name}/")}
    files |= describe(work, [fresh]) | {CARD: _entry(card(facts))}
    fresh.chmod(0o755)
    os.replace(fresh, folder / fresh.name)
    write_json(folder / NAME, {"format": manifest["format"], "files": files, **facts})  # the commit
    write_card(folder, facts)
    shutil.rmtree(old, ignore_errors=True)
    return size


def _entry(text: str) -> dict[str, Any]:
    data = text.encode()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _stack(old: Path, count: int, kept: Rows, added: Floats | None, new: Path) -> None:
    rows = schema.read_array(old, [np.float32, np.float16, np.int8], (count, None if added is None else added.shape[1]))
    shape = (len(kept) + (0 if added is None else len(added)), rows.shape[1])
    header = {"descr": np.lib.format.dtype_to_descr(rows.dtype), "fortran_order": False, "shape": shape}
    with open(new, "wb") as handle:  # written and not mapped: on a full disk a map ends the process
        np.lib.format.write_array_header_1_0(handle, header)
        for start in range(0, len(kept), large.DENSE):
            handle.write(rows[kept[start : start + large.DENSE]].tobytes())
        if added is not None:
            handle.write(added.astype(rows.dtype).tobytes())
        handle.flush()
        os.fsync(handle.fileno())


def _index(manifest: Mapping[str, Any], old: Path, kept: Rows, size: int, work: Path) -> None:
    vectors = schema.read_array(work / "skillshot.npy", [np.float32, np.float16], (size, None))
    if f"{old.name}/{LARGE}" in manifest["files"]:
        large.change(old / LARGE, work / LARGE, kept, vectors[len(kept) :])
    elif size > manifest["index"]["exact_below"]:
        large.build(vectors, work / LARGE)
