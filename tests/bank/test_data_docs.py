"""Data Docs as offline pages."""

from __future__ import annotations

from pathlib import Path

from skillshot.bank.data_docs import offline, write_docs

PAGE = """<html><head><link href="https://cdn"></head><body><div class="row"><div class="sticky">
<div class="card mb-3">
  <div class="card-header p-2"><strong>Actions</strong></div>
  <div class="card-body p-3"><button>Filter</button></div>
</div>
<div class="card d-md-block">contents</div></div></div>
<script>run()</script><a href="https://docs">read</a></body></html>"""


def test_the_card_of_actions_goes_as_a_whole() -> None:
    page = offline(PAGE)
    assert "Actions" not in page and "Filter" not in page and "contents" in page
    assert page.count("<div") == page.count("</div>")
    assert "https:" not in page and "<script" not in page and "<style>" in page and "<link" not in page


def test_the_index_links_the_pages_and_escapes_the_counts(tmp_path: Path) -> None:
    write_docs(tmp_path / "docs", {"Validation <1>": PAGE}, {"bank": {"refused": {"<empty>": 2}, "rows": 1200}})
    index = (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")
    assert (
        "Validation &lt;1&gt;" in index and "&lt;empty&gt;: 2" in index and "1,200" in index and "<empty>" not in index
    )
