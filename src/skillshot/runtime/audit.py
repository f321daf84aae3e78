"""The audit record: one line for each selection, in a chain (`skillshot.common.chain`)."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
from pathlib import Path

import numpy as np

from skillshot.common.chain import Chain
from skillshot.common.io import dump_json, sha256_bytes, sha256_text
from skillshot.common.version import __version__
from skillshot.runtime.opening import OpenBundle
from skillshot.runtime.scoring import BLOCKS
from skillshot.runtime.search import Found
from skillshot.runtime.types import Question, parse

_REASON = "{" + ", ".join(f'"{name}": %.6f' for name in BLOCKS) + "}"


@functools.lru_cache
def _template(count: int) -> str:
    """Of the numbers of `count` demonstrations; json.dumps takes twice as long as filling it in."""
    numbers, reasons = ", ".join(["%.6f"] * count), ", ".join([_REASON] * count)
    return f'"scores": [{numbers}], "reasons": [{reasons}], "confidence": [{numbers}]'


class Audit:
    """Writes what a Selector chooses to a file, before the choice is returned.

    Args:
        path: JSON lines; made where it is missing. Several processes and threads may write to one file.
        bundle: the digest of its manifest names bank and model, because it holds the digests of their files. A bank in
            a database is named by its table and revision.
    """

    def __init__(self, path: Path, bundle: OpenBundle) -> None:
        self._chain, self._bundle = Chain(path), bundle
        manifest = bundle.manifest
        facts = {
            "sha256": sha256_bytes(dump_json(manifest).encode()),
            "bank": "%s",  # of each selection: a database changes meanwhile
            "version": manifest["skillshot"],
            "mode": bundle.mode,
            "runtime": __version__,
        }
        self._facts = json.dumps(facts)

    def write(self, questions: Sequence[Question], chosen: Sequence[Sequence[Found]]) -> None:
        """Append a line for each question.

        Raises:
            InputError, BundleError, SkillshotError: as `Chain.append`.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._chain.append([self._row(time, *one) for one in zip(questions, chosen, strict=True)])

    def _row(self, time: str, question: Question, found: Sequence[Found]) -> str:
        """The text of a row; its numbers are finite, because the rows of a bank and the outputs of a graph are."""
        parts: list[float] = []
        if found:
            rows = np.stack([one.vector for one in found])
            parts = self._bundle.scoring.parts(found[0].query, rows).ravel().tolist()
        state = found[0].state if found else self._bundle.bank.state
        numbers = (*(one.score for one in found), *parts, *(one.confidence for one in found))
        return (
            f'{{"time": "{time}", "question": "{sha256_text(parse(question)[1])}", "bundle": {self._facts % state}, '
            f'"chosen": [{", ".join([encode_basestring_ascii(one.record.id) for one in found])}], '
            f"{_template(len(found)) % numbers}}}"
        )
