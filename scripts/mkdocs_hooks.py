"""Hooks of mkdocs: what reports/plots holds and SECURITY.md are part of the site; pages link to them as on GitHub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PLOTS = "reports/plots"


def on_files(files: Files, config: Any) -> Files:
    """Add every plot and page under `plots/`, and SECURITY.md, which is in the root for GitHub."""
    files.append(File.generated(config, "reference/security.md", abs_src_path=str(ROOT / "SECURITY.md")))
    for path in sorted(path for path in (ROOT / PLOTS).iterdir() if path.suffix in (".png", ".html")):
        files.append(File.generated(config, f"plots/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links that leave docs/ for a plot or for SECURITY.md go to its copy."""
    return markdown.replace(f"../../{PLOTS}/", "../plots/").replace("../../SECURITY.md", "../reference/security.md")
