"""The README is true: its snippets run, its figures are those of reports/, its files exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts.readme_table import render
from skillshot.cli.main import COMMANDS, build_parser

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text()


def test_the_figures_are_those_of_the_reports() -> None:
    report = json.loads((ROOT / "reports/evaluate.json").read_text())
    assert render(TEXT, report) == TEXT, "run: python scripts/readme_table.py"


def test_the_python_snippet_runs(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.S)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/selector").symlink_to(bundle)
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 3 and lines[-1] == "Answer:"


def test_the_commands_exist() -> None:
    parser = build_parser()
    for line in re.findall(r"^skillshot (.*?)(?:\s+#.*)?$", TEXT, flags=re.M):
        name = line.split()[0]
        assert name in COMMANDS
    for target in re.findall(r"^make ([\w-]+)", TEXT, flags=re.M):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.M)
    assert parser.prog == "skillshot"


def test_the_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert target.startswith("https://") or (ROOT / target).exists(), target
