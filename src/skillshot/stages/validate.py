"""Stage validate: data/ingest -> what passes in data/validate, Data Docs, reports/validate.json."""

from __future__ import annotations

from pathlib import Path

from skillshot.bank.validate import validate
from skillshot.common.io import write_json
from skillshot.common.params import load_params
from skillshot.stages._runner import stage_main

SOURCE, OUT = Path("data/ingest"), Path("data/validate")
REPORT = Path("reports/validate.json")


@stage_main
def main() -> None:
    """Run in the repository's root."""
    write_json(REPORT, validate(load_params(), SOURCE, OUT))


if __name__ == "__main__":
    main()
