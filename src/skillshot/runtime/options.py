"""Where a Selector was loaded from, and how."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from skillshot.common.errors import InputError
from skillshot.common.extras import extras_named
from skillshot.runtime.layout import ENCODERS, MODEL, MODES, resolve_mode
from skillshot.runtime.temporary import TemporaryFolder, owner_of

REMOTE = ("hf:", "models:/")


def above(module: str) -> Any:
    """A module of a package above the runtime, for the methods that change, send or fetch a bundle.

    Imported by name: the runtime itself neither depends on it nor needs its packages.

    Raises:
        MissingPackageError: a package that it needs is not installed.
    """
    with extras_named():
        return importlib.import_module(module)


@dataclass(frozen=True)
class LoadOptions:
    """A bundle folder and its load options; None: as the bundle's manifest says.

    audit: where selections are written.
    bank: address of the database that holds the rows; None: they are in the folder.
    source: the address that the folder was pulled from, where it was.
    owner: keeps a temporary folder.
    """

    folder: Path
    mode: str | None = None
    precision: str | None = None
    threads: int = 1
    check: bool = True
    audit: Path | None = None
    bank: str | None = field(default=None, repr=False)  # it may hold a password
    source: str | None = None
    owner: TemporaryFolder | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, value, known in (("mode", self.mode, MODES), ("precision", self.precision, tuple(ENCODERS))):
            if value is not None and value not in known:
                raise InputError(f"{name} {value!r}: choose one of {', '.join(known)}")
        if isinstance(self.threads, bool) or not isinstance(self.threads, int) or self.threads < 1:
            raise InputError(f"threads {self.threads!r}: expected a whole number of at least 1")

    @classmethod
    def of(cls, source: str | PathLike[str], **options: Any) -> LoadOptions:
        """Options for a folder, or for a hub address, which is pulled into a temporary folder.

        Raises:
            InputError, BundleError: as `skillshot.bundle.hub.pull`.
            MissingPackageError: the package that reads the hub is not installed.
        """
        if options.get("audit") is not None:
            options["audit"] = Path(options["audit"]).absolute()
        if isinstance(source, str) and source.startswith(REMOTE):
            cls(Path(), **options)  # wrong options are refused before the download
            home = TemporaryFolder()
            folder = above("skillshot.bundle.hub").pull(source, home.path / "bundle")
            return cls(folder, **options, source=source, owner=home)
        folder = Path(source).absolute()  # a copy in another process may have another working directory
        return cls(folder, **options, owner=owner_of(folder))

    def again(self) -> LoadOptions:
        """The same options for what is at the address now: a hub is pulled again, a folder stays."""
        return self.of(
            self.source or self.folder,
            mode=self.mode, precision=self.precision, threads=self.threads, check=self.check,
            audit=self.audit, bank=self.bank,
        )  # fmt: skip

    def mode_of(self, manifest: Mapping[str, Any]) -> str:
        """full or lite."""
        return resolve_mode(self.mode or str(manifest["select"]["mode"]), manifest)

    def precision_of(self, manifest: Mapping[str, Any]) -> str:
        """int8 or fp32."""
        return self.precision or str(manifest["select"]["precision"])

    def model_of(self, manifest: Mapping[str, Any]) -> tuple[Any, ...]:
        """What decides whether two manifests need the same policy."""
        files = {name: entry for name, entry in manifest["files"].items() if name.startswith(f"{MODEL}/")}
        return self.mode_of(manifest), self.precision_of(manifest), files
