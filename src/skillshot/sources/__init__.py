"""Sources of examples. Every source yields raw rows, so that all examples go through the same normalisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from skillshot.bank.readers import read_raw
from skillshot.bank.rows import Raw
from skillshot.common.errors import ParamsError
from skillshot.common.params import IngestParams


@dataclass(frozen=True)
class Source:
    """Rows of the bank and, where the source provides them separately, of the queries."""

    name: str
    bank: Iterator[Raw]
    queries: Iterator[Raw] | None = None


def open_source(settings: IngestParams, seed: int) -> Source:
    """Open the source that `params.ingest` names; rows are read lazily.

    Raises:
        ParamsError: a setting that the source needs is missing.
        InputError: a file or a Hub dataset cannot be read.
    """
    match settings.source:
        case "storyskills":
            from skillshot.sources.storyskills import generate

            records = generate(settings.size, seed)
            return Source("storyskills", _numbered("storyskills", (record.to_dict() for record in records)))
        case "gsm_symbolic":
            from skillshot.sources.gsm_symbolic import generate as generate_symbolic

            return Source("gsm_symbolic", _numbered("gsm_symbolic", generate_symbolic(settings.size, seed)))
        case "file":
            if not settings.path:
                raise ParamsError("ingest.source: file needs ingest.path (a bank file or folder)")
            queries = read_raw(settings.queries) if settings.queries else None
            return Source(settings.path, read_raw(settings.path), queries)
        case "hub":
            if not settings.name:
                raise ParamsError("ingest.source: hub needs ingest.name (a dataset on the Hugging Face Hub)")
            from skillshot.sources.hub import read_hub

            held = settings.queries_split
            return Source(
                settings.name,
                read_hub(settings.name, settings.config, settings.split),
                read_hub(settings.name, settings.config, held) if held else None,
            )


def _numbered(name: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Raw]:
    return (Raw(name, line, row) for line, row in enumerate(rows, 1))
