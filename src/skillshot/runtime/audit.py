"""The audit record: one line for each selection, in a chain (`skillshot.common.chain`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common.chain import Chain
from skillshot.common.io import dump_json, sha256_bytes, sha256_text
from skillshot.common.version import __version__
from skillshot.runtime.opening import OpenBundle
from skillshot.runtime.scoring import BLOCKS
from skillshot.runtime.search import Found
from skillshot.runtime.types import Question, parse


class Audit:
    """Writes what a Selector chooses to a file, before the choice is returned.

    Args:
        path: JSON lines; made where it is missing. Several processes and threads may write to one file.
        bundle: the digest of its manifest names bank and model, because it holds the digests of their files.
    """

    def __init__(self, path: Path, bundle: OpenBundle) -> None:
        self._chain, self._bundle = Chain(path), bundle
        self._vectors = np.asarray(bundle.vectors)  # a view: indexing a memory map takes longer
        manifest = bundle.manifest
        self._facts = {
            "sha256": sha256_bytes(dump_json(manifest).encode()),
            "bank": manifest["data"]["sha256"],
            "version": manifest["skillshot"],
            "mode": bundle.mode,
            "runtime": __version__,
        }

    def write(self, questions: Sequence[Question], chosen: Sequence[Sequence[Found]]) -> None:
        """Append a line for each question.

        Raises:
            InputError, BundleError, SkillshotError: as `Chain.append`.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._chain.append([self._row(time, *one) for one in zip(questions, chosen, strict=True)])

    def _row(self, time: str, question: Question, found: Sequence[Found]) -> dict[str, Any]:
        reasons: list[list[float]] = []
        if found:
            rows = self._vectors[[one.row for one in found]]
            reasons = self._bundle.scoring.parts(found[0].query, rows).round(6).tolist()
        return {
            "time": time,
            "question": sha256_text(parse(question)[1]),
            "bundle": self._facts,
            "chosen": [one.record.id for one in found],
            "scores": [round(one.score, 6) for one in found],
            "reasons": [dict(zip(BLOCKS, parts, strict=True)) for parts in reasons],
            "confidence": [round(one.confidence, 6) for one in found],
        }
