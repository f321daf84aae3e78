"""Stage ingest: the source -> data/ingest/{bank,queries,quarantine}.jsonl and reports/ingest.json."""

from __future__ import annotations

import logging
from pathlib import Path

from skillshot.common.io import write_json
from skillshot.common.params import load_params
from skillshot.sources.ingest import ingest, summary
from skillshot.stages._runner import stage_main

OUT = Path("data/ingest")
REPORT = Path("reports/ingest.json")


@stage_main
def main() -> None:
    """Run in the repository's root."""
    report = ingest(load_params(), OUT)
    write_json(REPORT, report)
    logging.getLogger("skillshot").info(summary(report))


if __name__ == "__main__":
    main()
