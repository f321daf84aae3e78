"""Stage validate: data/ingest -> what passes in data/validate, Data Docs, reports/validate.json."""

from __future__ import annotations

from pathlib import Path

from skillshot.bank.validate import validate
from skillshot.io import write_json
from skillshot.params import load_params
from skillshot.stages.told import told

SOURCE, OUT = Path("data/ingest"), Path("data/validate")
REPORT = Path("reports/validate.json")


@told
def main() -> None:
    """Run in the repository's root."""
    write_json(REPORT, validate(load_params(), SOURCE, OUT))


if __name__ == "__main__":
    main()
