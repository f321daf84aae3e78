"""Data Docs as a few pages that open offline and are byte-identical for the same bank."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from skillshot.common.templates import render

_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_LINK = re.compile(r"<link\b[^>]*>")
_REMOTE = re.compile(r"<img\b[^>]*>|url\('https?://[^']*'\)[^;]*;", re.DOTALL)
_FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL)
# the card of buttons and filters that need scripts, up to the table of contents
_ACTIONS = re.compile(
    r'<div class="card mb-3">\s*<div class="card-header p-2">\s*<strong>Actions</strong>.*?(?=<div class="card d-)',
    re.DOTALL,
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOME = re.compile(r'href="(?:\.\./)+index\.html"')
_SUITE = re.compile(r'href="(?:\.\./)+expectations/[^"]*"')
_REMOTE_ANCHOR = re.compile(r'<a\b[^>]*href="https?://[^"]*"[^>]*>(.*?)</a>', re.DOTALL)


def offline(page: str) -> str:
    """A rendered page that fetches nothing, and without random names."""
    for pattern in (_SCRIPT, _LINK, _REMOTE, _FOOTER):
        page = pattern.sub("", page)
    page = _HOME.sub('href="index.html"', _REMOTE_ANCHOR.sub(r"\1", page))
    page = _ACTIONS.sub("", _SUITE.sub('href="expectation_suite.html"', page))
    names: dict[str, str] = {}
    page = _UUID.sub(lambda match: names.setdefault(match[0], f"part-{len(names)}"), page)
    return page.replace("</head>", f"<style>{render('skillshot.bank', 'great_expectations.css.j2')}</style></head>", 1)


def write_docs(folder: Path, pages: dict[str, str], tables: dict[str, dict[str, Any]]) -> None:
    """Write `pages` (title -> Great Expectations' HTML) and an index with the counts in `tables`.

    Args:
        tables: caption -> name -> value, shown on the index.
    """
    folder.mkdir(parents=True)
    links = [(title.lower().replace(" ", "_") + ".html", title) for title in pages]
    files = {name: offline(pages[title]) for name, title in links}
    files["index.html"] = render("skillshot.bank", "index.html.j2", links=links, tables=tables)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
