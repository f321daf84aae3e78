"""Data Docs as a few pages that open offline and are byte-identical for the same bank."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from skillshot.common.templates import render

# what is left out: how it begins, how it ends, and what of it stays
_PARTS = [
    (re.compile(r"<script\b"), "</script>", ""),
    (re.compile(r"<link\b"), ">", ""),
    (re.compile(r"<img\b"), ">", ""),
    (re.compile(r"url\('https?://[^'<>]{0,2000}'\)"), ";", ""),
    (re.compile(r"<footer\b"), "</footer>", ""),
    (re.compile(r'<a\b[^<>]{0,2000}href="https?://[^"<>]{0,2000}"[^<>]{0,2000}>'), "</a>", "inside"),
]
# the card of buttons and filters that need scripts, up to the table of contents
_ACTIONS = (
    re.compile(r'<div class="card mb-3">\s*<div class="card-header p-2">\s*<strong>Actions</strong>'),
    '<div class="card d-',
    "end",
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOME = re.compile(r'href="(?:\.\./)+index\.html"')
_SUITE = re.compile(r'href="(?:\.\./)+expectations/[^"<>]{0,2000}"')


def offline(page: str) -> str:
    """A rendered page that fetches nothing, and without random names."""
    for part in _PARTS:
        page = _without(page, *part)
    page = _SUITE.sub('href="expectation_suite.html"', _HOME.sub('href="index.html"', page))
    page = _without(page, *_ACTIONS)
    names: dict[str, str] = {}
    page = _UUID.sub(lambda match: names.setdefault(match[0], f"part-{len(names)}"), page)
    return page.replace("</head>", f"<style>{render('skillshot.bank', 'great_expectations.css.j2')}</style></head>", 1)


def _without(page: str, opening: re.Pattern[str], closing: str, keep: str) -> str:
    """The page without each part from `opening` to `closing`; linear, where a pattern `.*?` would not be."""
    kept, at = [], 0
    while match := opening.search(page, at):
        end = page.find(closing, match.end())
        if end < 0:
            break
        kept += [page[at : match.start()], page[match.end() : end] if keep == "inside" else ""]
        at = end if keep == "end" else end + len(closing)
    return "".join([*kept, page[at:]])


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
