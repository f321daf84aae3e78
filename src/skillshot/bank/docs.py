"""Data Docs as a few pages that open offline and come out byte-identical for the same bank."""

from __future__ import annotations

import html
import re
from importlib import resources
from pathlib import Path
from typing import Any

_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_LINK = re.compile(r"<link\b[^>]*>")
_REMOTE = re.compile(r"<img\b[^>]*>|url\('https?://[^']*'\)[^;]*;", re.DOTALL)
_FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOME = re.compile(r'href="(?:\.\./)+index\.html"')
_REMOTE_ANCHOR = re.compile(r'<a\b[^>]*href="https?://[^"]*"[^>]*>(.*?)</a>', re.DOTALL)


def offline(page: str) -> str:
    """A rendered page without anything fetched from elsewhere, and without random names."""
    for pattern in (_SCRIPT, _LINK, _REMOTE, _FOOTER):
        page = pattern.sub("", page)
    page = _HOME.sub('href="index.html"', _REMOTE_ANCHOR.sub(r"\1", page))
    names: dict[str, str] = {}
    page = _UUID.sub(lambda match: names.setdefault(match[0], f"part-{len(names)}"), page)
    return page.replace("</head>", f"<style>{_css()}</style></head>", 1)


def write_docs(folder: Path, pages: dict[str, str], tables: dict[str, dict[str, Any]]) -> None:
    """Write `pages` (title -> Great Expectations' HTML) and an index with the counts in `tables`.

    Args:
        tables: caption -> name -> value, shown on the index.
    """
    folder.mkdir(parents=True)
    links = []
    for title, page in pages.items():
        name = title.lower().replace(" ", "_") + ".html"
        (folder / name).write_text(offline(page), encoding="utf-8", newline="\n")
        links.append(f'<li><a href="{name}">{html.escape(title)}</a></li>')
    parts = [_table(caption, rows) for caption, rows in tables.items()]
    (folder / "index.html").write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8"><title>skillshot: the bank</title>'
        f'<style>{_css()}</style></head><body><div class="container-fluid"><h1>The bank, validated</h1>'
        f"<ul>{''.join(links)}</ul>{''.join(parts)}</div></body></html>\n",
        encoding="utf-8",
        newline="\n",
    )


def _table(caption: str, rows: dict[str, Any]) -> str:
    cells = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(str(v))}</td></tr>" for k, v in rows.items())
    return f"<h3>{html.escape(caption)}</h3><table>{cells}</table>"


def _css() -> str:
    return resources.files("skillshot.bank").joinpath("docs.css").read_text(encoding="utf-8")
