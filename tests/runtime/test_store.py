"""A bank on disk: filters by field, ids, and inconsistent files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skillshot.common.errors import BundleError, InputError
from skillshot.common.record import Record
from skillshot.runtime import fields
from skillshot.runtime.store import BankStore, write_store


def bank(count: int) -> list[Record]:
    kinds = ("a", "b", None)
    metadata = [
        {"kind": kinds[i % 3], "n": i, "list": [i % 2, "x"]} | ({"late": True} if i > 5 else {}) for i in range(count)
    ]
    return [Record(f"id-{i}", f"question {i}?", metadata=metadata[i]) for i in range(count)]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BankStore:
    monkeypatch.setattr(fields, "MOST", 8)
    assert write_store(tmp_path, bank(12)) == 12
    return BankStore(tmp_path)


def test_masks_hold_the_rows_with_the_value(store: BankStore) -> None:
    rows = list(store)
    for field, value in (("kind", "b"), ("list", [1, "x"]), ("late", True), ("late", 1), ("kind", "no such")):
        wanted = [record.to_dict().get(field) == value for record in rows]
        assert store.fields.mask(field, value).tolist() == wanted
        assert store.fields.mask(field, value).tolist() == wanted, "also the second time"


def test_fields_that_cannot_be_filtered_by(store: BankStore) -> None:
    with pytest.raises(InputError, match="'n' has more than 8 distinct values"):
        store.fields.mask("n", 3)
    with pytest.raises(InputError, match="has a field 'colour'"):
        store.fields.mask("colour", "red")


def test_number_of_kept_masks_is_bounded(store: BankStore) -> None:
    for i in range(200):
        assert not store.fields.mask("kind", f"none {i}").any()
    assert len(store.fields._masks) <= 64


def test_ids(store: BankStore) -> None:
    assert store.has("id-0") and store.has("id-11") and not store.has("id-12")


def test_files_of_another_bank_are_refused(tmp_path: Path) -> None:
    write_store(tmp_path / "other", bank(5))
    for name in ("bank_keys.npy", "bank_ids.npy", "bank.jsonl", "bank_offsets.npy", "bank_fields.npy"):
        write_store(tmp_path / "mixed", bank(12))
        (tmp_path / "mixed" / name).write_bytes((tmp_path / "other" / name).read_bytes())
        with pytest.raises(BundleError, match="copy the bundle again"):
            BankStore(tmp_path / "mixed")


def test_empty_bank(tmp_path: Path) -> None:
    write_store(tmp_path, [])
    store = BankStore(tmp_path)
    assert len(store) == 0 and not store.has("x") and store.keys.dtype == np.uint64
