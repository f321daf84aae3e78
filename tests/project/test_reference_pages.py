"""The generated reference pages are current, and the guides name what exists."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from helpers.story import Story
from scripts import cli_reference, params_reference
from skillshot.cli.main import build_parser
from skillshot.evaluation.files import write_rows
from skillshot.evaluation.results import QueryResult

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs/guides").glob("*.md"))


@pytest.mark.parametrize("script", [cli_reference, params_reference])
def test_the_page_is_what_the_script_writes(script: ModuleType) -> None:
    page = ROOT / script.PAGE
    assert page.read_text(encoding="utf-8") == script.render(), f"run: python -m {script.__name__}"


@pytest.mark.parametrize("guide", [*GUIDES, ROOT / "README.md", ROOT / "README.ko.md"], ids=lambda path: path.stem)
def test_command_lines_are_accepted_by_the_parser(guide: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in re.findall(r"```bash\n(.*?)```", guide.read_text(encoding="utf-8"), flags=re.S):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("skillshot "):
                try:
                    build_parser().parse_args(shlex.split(line, comments=True)[1:])
                except SystemExit:
                    pytest.fail(f"{line}\n{capsys.readouterr().err}")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_python_snippets_compile(guide: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), flags=re.S):
        compile(block, guide.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("guide", ["select", "explain", "langchain"])
def test_python_snippets_run_one_after_another(
    guide: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(bundle, tmp_path / "selector")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / f"docs/guides/{guide}.md").read_text(), flags=re.S):
        exec(compile(block, guide, "exec"), names)


def test_two_bundles_are_compared_as_the_guide_shows(
    bundle: Path, story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("A", "B"):
        (tmp_path / name).symlink_to(bundle)
    lines = [json.dumps(query.to_dict()) for query in story[1][:12]]
    (tmp_path / "queries.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for folder, nll in (("a", 2.0), ("b", 1.5)):
        (tmp_path / folder).mkdir()
        rows = [QueryResult(f"q{i}", "skillshot", "number", nll=nll) for i in range(4)]
        write_rows(rows, tmp_path / folder / "evaluate_rows.csv")
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "docs/guides/compare.md").read_text(), flags=re.S):
        exec(compile(block, "compare", "exec"), {})
    skills, model = capsys.readouterr().out.splitlines()
    assert "B - A {'diff': 0.0," in skills
    assert model.startswith("4 {'diff': -0.5, 'low': -0.5, 'high': -0.5,")


def test_the_navigation_names_every_page() -> None:
    listed = set(re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), flags=re.M))
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert listed == pages | {"reference/security.md"}  # SECURITY.md, by scripts/mkdocs_hooks.py
