"""A bundle as it is on disk now, also while other processes change it, and the edits that the page makes."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from skillshot.bundle import edit
from skillshot.common.errors import BundleError, InputError, SkillshotError
from skillshot.common.io import read_jsonl, sha256_text
from skillshot.runtime.opening import OpenBundle, open_bundle
from skillshot.runtime.options import LoadOptions
from skillshot.ui.rows import BankTable

logger = logging.getLogger("skillshot")

EDITS = ("remove", "wrong", "right")


class ConflictError(SkillshotError):
    """What an edit is about was changed since the page that asks for it was made."""


class Workspace:
    """A bundle that is looked at and edited.

    Attributes:
        problem: why the bundle on disk cannot be opened any more; empty where it can. The last state stays open.

    Raises:
        BundleError: as `Selector.load`.
    """

    def __init__(self, source: str | PathLike[str]) -> None:
        self.name = str(source)
        self.problem = ""
        self._options = LoadOptions.of(source)
        self._lock, self._editing = threading.RLock(), threading.Lock()
        self._bundle = open_bundle(self._options)
        self._version = _version(self._bundle)
        self._rows: BankTable | None = None

    @property
    def folder(self) -> Path:
        """Where the bundle is."""
        return self._options.folder

    def bundle(self) -> OpenBundle:
        """The bundle's state on disk; the last one that could be opened where this one cannot, see `problem`."""
        with self._lock:
            try:
                bundle = open_bundle(self._options, self._bundle)
                self.problem = ""
            except (BundleError, OSError) as error:
                if not self.problem:
                    logger.warning("%s", error)
                self.problem = str(error)
                return self._bundle
            if bundle is not self._bundle:
                logger.info("%s: changed on disk, %d demonstrations", self.name, len(bundle.store))
                self._bundle, self._version, self._rows = bundle, _version(bundle), None
            return bundle

    @property
    def version(self) -> str:
        """Names the state that `bundle` last returned."""
        return self._version

    def rows(self) -> BankTable:
        """The rows of `bundle()`, read once per state."""
        with self._lock:
            bundle = self.bundle()
            if self._rows is None:
                self._rows = BankTable(bundle)
            return self._rows

    def notes(self, kind: str) -> list[dict[str, Any]]:
        """Lines of `<bundle>.<kind>.jsonl`, which `fit` writes next to the bundle; none where there is no such file.

        Args:
            kind: "quarantine" or "suspicious".

        Raises:
            InputError: the file cannot be read.
        """
        path = self.folder.with_name(f"{self.folder.name}.{kind}.jsonl")
        try:
            found = list(read_jsonl(path)) if path.exists() else []
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{path}: cannot be read ({error}); fit the bank again, or remove the file") from error
        if not all(isinstance(line, dict) for line in found):
            raise InputError(f"{path}: a line is no object; fit the bank again, or remove the file")
        return found

    def edit(self, what: str, keys: Sequence[str]) -> int:
        """Change the rows with these keys in one step, for every process; returns how many.

        Args:
            what: one of `EDITS`.

        Raises:
            ConflictError: a row was changed or removed meanwhile; nothing is changed then.
            InputError, BundleError, DiskError: as `remove` and `mark` of `skillshot.bundle.edit`.
        """
        if what not in EDITS:
            raise InputError(f"edit {what!r}: choose one of {', '.join(EDITS)}")
        if not keys:
            raise InputError("no row is chosen; choose one or more")
        with self._editing:
            rows = self.rows()
            gone = [key for key in dict.fromkeys(keys) if key not in rows.places]
            if gone:
                raise ConflictError(f"{len(gone)} of {len(set(keys))} rows were changed or removed meanwhile")
            ids = [rows.bundle.store[rows.places[key]].id for key in dict.fromkeys(keys)]
            if what == "remove":
                edit.remove(self.folder, ids)
            else:
                edit.mark(self.folder, ids, correct=what == "right")
            self.bundle()
            return len(ids)

    def add(self, row: Mapping[str, Any]) -> str:
        """Add one demonstration, checked as `fit` checks it; returns its id.

        Raises:
            ConflictError: its id is there already.
            InputError: a check refuses it; names the reason.
            BundleError, DiskError, MissingPackageError: as `skillshot.bundle.edit.add_examples`.
        """
        with self._editing:
            known = self.rows().by_id
            if row.get("id") in known:
                raise ConflictError(f"the id {row['id']!r} is already in the bank")
            loaded = edit.add_examples(self.folder, [row])
            self.bundle()
        return loaded.records[0].id


def _version(bundle: OpenBundle) -> str:
    return sha256_text(json.dumps(bundle.manifest, sort_keys=True))[:16]
