"""docs/runtime.md shows what reports/ hold."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_tables_are_those_of_the_reports() -> None:
    spec = importlib.util.spec_from_file_location("runtime_table", ROOT / "scripts/runtime_table.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    reports = [json.loads((ROOT / f"reports/{name}.json").read_text()) for name in ("bench_select", "bench_precision")]
    page = (ROOT / "docs/runtime.md").read_text()
    assert "| lite |" in page
    assert script.render(page, *reports) == page, "run: python scripts/runtime_table.py"
