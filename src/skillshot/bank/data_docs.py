"""Data Docs as a few pages that open offline and come out byte-identical for the same bank."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

# what Data Docs take from bootstrap's and font-awesome's servers, in short
_CSS = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; color: #212529; background: #fff }
.container-fluid { padding: 0 1rem }
.row { display: flex; flex-wrap: wrap }
.col-lg-2, .col-md-2 { flex: 0 0 17rem }
.col-lg-10, .col-md-10 { flex: 1 1 30rem; min-width: 0 }
.col-12 { flex: 0 0 100%; min-width: 0 }
.card { border: 1px solid #ccc; border-radius: 6px; margin-bottom: 1rem }
.card-header, .alert { background: #f3f4f6; padding: .4rem .7rem }
.card-body { padding: .5rem .7rem }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 }
td, th { border: 1px solid #ddd; padding: .3rem .5rem; text-align: left; vertical-align: top }
.badge { border-radius: 4px; padding: .1rem .4rem; background: #e5e7eb; color: #111 }
.text-success::before { content: "✓"; color: #15803d; font-weight: 700 }
.text-danger::before { content: "✗"; color: #b91c1c; font-weight: 700 }
.text-warning::before { content: "!"; color: #b45309; font-weight: 700 }
.nav { list-style: none; padding: 0; margin: 0 }
a { color: #1d4ed8 }
h1, h2, h3, h4, h5 { margin: .6rem 0 }
@media (prefers-color-scheme: dark) {
  body { background: #111827; color: #e5e7eb }
  .card-header, .alert { background: #1f2937 }
  td, th, .card { border-color: #374151 }
  a { color: #93c5fd }
}
"""

_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_LINK = re.compile(r"<link\b[^>]*>")
_REMOTE = re.compile(r"<img\b[^>]*>|url\('https?://[^']*'\)[^;]*;", re.DOTALL)
_FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL)
# the card of buttons that need scripts
_ACTIONS = re.compile(
    r'<div class="card mb-3">\s*<div class="card-header p-2">\s*<strong>Actions</strong>.*?(?=<div class="card)',
    re.DOTALL,
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOME = re.compile(r'href="(?:\.\./)+index\.html"')
_SUITE = re.compile(r'href="(?:\.\./)+expectations/[^"]*"')
_REMOTE_ANCHOR = re.compile(r'<a\b[^>]*href="https?://[^"]*"[^>]*>(.*?)</a>', re.DOTALL)


def offline(page: str) -> str:
    """A rendered page without anything fetched from elsewhere, and without random names."""
    for pattern in (_SCRIPT, _LINK, _REMOTE, _FOOTER):
        page = pattern.sub("", page)
    page = _HOME.sub('href="index.html"', _REMOTE_ANCHOR.sub(r"\1", page))
    page = _ACTIONS.sub("", _SUITE.sub('href="expectation_suite.html"', page))
    names: dict[str, str] = {}
    page = _UUID.sub(lambda match: names.setdefault(match[0], f"part-{len(names)}"), page)
    return page.replace("</head>", f"<style>{_CSS}</style></head>", 1)


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
        f'<style>{_CSS}</style></head><body><div class="container-fluid"><h1>The bank, validated</h1>'
        f"<ul>{''.join(links)}</ul>{''.join(parts)}</div></body></html>\n",
        encoding="utf-8",
        newline="\n",
    )


def _table(caption: str, rows: dict[str, Any]) -> str:
    cells = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(str(v))}</td></tr>" for k, v in rows.items())
    return f"<h3>{html.escape(caption)}</h3><table>{cells}</table>"
