"""A fitted bundle as the teacher of another bank: its demonstrations, and what it was fitted with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.common.errors import InputError
from skillshot.common.record import Record
from skillshot.runtime.layout import NO_MODEL
from skillshot.runtime.manifest import check_files, read_manifest
from skillshot.runtime.store import BankStore

SHOWS = ("rationale", "answer")  # sources of structure that show reasoning


@dataclass(frozen=True)
class Teacher:
    """name: of the bundle's folder. records: its demonstrations. manifest: its facts."""

    name: str
    records: list[Record]
    manifest: Mapping[str, Any]

    @classmethod
    def of(cls, folder: str | os.PathLike[str]) -> Teacher:
        """Open a bundle.

        Raises:
            BundleError: it is damaged, or no bundle.
            InputError: its bank shows no reasoning.
        """
        manifest = read_manifest(folder)
        if manifest["structure"] not in SHOWS:
            raise InputError(
                f"{folder}: its bank shows no reasoning (structure from {manifest['structure']}), so it teaches none\n"
                "fit the new bank alone: skillshot fit"
            )
        bank = manifest["bank"]
        check_files(folder, manifest, {name for name in manifest["files"] if name.startswith(f"{bank}/")})
        return cls(Path(folder).resolve().name, list(BankStore(Path(folder) / bank)), manifest)

    @property
    def lite(self) -> bool:
        """Whether it was fitted without a text encoder."""
        return bool(self.manifest["embed"]["model"] == NO_MODEL)

    def settings(self) -> dict[str, Any]:
        """What an adapted bundle has in common with it, as params: encoder, seed, and how it is loaded."""
        select = dict(self.manifest["select"])
        return {"embed": dict(self.manifest["embed"]), "seed": self.manifest["seed"], "select": select}

    def facts(self) -> dict[str, Any]:
        """Where the knowledge came from, for the manifest of the adapted bundle."""
        return {"bundle": self.name, **self.manifest["data"], "structure": self.manifest["structure"]}
