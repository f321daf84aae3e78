"""Where a Selector was loaded from, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.common.errors import InputError
from skillshot.runtime.layout import ENCODERS, MODEL, MODES, resolve_mode


@dataclass(frozen=True)
class LoadOptions:
    """A bundle folder and the wishes for it; None: as its manifest says."""

    folder: Path
    mode: str | None
    precision: str | None
    threads: int
    check: bool

    def __post_init__(self) -> None:
        for name, value, known in (("mode", self.mode, MODES), ("precision", self.precision, tuple(ENCODERS))):
            if value is not None and value not in known:
                raise InputError(f"{name} {value!r}: choose one of {', '.join(known)}")

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
